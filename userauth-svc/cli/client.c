/* SPDX-License-Identifier: MIT
 *
 * Depends on: client.h, cli_wire.h, options.h, output.h, place.h, strbuf.h, password_rules.h. */
#include "cli/client.h"

#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/cli_wire.h"
#include "cli/options.h"
#include "cli/output.h"
#include "rules/password_rules.h"

#define KEY_FILE "userauth.key"

#define I64(field)    AT_I64(struct cli_config, field)
#define TEXT(field)   AT_TEXT(struct cli_config, field)
#define SECRET(field) AT_SECRET(struct cli_config, field)

/* clang-format off */
const struct setting client_settings[] = {
    {.name = PLACE_USERS_SETTING, .at = TEXT(user_service_url), .fallback = PLACE_USERS_DEFAULT,
     .help = "where userauth-svc answers"},
    {.name = "USER_SERVICE_ID", .at = TEXT(user_service_id), .fallback = "them",
     .help = "name of our API key"},
    {.name = "USER_SERVICE_KEY", .at = SECRET(user_service_key),
     .help = "our API key; unset: read from STATE_DIR/userauth.key"},
    {.name = "STATE_DIR", .at = TEXT(state_dir), .fallback = "./var",
     .help = "folder of the key that userauth-svc made"},
    {.name = PLACE_NOTES_SETTING, .at = TEXT(notes_url), .fallback = PLACE_NOTES_DEFAULT,
     .help = "where notes-svc answers, which knows the sessions"},
    {.name = "PASSWORD_MIN_CHARS", .at = I64(password_min_chars), .fallback = PASSWORD_MIN_CHARS_DEFAULT,
     .min = PASSWORD_MIN_CHARS_LEAST, .max = PASSWORD_MIN_CHARS_MOST,
     .help = "a new password with fewer characters gets a warning"},
};
/* clang-format on */
const size_t client_settings_count = ARRAY_COUNT(client_settings);

void client_config_check(const struct cli_config *config, struct env_faults *faults)
{
    if (!place_is_sound(faults->arena, config->user_service_url))
        env_fault(faults, PLACE_USERS_SETTING, "it is not like " PLACE_USERS_DEFAULT);
    if (!place_is_sound(faults->arena, config->notes_url))
        env_fault(faults, PLACE_NOTES_SETTING, "it is not like " PLACE_NOTES_DEFAULT);
}

enum cli_exit client_places(struct ctx *ctx,
                            const struct cli_config *config,
                            const struct cli_options *options,
                            struct place *out_places)
{
    enum cli_exit code =
        place_of_users(ctx, config->user_service_url, options, &out_places[CLIENT_USERS]);
    if (code == CLI_EXIT_OK)
        code = place_of_notes(ctx, config->notes_url, &out_places[CLIENT_NOTES]);
    return code;
}

/* ---- the key ---- */

static enum cli_exit
read_key(struct ctx *ctx, const struct cli_config *config, struct secret *out_key)
{
    if (secret_is_set(&config->user_service_key)) {
        *out_key = secret_new(config->user_service_key.text, config->user_service_key.size_bytes);
        return CLI_EXIT_OK;
    }
    const char *path = arena_format(&ctx->arena, "%s/" KEY_FILE, config->state_dir);
    if (secret_read_file(ctx, path, out_key) == ERR_OK)
        return CLI_EXIT_OK;
    return output_fail(
        ctx, CLI_EXIT_USAGE,
        "there is no API key: %s.\nGive it with USER_SERVICE_KEY or USER_SERVICE_KEY_FILE, "
        "or set STATE_DIR to the folder where userauth-svc\nwrote its " KEY_FILE
        " at its first start.",
        output_text(ctx, ctx->why.text));
}

enum cli_exit client_open(struct ctx *ctx,
                          const struct cli_config *config,
                          const struct place *places,
                          struct client *out_client)
{
    struct client client = {.id = config->user_service_id};
    memcpy(client.places, places, sizeof(client.places));
    enum cli_exit code = read_key(ctx, config, &client.key);
    if (code != CLI_EXIT_OK)
        return code;
    client.http = http_client_new();
    if (!client.http) {
        client_close(&client);
        return output_fail(ctx, CLI_EXIT_UNREACHABLE, "out of memory");
    }
    *out_client = client;
    return CLI_EXIT_OK;
}

void client_close(struct client *client)
{
    http_client_free(client->http);
    secret_done(&client->key);
    client->http = NULL;
}

/* ---- calls ---- */

/* A name of dots only is a way up the path for most HTTP software, unless they are encoded (and,
 * for some, even then). */
static void add_username(struct strbuf *path, const char *username)
{
    if (strspn(username, ".") != strlen(username)) {
        strbuf_add_url(path, username);
        return;
    }
    for (; *username; username++)
        strbuf_add(path, "%2E");
}

/* What is said of each service. */
static const struct {
    const char *program;
    const char *give; /* how its address is given */
} SERVICES[] = {
    [CLIENT_USERS] = {"userauth-svc", "with --url or " PLACE_USERS_SETTING},
    [CLIENT_NOTES] = {"notes-svc", "with " PLACE_NOTES_SETTING},
};

/* "http://127.0.0.1:3000 (from NOTES_URL)" */
static const char *shown_place(struct ctx *ctx, const struct place *place)
{
    return arena_format(&ctx->arena, "%s (%s)", output_text(ctx, place->url), place->source);
}

/* Servers of TLS answer without it with 400, if at all; others send on to https. */
static bool may_want_https(const struct place *place, int status)
{
    return !place->is_https && (status == 400 || (status >= 300 && status < 400));
}

enum cli_exit client_fail_nonsense(struct ctx *ctx,
                                   const struct client *client,
                                   enum client_service service,
                                   int status)
{
    const struct place *place = &client->places[service];
    const char *hint = may_want_https(place, status) ? " Does it want https:// instead?" : "";
    return output_fail(ctx, CLI_EXIT_UNREACHABLE,
                       "%s answers, but not like %s (status %d).\nGive the right address %s.%s",
                       shown_place(ctx, place), SERVICES[service].program, status,
                       SERVICES[service].give, hint);
}

static enum cli_exit
fail_unreachable(struct ctx *ctx, const struct place *place, enum client_service service)
{
    return output_fail(ctx, CLI_EXIT_UNREACHABLE, "can't reach %s: %s.\nIs %s running? %s %s.",
                       shown_place(ctx, place), output_text(ctx, ctx->why.text),
                       SERVICES[service].program,
                       place->is_here ? "Start it with ./dev run, or give its address"
                                      : "If it is elsewhere, give its address",
                       SERVICES[service].give);
}

/* There was no answer with a status. */
static enum cli_exit
fail_call(struct ctx *ctx, const struct client *client, enum client_service service)
{
    const struct place *place = &client->places[service];
    const char *shown = shown_place(ctx, place);
    const char *give = SERVICES[service].give;
    switch (http_client_fault(client->http)) {
    case HTTP_CLIENT_NO_TLS:
        return output_fail(ctx, CLI_EXIT_UNREACHABLE,
                           "%s does not speak TLS as https:// needs it: %s.\n"
                           "If it has no TLS, say http:// in its address, which is given %s.",
                           shown, output_text(ctx, ctx->why.text), give);
    case HTTP_CLIENT_UNTRUSTED:
        return output_fail(ctx, CLI_EXIT_UNREACHABLE,
                           "the certificate of %s is not trusted here: %s.\nLet this machine trust "
                           "who issued it, or give another address %s.",
                           shown, output_text(ctx, ctx->why.text), give);
    case HTTP_CLIENT_NO_HTTP:
    case HTTP_CLIENT_TOO_LARGE:
        return output_fail(ctx, CLI_EXIT_UNREACHABLE,
                           "%s takes connections, but does not answer as %s does: %s.\n"
                           "Give the right address %s.%s",
                           shown, SERVICES[service].program, output_text(ctx, ctx->why.text), give,
                           place->is_https ? "" : " Does it want https:// instead?");
    case HTTP_CLIENT_UNREACHED:
    case HTTP_CLIENT_LATE:
        break;
    }
    return fail_unreachable(ctx, place, service);
}

/* A status with which our services answer what this program asks. */
static bool is_of_service(int status)
{
    return status == 200 || status >= 500 ||
           (status >= 400 && status != err_status(ERR_FORBIDDEN) &&
            status != err_status(ERR_METHOD));
}

enum cli_exit client_send(struct ctx *ctx,
                          struct client *client,
                          const struct client_call *call,
                          struct http_answer *out_answer)
{
    struct strbuf url;
    const char *service_url = client->places[call->service].url;
    struct http_call request = {.method = call->method,
                                .basic_user = client->id,
                                .basic_password = &client->key,
                                .json_body = call->body,
                                .timeout_ms = CLIENT_TIMEOUT_MS,
                                .connect_ms = CLIENT_CONNECT_MS};
    strbuf_init(&url, &ctx->arena, 128, CLIENT_PATH_MAX_BYTES);
    strbuf_add(&url, service_url);
    strbuf_add(&url, call->path);
    if (call->username)
        add_username(&url, call->username);
    if (strbuf_text(&url, &request.url))
        return output_fail(ctx, CLI_EXIT_REFUSED,
                           "the address is too long: at most %d bytes with a name are sent",
                           CLIENT_PATH_MAX_BYTES);

    struct http_answer answer = {0};
    if (http_call(ctx, client->http, &request, &answer))
        return fail_call(ctx, client, call->service);
    if (answer.status == 401)
        return output_fail(
            ctx, CLI_EXIT_REFUSED,
            "%s refuses the API key of \"%s\".\nSet USER_SERVICE_ID and USER_SERVICE_KEY (or "
            "USER_SERVICE_KEY_FILE) to one of its keys,\nor STATE_DIR to its state folder.",
            shown_place(ctx, &client->places[call->service]), output_text(ctx, client->id));
    if (!is_of_service(answer.status) || !answer.is_json || !cli_wire_is_json(answer.body))
        return client_fail_nonsense(ctx, client, call->service, answer.status);
    if (answer.status >= 500)
        return output_fail(
            ctx, CLI_EXIT_UNREACHABLE,
            "%s has a problem: %s\nTry again in %lld s, or see its log (request %s).",
            shown_place(ctx, &client->places[call->service]), cli_wire_message(ctx, answer.body),
            (long long)(answer.retry_after_s > 0 ? answer.retry_after_s : 1), ctx->request_id);
    *out_answer = answer;
    return CLI_EXIT_OK;
}

enum cli_exit
client_explain(struct ctx *ctx, const struct http_answer *answer, const char *username)
{
    const char *shown = output_text(ctx, username);
    if (answer->status == 404)
        return output_fail(ctx, CLI_EXIT_REFUSED,
                           "there is no user \"%s\". See all with: userauth-cli list-users", shown);
    if (answer->status == 409)
        return output_fail(ctx, CLI_EXIT_REFUSED,
                           "a user \"%s\" exists already. Change it with: userauth-cli update %s",
                           shown, shown);
    if (answer->status == 429)
        return output_fail(ctx, CLI_EXIT_REFUSED,
                           "too many tries for \"%s\". Wait %lld s before the next one, "
                           "also with the right password.",
                           shown, (long long)answer->retry_after_s);
    return output_fail(ctx, CLI_EXIT_REFUSED, "the service refuses this (%d): %s", answer->status,
                       cli_wire_message(ctx, answer->body));
}

/* SPDX-License-Identifier: MIT
 *
 * Depends on: client.h, cli_wire.h, options.h, output.h, parse.h, strbuf.h,
 * password_rules.h. */
#include "cli/client.h"

#include <string.h>

#include "base/ctx.h"
#include "base/parse.h"
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
    {.name = "USER_SERVICE_URL", .at = TEXT(user_service_url), .fallback = "http://127.0.0.1:5858",
     .help = "where userauth-svc answers"},
    {.name = "USER_SERVICE_ID", .at = TEXT(user_service_id), .fallback = "them",
     .help = "name of our API key"},
    {.name = "USER_SERVICE_KEY", .at = SECRET(user_service_key),
     .help = "our API key; unset: read from STATE_DIR/userauth.key"},
    {.name = "STATE_DIR", .at = TEXT(state_dir), .fallback = "./var",
     .help = "folder of the key that userauth-svc made"},
    {.name = "NOTES_URL", .at = TEXT(notes_url), .fallback = "http://127.0.0.1:3000",
     .help = "where notes-svc answers, which knows the sessions"},
    {.name = "PASSWORD_MIN_CHARS", .at = I64(password_min_chars), .fallback = PASSWORD_MIN_CHARS_DEFAULT,
     .min = PASSWORD_MIN_CHARS_LEAST, .max = PASSWORD_MIN_CHARS_MOST,
     .help = "a new password with fewer characters gets a warning"},
};
/* clang-format on */
const size_t client_settings_count = ARRAY_COUNT(client_settings);

/* ---- where the service is ---- */

struct place {
    const char *scheme; /* "http" */
    const char *host;   /* with brackets around IPv6 */
    const char *port;   /* "" when there is none */
    const char *prefix; /* "/users", "" when there is none */
};

static bool is_port(const char *text)
{
    int64_t port = 0;
    return parse_i64(text, 1, 65535, &port);
}

/* Letters, digits and what else stands in names and addresses; no "@", so no credentials. */
static bool is_host(const char *text)
{
    size_t size_bytes = strlen(text);
    size_t good_bytes =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]");
    bool has_brackets = text[0] == '[' && text[size_bytes - 1] == ']';
    return size_bytes > 0 && good_bytes == size_bytes && (has_brackets || !strpbrk(text, ":[]"));
}

/* http://HOST[:PORT][/PREFIX], likewise https. */
static bool place_parse(struct arena *arena, const char *url, struct place *out_place)
{
    struct place place = {0};
    if (text_starts_with(url, "http://"))
        place.scheme = "http";
    else if (text_starts_with(url, "https://"))
        place.scheme = "https";
    else
        return false;
    const char *start = url + strlen(place.scheme) + 3;
    size_t authority_bytes = strcspn(start, "/");
    char *host = arena_text_copy(arena, start, authority_bytes);
    char *prefix = arena_text(arena, start + authority_bytes);
    size_t prefix_bytes = strlen(prefix);
    if (prefix_bytes > 0 && prefix[prefix_bytes - 1] == '/')
        prefix[prefix_bytes - 1] = '\0';
    place.port = "";
    char *bracket = strrchr(host, ']');
    char *colon = strrchr(host, ':');
    if (colon && (!bracket || colon > bracket)) {
        *colon = '\0';
        place.port = colon + 1;
        if (!is_port(place.port))
            return false;
    }
    place.host = host;
    place.prefix = prefix;
    if (!is_host(host) || strpbrk(prefix, "?#@ \\") || text_has_control(prefix, ""))
        return false;
    *out_place = place;
    return true;
}

static const char *place_url(struct arena *arena, const struct place *place)
{
    return arena_format(arena, "%s://%s%s%s%s", place->scheme, place->host,
                        place->port[0] ? ":" : "", place->port, place->prefix);
}

void client_config_check(const struct cli_config *config, struct env_faults *faults)
{
    struct place place;
    if (!place_parse(faults->arena, config->user_service_url, &place))
        env_fault(faults, "USER_SERVICE_URL", "it is not like http://127.0.0.1:5858");
    if (!place_parse(faults->arena, config->notes_url, &place))
        env_fault(faults, "NOTES_URL", "it is not like http://127.0.0.1:3000");
}

enum cli_exit client_url(struct ctx *ctx,
                         const struct cli_config *config,
                         const struct cli_options *options,
                         const char **out_url)
{
    struct place place = {0};
    if (options->url && !place_parse(&ctx->arena, options->url, &place))
        return output_fail_usage(ctx, "--url: \"%s\" is not like http://127.0.0.1:5858",
                                 output_text(ctx, options->url));
    if (options->port && !is_port(options->port))
        return output_fail_usage(ctx, "--port: \"%s\" is no number from 1 to 65535",
                                 output_text(ctx, options->port));
    const char *host = options->host;
    if (host && strchr(host, ':') && host[0] != '[')
        host = arena_format(&ctx->arena, "[%s]", host);
    if (host && !is_host(host))
        return output_fail_usage(ctx, "--host: \"%s\" is no name or address",
                                 output_text(ctx, options->host));
    if (!options->url) {
        if (!place_parse(&ctx->arena, config->user_service_url, &place))
            return output_fail(ctx, CLI_EXIT_USAGE,
                               "USER_SERVICE_URL: it is not like http://127.0.0.1:5858");
        place.host = host ? host : place.host;
        place.port = options->port ? options->port : place.port;
    }
    *out_url = place_url(&ctx->arena, &place);
    return CLI_EXIT_OK;
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
        "or set STATE_DIR to the folder where userauth-svc\nwrote %s at its first start.",
        output_text(ctx, ctx->why.text), output_text(ctx, path));
}

enum cli_exit
client_open(struct ctx *ctx, const struct cli_config *config, struct client *out_client)
{
    struct client client = {.urls = {[CLIENT_USERS] = config->user_service_url},
                            .id = config->user_service_id};
    struct place notes = {0};
    if (!place_parse(&ctx->arena, config->notes_url, &notes))
        return output_fail(ctx, CLI_EXIT_USAGE, "NOTES_URL: it is not like http://127.0.0.1:3000");
    client.urls[CLIENT_NOTES] = place_url(&ctx->arena, &notes);
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
    const char *give_right; /* its address */
    const char *start;
    const char *give_elsewhere;
} SERVICES[] = {
    [CLIENT_USERS] = {"userauth-svc", "Give the right address with --url.",
                      "Start it with ./dev run, or give its address with --url.",
                      "If it is elsewhere, give its address with --url."},
    [CLIENT_NOTES] = {"notes-svc", "Set NOTES_URL to the right address.",
                      "Start it with ./dev run, or set NOTES_URL to its address.",
                      "If it is elsewhere, set NOTES_URL to its address."},
};

enum cli_exit client_fail_nonsense(struct ctx *ctx,
                                   const struct client *client,
                                   enum client_service service,
                                   int status)
{
    return output_fail(ctx, CLI_EXIT_UNREACHABLE, "%s answers, but not like %s (status %d). %s",
                       output_text(ctx, client->urls[service]), SERVICES[service].program, status,
                       SERVICES[service].give_right);
}

/* Only what is to run on this very machine can be started here. */
static bool is_loopback(struct ctx *ctx, const char *url)
{
    struct place place = {0};
    if (!place_parse(&ctx->arena, url, &place))
        return false;
    return text_equals_nocase(place.host, "localhost") || text_equals(place.host, "[::1]") ||
           (text_starts_with(place.host, "127.") &&
            strspn(place.host, "0123456789.") == strlen(place.host));
}

static enum cli_exit
fail_unreachable(struct ctx *ctx, const struct client *client, enum client_service service)
{
    const char *url = client->urls[service];
    const char *advice =
        is_loopback(ctx, url) ? SERVICES[service].start : SERVICES[service].give_elsewhere;
    return output_fail(ctx, CLI_EXIT_UNREACHABLE, "can't reach %s: %s.\nIs %s running? %s",
                       output_text(ctx, url), output_text(ctx, ctx->why.text),
                       SERVICES[service].program, advice);
}

enum cli_exit client_send(struct ctx *ctx,
                          struct client *client,
                          const struct client_call *call,
                          struct http_answer *out_answer)
{
    struct strbuf url;
    const char *service_url = client->urls[call->service];
    struct http_call request = {.method = call->method,
                                .basic_user = client->id,
                                .basic_password = &client->key,
                                .json_body = call->body,
                                .timeout_ms = CLIENT_TIMEOUT_MS};
    strbuf_init(&url, &ctx->arena, 128, CLIENT_PATH_MAX_BYTES);
    strbuf_add(&url, service_url);
    strbuf_add(&url, call->path);
    if (call->username)
        add_username(&url, call->username);
    if (strbuf_text(&url, &request.url))
        return output_fail(ctx, CLI_EXIT_REFUSED,
                           "the name is too long: a username has 64 characters at most");

    struct http_answer answer = {0};
    if (http_call(ctx, client->http, &request, &answer))
        return fail_unreachable(ctx, client, call->service);
    if (answer.status == 401)
        return output_fail(
            ctx, CLI_EXIT_REFUSED,
            "%s refuses the API key of \"%s\".\nSet USER_SERVICE_ID and USER_SERVICE_KEY (or "
            "USER_SERVICE_KEY_FILE) to one of its keys,\nor STATE_DIR to its state folder.",
            output_text(ctx, service_url), output_text(ctx, client->id));
    if (!answer.is_json || !cli_wire_is_json(answer.body))
        return client_fail_nonsense(ctx, client, call->service, answer.status);
    if (answer.status >= 500)
        return output_fail(
            ctx, CLI_EXIT_UNREACHABLE,
            "%s has a problem: %s\nTry again in %lld s, or see its log (request %s).",
            output_text(ctx, service_url), cli_wire_message(ctx, answer.body),
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

/* SPDX-License-Identifier: MIT
 *
 * What each command sends, and what it prints of the answer.
 * Source: user/cli.mjs of the Node original: names of commands and options.
 * Depends on: access_commands.h, answer.h, client.h, cli_wire.h, identity_commands.h, options.h,
 * output.h, prompt.h, table.h, password_rules.h. */
#include "cli/commands.h"

#include <string.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/access_commands.h"
#include "cli/answer.h"
#include "cli/cli_wire.h"
#include "cli/client.h"
#include "cli/identity_commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "cli/table.h"
#include "rules/password_rules.h"

#define PAGE_PATH \
    "/list?limit=200" /* so few that a page fits the client's limit whatever is in it */
#define PAGES_MAX_COUNT 100000

/* ---- passwords ---- */

static enum cli_exit fail_password(struct ctx *ctx, enum err err)
{
    if (err == ERR_UNAVAILABLE)
        return output_fail_usage(ctx, "%s; give the password with --password-stdin", ctx->why.text);
    return output_fail(ctx, CLI_EXIT_USAGE, "%s", ctx->why.text);
}

static enum cli_exit ask_twice(struct ctx *ctx, const char **out_password)
{
    const char *again = NULL;
    enum err err = prompt_password(ctx, "New password: ", out_password);
    if (!err)
        err = prompt_password(ctx, "The same password again: ", &again);
    if (err)
        return fail_password(ctx, err);
    if (!text_equals(*out_password, again))
        return output_fail(ctx, CLI_EXIT_USAGE, "the two passwords differ; nothing was changed");
    return CLI_EXIT_OK;
}

/* From the options, standard input, or the person at the terminal. */
static enum cli_exit new_password(struct cli_run *run, const char **out_password)
{
    const struct cli_options *options = run->options;
    enum cli_exit code = CLI_EXIT_OK;
    enum err err = ERR_OK;
    if (options->password)
        *out_password = options->password;
    else if (options->reads_stdin)
        err = prompt_read_stdin(run->ctx, out_password);
    else
        code = ask_twice(run->ctx, out_password);
    if (err)
        return fail_password(run->ctx, err);
    if (code == CLI_EXIT_OK && (*out_password)[0] == '\0')
        return output_fail(run->ctx, CLI_EXIT_USAGE, "the password must not be empty");
    return code;
}

/* After the service took it: a refusal says what matters then. Whoever has a key may set any. */
static void warn_weak(struct cli_run *run, const char *password)
{
    enum password_fault fault = password ? password_rules_judge(password, run->options->operands[0],
                                                                run->password_min_chars)
                                         : PASSWORD_FINE;
    if (fault)
        (void)output_fail(run->ctx, CLI_EXIT_OK, "warning: the password %s",
                          password_rules_text(&run->ctx->arena, fault, run->password_min_chars));
}

/* ---- commands ---- */

static enum cli_exit ask_user(struct cli_run *run,
                              const char *path,
                              const char *password,
                              bool is_update,
                              struct http_answer *out_answer)
{
    const char *username = run->options->operands[0];
    struct client_call call = {
        .method = "POST", .path = path, .username = is_update ? username : NULL};
    if (cli_wire_user(run->ctx, run->options, is_update ? NULL : username, password, &call.body))
        return output_fail_usage(run->ctx, "the texts are too long, or not valid UTF-8 (%s)",
                                 run->ctx->why.field ? run->ctx->why.field : "all together");
    return client_send(run->ctx, run->client, &call, out_answer);
}

static enum cli_exit
send_user(struct cli_run *run, const char *path, const char *password, bool is_update)
{
    struct http_answer answer = {0};
    enum cli_exit code = ask_user(run, path, password, is_update, &answer);
    return code == CLI_EXIT_OK ? answer_print_user(run, &answer) : code;
}

/* And the password is the user's afterwards. */
static enum cli_exit
send_password(struct cli_run *run, const char *path, const char *password, bool is_update)
{
    enum cli_exit code = send_user(run, path, password, is_update);
    if (code == CLI_EXIT_OK)
        warn_weak(run, password);
    return code;
}

static enum cli_exit add_run(struct cli_run *run)
{
    const char *password = NULL;
    enum cli_exit code = new_password(run, &password);
    return code == CLI_EXIT_OK ? send_password(run, "/create-user", password, false) : code;
}

/* A password is asked for only when it turns out that one is needed; of who is there already it is
 * not set, and so not judged. */
static enum cli_exit find_or_create_run(struct cli_run *run)
{
    const char *password = NULL;
    struct http_answer answer = {0};
    enum cli_exit code = answer_find(run, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    bool is_new = answer.status == 404;
    if (!is_new && !run->options->password && !run->options->reads_stdin)
        return answer_print_user(run, &answer);
    code = new_password(run, &password);
    if (code != CLI_EXIT_OK)
        return code;
    return is_new ? send_password(run, "/find-or-create", password, false)
                  : send_user(run, "/find-or-create", password, false);
}

/* Without any option it is the password that is to be changed. */
static enum cli_exit update_run(struct cli_run *run)
{
    const struct cli_options *options = run->options;
    const char *password = NULL;
    enum cli_exit code = CLI_EXIT_OK;
    bool has_fields = options->family_name || options->given_name || options->middle_name ||
                      options->emails.count > 0;
    bool has_password = options->password || options->reads_stdin;
    if (!has_fields && !has_password && !prompt_has_terminal())
        return output_fail_usage(
            run->ctx, "nothing to change: give --password-stdin, --email or another option");
    if (has_password || !has_fields)
        code = new_password(run, &password);
    return code == CLI_EXIT_OK ? send_password(run, "/update-user/", password, true) : code;
}

static enum cli_exit set_password_run(struct cli_run *run)
{
    const char *password = NULL;
    struct http_answer answer = {0};
    struct shown_user user = {0};
    enum cli_exit code = new_password(run, &password);
    if (code == CLI_EXIT_OK)
        code = ask_user(run, "/update-user/", password, true, &answer);
    if (code == CLI_EXIT_OK)
        code = answer_read_user(run, &answer, &user);
    if (code == CLI_EXIT_OK)
        code = answer_print_done(run, &answer, "The password of", user.username,
                                 "is set, and all sessions end within a minute");
    if (code == CLI_EXIT_OK)
        warn_weak(run, password);
    return code;
}

static enum cli_exit find_run(struct cli_run *run)
{
    struct http_answer answer = {0};
    enum cli_exit code = answer_find(run, &answer);
    return code == CLI_EXIT_OK ? answer_print_user(run, &answer) : code;
}

static enum cli_exit destroy_run(struct cli_run *run)
{
    const char *username = run->options->operands[0];
    const struct client_call call = {.method = "DELETE", .path = "/destroy/", .username = username};
    struct http_answer answer = {0};
    enum cli_exit code = client_send(run->ctx, run->client, &call, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    if (answer.status != 200)
        return answer_refuse(run, &answer);
    return answer_print_done(run, &answer, "The user", username, "is destroyed");
}

/* "/list?after=…" of `</list?after=…>; rel="next"`, NULL when there is no such link. */
static const char *next_page(struct ctx *ctx, const char *link)
{
    if (!link || !text_starts_with(link, "</list?") || !strstr(link, "rel=\"next\""))
        return NULL;
    size_t size_bytes = strcspn(link + 1, ">");
    return arena_text_copy(&ctx->arena, link + 1, size_bytes);
}

/* The elements of a JSON array's text, without its brackets. The text was parsed before. */
static void add_elements(struct strbuf *json, struct bytes body)
{
    const char *start = memchr(body.p, '[', body.n);
    const char *end = memrchr(body.p, ']', body.n);
    if (!start || !end || end <= start)
        return;
    output_add_json(json, arena_text_copy(json->arena, start + 1, (size_t)(end - start - 1)));
}

/* All pages, one after the other, as one table or as one array. */
struct listing {
    struct shown_user *items;
    size_t count;
    size_t capacity_count;
    struct strbuf json;
};

static void add_page(struct ctx *ctx,
                     struct listing *listing,
                     const struct shown_users *page,
                     struct bytes body)
{
    if (listing->count + page->count > listing->capacity_count) {
        size_t capacity_count = (listing->count + page->count) * 2;
        struct shown_user *items = arena_take_array(&ctx->arena, capacity_count, sizeof(*items));
        if (listing->count > 0)
            memcpy(items, listing->items, listing->count * sizeof(*items));
        listing->items = items;
        listing->capacity_count = capacity_count;
    }
    if (page->count > 0) {
        strbuf_add(&listing->json, listing->count > 0 ? "," : "");
        add_elements(&listing->json, body);
        memcpy(listing->items + listing->count, page->items, page->count * sizeof(*page->items));
    }
    listing->count += page->count;
}

/* Does the page go on where the one before ended? Pages that lead in a circle would never end. */
static bool goes_on(struct ctx *ctx, const struct listing *listing, const struct shown_users *page)
{
    if (listing->count == 0 || page->count == 0)
        return true;
    const char *last = text_lower(&ctx->arena, listing->items[listing->count - 1].username);
    return strcmp(last, text_lower(&ctx->arena, page->items[0].username)) < 0;
}

static enum cli_exit fetch_pages(struct cli_run *run, struct listing *listing)
{
    struct client_call call = {.method = "GET", .path = PAGE_PATH};
    for (size_t i = 0; call.path && i < PAGES_MAX_COUNT; i++) {
        struct http_answer answer = {0};
        struct shown_users page = {0};
        enum cli_exit code = client_send(run->ctx, run->client, &call, &answer);
        if (code != CLI_EXIT_OK)
            return code;
        if (answer.status != 200 && answer.status != 404) /* a list is there, always */
            return answer_refuse(run, &answer);
        if (answer.status == 404 || answer.body.n == 0 || answer.body.p[0] != '[' ||
            cli_wire_read(run->ctx, answer.body, &page) || !goes_on(run->ctx, listing, &page))
            return client_fail_nonsense(run->ctx, run->client, CLIENT_USERS, answer.status);
        add_page(run->ctx, listing, &page, answer.body);
        call.path = page.count > 0 ? next_page(run->ctx, answer.link) : NULL;
    }
    return CLI_EXIT_OK;
}

static enum cli_exit list_users_run(struct cli_run *run)
{
    struct listing listing = {0};
    struct strbuf buf;
    strbuf_init(&listing.json, &run->ctx->arena, 512, OUTPUT_MAX_BYTES);
    strbuf_add_char(&listing.json, '[');
    enum cli_exit code = fetch_pages(run, &listing);
    if (code != CLI_EXIT_OK)
        return code;
    strbuf_add(&listing.json, "]\n");
    if (run->options->is_json)
        return answer_print(run, &listing.json);
    strbuf_init(&buf, &run->ctx->arena, 512, OUTPUT_MAX_BYTES);
    if (listing.count == 0)
        strbuf_add(&buf, "There are no users yet. Make one with: " CLI_NAME " add USER\n");
    else
        table_add_users(run->ctx, &buf,
                        &(struct shown_users){.items = listing.items, .count = listing.count});
    return answer_print(run, &buf);
}

static enum cli_exit known_password(struct cli_run *run, const char **out_password)
{
    enum err err = ERR_OK;
    if (run->options->operands_count > 1)
        *out_password = run->options->operands[1];
    else if (run->options->reads_stdin)
        err = prompt_read_stdin(run->ctx, out_password);
    else
        err = prompt_password(run->ctx, "Password: ", out_password);
    return err ? fail_password(run->ctx, err) : CLI_EXIT_OK;
}

static enum cli_exit password_check_run(struct cli_run *run)
{
    const char *password = NULL;
    struct client_call call = {.method = "POST", .path = "/password-check"};
    struct http_answer answer = {0};
    struct strbuf buf;
    enum cli_exit code = known_password(run, &password);
    if (code != CLI_EXIT_OK)
        return code;
    if (cli_wire_check(run->ctx, run->options->operands[0], password, &call.body))
        return output_fail_usage(run->ctx, "the texts are too long, or not valid UTF-8");
    code = client_send(run->ctx, run->client, &call, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    if (answer.status != 200)
        return answer_refuse(run, &answer);
    bool is_right = cli_wire_is_right(answer.body);
    if (run->options->is_json) {
        code = answer_print_json(run, answer.body);
        return code == CLI_EXIT_OK && !is_right ? CLI_EXIT_REFUSED : code;
    }
    if (!is_right)
        return output_fail(run->ctx, CLI_EXIT_REFUSED, "%s",
                           cli_wire_message(run->ctx, answer.body));
    strbuf_init(&buf, &run->ctx->arena, 64, OUTPUT_MAX_BYTES);
    strbuf_add(&buf, "The password is right.\n");
    return answer_print(run, &buf);
}

/* clang-format off */
const struct cli_command commands[] = {
    {"add", "USER", 1, 1, CLI_TAKES_FIELDS, add_run, "make a user"},
    {"find-or-create", "USER", 1, 1, CLI_TAKES_FIELDS, find_or_create_run, "show a user, made if need be"},
    {"update", "USER", 1, 1, CLI_TAKES_FIELDS, update_run, "change what options say, or else the password"},
    {"set-password", "USER", 1, 1, CLI_TAKES_STDIN, set_password_run, "set another password, and end all sessions"},
    {"disable", "USER", 1, 1, 0, access_disable_run, "keep a user out, and end all sessions"},
    {"enable", "USER", 1, 1, 0, access_enable_run, "let a disabled user sign in again"},
    {"sessions", "USER", 1, 1, 0, access_sessions_run, "show where a user is signed in"},
    {"revoke", "USER [SESSION-ID]", 1, 2, 0, access_revoke_run, "end all sessions of a user, or one"},
    {"identities", "USER", 1, 1, 0, identity_list_run, "show by which accounts elsewhere one signs in"},
    {"link", "USER ISSUER SUBJECT", 3, 3, 0, identity_link_run, "let a user sign in by an account elsewhere"},
    {"unlink", "USER ISSUER SUBJECT", 3, 3, 0, identity_unlink_run, "no longer let a user sign in by that account"},
    {"destroy", "USER", 1, 1, 0, destroy_run, "remove a user; nothing is asked"},
    {"find", "USER", 1, 1, 0, find_run, "show a user"},
    {"list-users", "", 0, 0, 0, list_users_run, "show all users, by name"},
    {"password-check", "USER [PASSWORD]", 1, 2, CLI_TAKES_STDIN | CLI_TAKES_SECRET, password_check_run,
     "say whether it is the right password"},
};
/* clang-format on */
const size_t commands_count = ARRAY_COUNT(commands);

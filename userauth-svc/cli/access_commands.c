/* SPDX-License-Identifier: MIT
 *
 * Depends on: answer.h, client.h, cli_wire.h, commands.h, options.h, output.h, table.h. */
#include "cli/access_commands.h"

#include <string.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "cli/answer.h"
#include "cli/cli_wire.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"

#define SESSIONS_PATH        "/users/sessions"
#define SESSION_ID_MAX_CHARS 128

/* ---- who may sign in ---- */

static enum cli_exit post_user(struct cli_run *run, const char *path)
{
    const struct client_call call = {
        .method = "POST", .path = path, .username = run->options->operands[0]};
    struct http_answer answer = {0};
    enum cli_exit code = client_send(run->ctx, run->client, &call, &answer);
    return code == CLI_EXIT_OK ? answer_print_user(run, &answer) : code;
}

enum cli_exit access_disable_run(struct cli_run *run)
{
    return post_user(run, "/disable/");
}

enum cli_exit access_enable_run(struct cli_run *run)
{
    return post_user(run, "/enable/");
}

/* ---- who is signed in ---- */

/* As the user service has the name. */
static enum cli_exit stored_name(struct cli_run *run, const char **out_name)
{
    struct http_answer answer = {0};
    struct shown_user user = {0};
    enum cli_exit code = answer_find(run, &answer);
    if (code == CLI_EXIT_OK)
        code = answer_read_user(run, &answer, &user);
    if (code == CLI_EXIT_OK)
        *out_name = user.username;
    return code;
}

static enum cli_exit
print_sessions(struct cli_run *run, const char *name, const struct http_answer *answer)
{
    struct shown_sessions sessions = {0};
    struct strbuf buf;
    if (cli_wire_read_sessions(run->ctx, answer->body, &sessions))
        return client_fail_nonsense(run->ctx, run->client, CLIENT_NOTES, answer->status);
    if (run->options->is_json)
        return answer_print_json(run, answer->body);
    if (sessions.count == 0)
        return answer_print_done(run, answer, "The user", name, "is not signed in anywhere");
    strbuf_init(&buf, &run->ctx->arena, 512, OUTPUT_MAX_BYTES);
    table_add_sessions(run->ctx, &buf, &sessions);
    return answer_print(run, &buf);
}

/* notes-svc has a list for any name. */
static enum cli_exit
ask_sessions(struct cli_run *run, const char *name, struct http_answer *out_answer)
{
    const struct client_call call = {.service = CLIENT_NOTES,
                                     .method = "GET",
                                     .path = SESSIONS_PATH "?username=",
                                     .username = name};
    enum cli_exit code = client_send(run->ctx, run->client, &call, out_answer);
    if (code == CLI_EXIT_OK && out_answer->status == 404)
        return client_fail_nonsense(run->ctx, run->client, CLIENT_NOTES, 404);
    return code;
}

enum cli_exit access_sessions_run(struct cli_run *run)
{
    const char *name = NULL;
    struct http_answer answer = {0};
    enum cli_exit code = stored_name(run, &name);
    if (code == CLI_EXIT_OK)
        code = ask_sessions(run, name, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    return answer.status == 200 ? print_sessions(run, name, &answer) : answer_refuse(run, &answer);
}

static enum cli_exit revoke_all(struct cli_run *run)
{
    const char *name = run->options->operands[0];
    const struct client_call call = {.method = "POST", .path = "/revoke/", .username = name};
    struct http_answer answer = {0};
    enum cli_exit code = client_send(run->ctx, run->client, &call, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    if (answer.status != 200)
        return answer_refuse(run, &answer);
    return answer_print_done(run, &answer, "All sessions of", name, "end within a minute");
}

/* A session that is not there is another 404 than a user who is not there, or a wrong address. */
static enum cli_exit
refuse_session(struct cli_run *run, const char *name, const struct http_answer *answer)
{
    struct http_answer listed = {0};
    if (answer->status != 404)
        return answer_refuse(run, answer);
    enum cli_exit code = ask_sessions(run, name, &listed);
    if (code == CLI_EXIT_OK && run->options->is_json)
        code = answer_print_json(run, answer->body);
    const char *shown = output_text(run->ctx, name);
    return code != CLI_EXIT_OK
               ? code
               : output_fail(run->ctx, CLI_EXIT_REFUSED,
                             "\"%s\" has no session %s. See all with: userauth-cli sessions %s",
                             shown, run->options->operands[1], shown);
}

/* `id` is of hexadecimal digits. */
static enum cli_exit revoke_one(struct cli_run *run, const char *id)
{
    struct client_call call = {
        .service = CLIENT_NOTES,
        .method = "DELETE",
        .path = arena_format(&run->ctx->arena, SESSIONS_PATH "/%s?username=", id)};
    struct http_answer answer = {0};
    enum cli_exit code = stored_name(run, &call.username);
    if (code == CLI_EXIT_OK)
        code = client_send(run->ctx, run->client, &call, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    if (answer.status != 200)
        return refuse_session(run, call.username, &answer);
    return answer_print_done(run, &answer, "That session of", call.username, "has ended");
}

enum cli_exit access_revoke_run(struct cli_run *run)
{
    if (run->options->operands_count < 2)
        return revoke_all(run);
    const char *id = run->options->operands[1];
    size_t size_bytes = strlen(id);
    if (size_bytes < 1 || size_bytes > SESSION_ID_MAX_CHARS ||
        strspn(id, "0123456789abcdefABCDEF") != size_bytes)
        return output_fail_usage(
            run->ctx, "\"%s\" is no id of a session; " CLI_NAME " sessions USER shows them",
            output_text(run->ctx, id));
    return revoke_one(run, id);
}

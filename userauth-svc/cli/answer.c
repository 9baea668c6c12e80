/* SPDX-License-Identifier: MIT
 *
 * Depends on: client.h, cli_wire.h, options.h, output.h, table.h. */
#include "cli/answer.h"

#include "base/ctx.h"
#include "base/strbuf.h"
#include "cli/cli_wire.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"

enum cli_exit answer_print(struct cli_run *run, const struct strbuf *buf)
{
    return output_write(buf)
               ? CLI_EXIT_OK
               : output_fail(run->ctx, CLI_EXIT_REFUSED, "can't write to standard output");
}

enum cli_exit answer_print_json(struct cli_run *run, struct bytes body)
{
    struct strbuf buf;
    strbuf_init(&buf, &run->ctx->arena, body.n + 2, OUTPUT_MAX_BYTES);
    output_add_json(&buf, (const char *)body.p);
    strbuf_add_char(&buf, '\n');
    return answer_print(run, &buf);
}

enum cli_exit answer_find(struct cli_run *run, struct http_answer *out_answer)
{
    const struct client_call call = {
        .method = "GET", .path = "/find/", .username = run->options->operands[0]};
    enum cli_exit code = client_send(run->ctx, run->client, &call, out_answer);
    if (code == CLI_EXIT_OK && out_answer->status == 404 && !cli_wire_is_empty(out_answer->body))
        return client_fail_nonsense(run->ctx, run->client, CLIENT_USERS, 404);
    return code;
}

/* Any service answers 404 to what it does not know. Only that of /find is unlike all others, so it
 * is asked whether somebody is missing or the address is wrong. */
static enum cli_exit check_absence(struct cli_run *run, const struct http_answer *answer)
{
    struct http_answer found = {0};
    bool is_known = cli_wire_is_empty(answer->body) || run->options->operands_count == 0;
    return is_known ? CLI_EXIT_OK : answer_find(run, &found);
}

enum cli_exit answer_refuse(struct cli_run *run, const struct http_answer *answer)
{
    enum cli_exit code = answer->status == 404 ? check_absence(run, answer) : CLI_EXIT_OK;
    if (code == CLI_EXIT_OK && run->options->is_json)
        code = answer_print_json(run, answer->body);
    if (code != CLI_EXIT_OK)
        return code;
    const char *username = run->options->operands_count ? run->options->operands[0] : "";
    return client_explain(run->ctx, answer, username);
}

enum cli_exit
answer_read_user(struct cli_run *run, const struct http_answer *answer, struct shown_user *out_user)
{
    struct shown_users users = {0};
    if (answer->status != 200)
        return answer_refuse(run, answer);
    if (cli_wire_read(run->ctx, answer->body, &users) || users.count != 1)
        return client_fail_nonsense(run->ctx, run->client, CLIENT_USERS, answer->status);
    *out_user = users.items[0];
    return CLI_EXIT_OK;
}

enum cli_exit answer_print_user(struct cli_run *run, const struct http_answer *answer)
{
    struct shown_user user = {0};
    struct strbuf buf;
    enum cli_exit code = answer_read_user(run, answer, &user);
    if (code != CLI_EXIT_OK)
        return code;
    if (run->options->is_json)
        return answer_print_json(run, answer->body);
    strbuf_init(&buf, &run->ctx->arena, 512, OUTPUT_MAX_BYTES);
    table_add_user(run->ctx, &buf, &user);
    return answer_print(run, &buf);
}

enum cli_exit answer_print_done(struct cli_run *run,
                                const struct http_answer *answer,
                                const char *before,
                                const char *name,
                                const char *after)
{
    struct strbuf buf;
    if (run->options->is_json)
        return answer_print_json(run, answer->body);
    strbuf_init(&buf, &run->ctx->arena, 128, OUTPUT_MAX_BYTES);
    strbuf_add(&buf, before);
    strbuf_add(&buf, " \"");
    output_add(&buf, name);
    strbuf_add(&buf, "\" ");
    strbuf_add(&buf, after);
    strbuf_add(&buf, ".\n");
    return answer_print(run, &buf);
}

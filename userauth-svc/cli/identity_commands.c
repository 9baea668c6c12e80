/* SPDX-License-Identifier: MIT
 *
 * Depends on: answer.h, client.h, cli_wire.h, commands.h, options.h, output.h, table.h. */
#include "cli/identity_commands.h"

#include <string.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/cli_wire.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/table.h"

#define ISSUER_TWITTER "twitter" /* also what that provider is called; any other is of OpenID */
#define PROVIDER_OIDC  "oidc"

static enum cli_exit print_identities(struct cli_run *run, const struct http_answer *answer)
{
    struct shown_identities identities = {0};
    struct strbuf buf;
    if (cli_wire_read_identities(run->ctx, answer->body, &identities))
        return client_fail_nonsense(run->ctx, run->client, CLIENT_USERS, answer->status);
    if (run->options->is_json)
        return answer_print_json(run, answer->body);
    if (identities.count == 0)
        return answer_print_done(run, answer, "The user", identities.username,
                                 "has no account elsewhere");
    strbuf_init(&buf, &run->ctx->arena, 512, OUTPUT_MAX_BYTES);
    table_add_identities(run->ctx, &buf, &identities);
    if (!identities.has_password)
        strbuf_add(&buf, "There is no password, so the last one can't be unlinked.\n");
    return answer_print(run, &buf);
}

/* What the service says of an identity is more than its status does. */
static enum cli_exit refuse(struct cli_run *run, const struct http_answer *answer)
{
    bool is_taken = answer->status == 409 && cli_wire_has_code(answer->body, "IdentityTaken");
    bool is_of_identity =
        answer->status == 409 ||
        (answer->status == 404 && cli_wire_has_code(answer->body, "IdentityNotLinked"));
    if (!is_of_identity)
        return answer_refuse(run, answer);
    enum cli_exit code = run->options->is_json ? answer_print_json(run, answer->body) : CLI_EXIT_OK;
    if (code != CLI_EXIT_OK)
        return code;
    const char *message = cli_wire_message(run->ctx, answer->body);
    if (is_taken)
        return output_fail(run->ctx, CLI_EXIT_REFUSED,
                           "%s See the users with: " CLI_NAME " list-users", message);
    return output_fail(run->ctx, CLI_EXIT_REFUSED, "%s See all with: " CLI_NAME " identities %s",
                       message, output_text(run->ctx, run->options->operands[0]));
}

static enum cli_exit ask(struct cli_run *run, const struct client_call *call)
{
    struct http_answer answer = {0};
    enum cli_exit code = client_send(run->ctx, run->client, call, &answer);
    if (code != CLI_EXIT_OK)
        return code;
    return answer.status == 200 ? print_identities(run, &answer) : refuse(run, &answer);
}

enum cli_exit identity_list_run(struct cli_run *run)
{
    return ask(run, &(struct client_call){.method = "GET",
                                          .path = "/identities/",
                                          .username = run->options->operands[0]});
}

/* `provider` may be NULL. */
static enum cli_exit change(struct cli_run *run, const char *path, const char *provider)
{
    const char *const *operands = run->options->operands;
    struct client_call call = {.method = "POST", .path = path, .username = operands[0]};
    if (cli_wire_identity(run->ctx, operands[1], operands[2], provider, &call.body))
        return output_fail_usage(run->ctx, "the texts are too long, or not valid UTF-8");
    return ask(run, &call);
}

/* By a name, which is what is at hand, nobody could ever sign in. */
static bool is_twitter_number(const char *subject)
{
    return subject[0] && strspn(subject, "0123456789") == strlen(subject);
}

enum cli_exit identity_link_run(struct cli_run *run)
{
    const char *issuer = run->options->operands[1];
    bool is_twitter = text_equals(issuer, ISSUER_TWITTER);
    if (is_twitter && !is_twitter_number(run->options->operands[2]))
        return output_fail_usage(run->ctx, "an account at Twitter is linked by its number, as "
                                           "783214, not by its name");
    enum cli_exit code =
        change(run, "/link-identity/", is_twitter ? ISSUER_TWITTER : PROVIDER_OIDC);
    bool is_address = text_starts_with(issuer, "https://") || text_starts_with(issuer, "http://");
    if (code == CLI_EXIT_OK && !is_twitter && !is_address)
        (void)output_fail(run->ctx, CLI_EXIT_OK,
                          "warning: the issuer is neither \"" ISSUER_TWITTER
                          "\" nor an address such as https://id.example.com; nobody comes by it");
    return code;
}

enum cli_exit identity_unlink_run(struct cli_run *run)
{
    return change(run, "/unlink-identity/", NULL);
}

/* SPDX-License-Identifier: MIT
 *
 * Each handler decodes, calls one use case, writes the business event and encodes.
 * Depends on: account_identities.h, identity_wire.h, user_handlers.h, user_wire.h, log.h. */
#include "identity/identity_handlers.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "http/http_message.h"
#include "identity/account_identities.h"
#include "identity/identity.h"
#include "identity/identity_wire.h"
#include "user/user.h"
#include "user/user_handlers.h"
#include "user/user_wire.h"

static void log_linked(struct ctx *ctx, const struct user *user, const struct identity *identity)
{
    log_info(ctx, "user.identity_linked", log_str("user", user->username),
             log_str("issuer", identity->issuer), log_str("subject", identity->subject),
             log_str("key", ctx->user), log_str("peer", ctx->peer));
}

static enum err find_or_create(struct ctx *ctx,
                               struct bytes body,
                               const struct identity *identity,
                               struct http_response *rs)
{
    struct user_draft draft = {0};
    struct user user = {0};
    bool is_new = false;
    enum err err = user_wire_read(ctx, body, &draft);
    if (!err)
        err = account_of_identity(ctx, &draft, identity, &user, &is_new);
    if (err)
        return err;
    if (is_new) {
        log_info(ctx, "user.created", log_str("user", user.username), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
        log_linked(ctx, &user, identity);
    }
    http_response_field(rs, "ETag", arena_format(&ctx->arena, "\"%s\"", user.generation));
    return user_wire_answer(ctx, &user, rs);
}

enum err identity_find_or_create_handle(struct app *app,
                                        struct ctx *ctx,
                                        const struct http_request *rq,
                                        struct http_response *rs)
{
    struct identity identity = {0};
    bool is_given = false;
    enum err err = identity_wire_read(ctx, rq->body, &identity, &is_given);
    if (err)
        return err;
    return is_given ? find_or_create(ctx, rq->body, &identity, rs)
                    : user_find_or_create_handle(app, ctx, rq, rs);
}

enum err identity_list_handle(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs)
{
    (void)app;
    struct account_identities account = {0};
    enum err err = account_identities_of(ctx, rq->params[0], &account);
    return err ? err : identity_wire_answer(ctx, &account, rs);
}

/* One that must be there. */
static enum err read_identity(struct ctx *ctx, struct bytes body, struct identity *out_identity)
{
    struct identity identity = {0};
    bool is_given = false;
    enum err err = identity_wire_read(ctx, body, &identity, &is_given);
    if (!err && !is_given)
        err = ctx_refuse(ctx, "issuer", "issuer: it is needed.");
    if (!err)
        *out_identity = identity;
    return err;
}

/* The account of the path. If-Match (RFC 9110 section 13.1.1), where it is sent, names the one
 * generation that it must have; a list of several is refused. */
static enum err
read_named(struct ctx *ctx, const struct http_request *rq, struct account_named *out_named)
{
    const char *tag = rq->fields[HTTP_FIELD_IF_MATCH];
    struct account_named named = {.username = rq->params[0]};
    if (tag && !text_equals(tag, "*")) {
        size_t size_bytes = strlen(tag);
        const char *end = tag[0] == '"' ? strchr(tag + 1, '"') : NULL;
        if (!end || end + 1 != tag + size_bytes)
            return ctx_refuse(ctx, "If-Match", "If-Match: it is not one strong entity tag.");
        named.generation = arena_text_copy(&ctx->arena, tag + 1, size_bytes - 2);
    }
    *out_named = named;
    return ERR_OK;
}

enum err identity_link_handle(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs)
{
    (void)app;
    struct identity identity = {0};
    struct account_named named = {0};
    struct account_identities account = {0};
    bool has_changed = false;
    enum err err = read_identity(ctx, rq->body, &identity);
    if (!err && !identity.provider)
        err = ctx_refuse(ctx, "provider", "provider: it is needed.");
    if (!err)
        err = read_named(ctx, rq, &named);
    if (!err)
        err = account_link_identity(ctx, &named, &identity, &account, &has_changed);
    if (err)
        return err;
    if (has_changed)
        log_linked(ctx, &account.user, &identity);
    return identity_wire_answer(ctx, &account, rs);
}

enum err identity_unlink_handle(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    (void)app;
    struct identity identity = {0};
    struct account_named named = {0};
    struct account_identities account = {0};
    enum err err = read_identity(ctx, rq->body, &identity);
    if (!err)
        err = read_named(ctx, rq, &named);
    if (!err)
        err = account_unlink_identity(ctx, &named, &identity, &account);
    if (err)
        return err;
    log_info(ctx, "user.identity_unlinked", log_str("user", account.user.username),
             log_str("issuer", identity.issuer), log_str("subject", identity.subject),
             log_str("key", ctx->user), log_str("peer", ctx->peer));
    return identity_wire_answer(ctx, &account, rs);
}

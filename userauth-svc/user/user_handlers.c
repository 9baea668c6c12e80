/* SPDX-License-Identifier: MIT
 *
 * Each handler decodes, calls one use case, writes the business event and encodes.
 * The ETag of /find stands for account and password, not for the names in the body, so
 * If-None-Match is not answered with 304. Depends on: app.h, accounts.h, account_access.h,
 * user_store.h, user_wire.h, log.h. */
#include "user/user_handlers.h"

#include "app.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/workers.h"
#include "http/http_message.h"
#include "http/router.h"
#include "user/account_access.h"
#include "user/accounts.h"
#include "user/user.h"
#include "user/user_store.h"
#include "user/user_wire.h"

#define LINK_MAX_BYTES 1024

_Static_assert(USER_WANTED_MAX_COUNT >= WORKERS_TOGETHER_MAX_COUNT, "all that wait together");

enum err user_create_handle(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    struct user_draft draft = {0};
    struct user user = {0};
    enum err err = user_wire_read(ctx, rq->body, &draft);
    if (!err)
        err = account_create(ctx, &app->passwords, &draft, &user);
    if (err)
        return err;
    log_info(ctx, "user.created", log_str("user", user.username), log_str("key", ctx->user),
             log_str("peer", ctx->peer));
    return user_wire_answer(ctx, &user, rs);
}

enum err user_update_handle(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    struct user_draft draft = {0};
    struct user user = {0};
    enum err err = user_wire_read(ctx, rq->body, &draft);
    if (!err)
        err = account_update(ctx, &app->passwords, rq->params[0], &draft, &user);
    if (err)
        return err;
    if (user_draft_changes(&draft))
        log_info(ctx, "user.updated", log_str("user", user.username), log_str("key", ctx->user),
                 log_str("peer", ctx->peer),
                 log_bool("has_new_password", draft.password && user_is_local(&user)));
    return user_wire_answer(ctx, &user, rs);
}

enum err user_find_or_create_handle(struct app *app,
                                    struct ctx *ctx,
                                    const struct http_request *rq,
                                    struct http_response *rs)
{
    struct user_draft draft = {0};
    struct user user = {0};
    bool is_new = false;
    enum err err = user_wire_read(ctx, rq->body, &draft);
    if (!err)
        err = account_find_or_create(ctx, &app->passwords, &draft, &user, &is_new);
    if (err)
        return err;
    if (is_new)
        log_info(ctx, "user.created", log_str("user", user.username), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
    return user_wire_answer(ctx, &user, rs);
}

void user_find_fetch(struct app *app, const struct fetch *items, size_t count)
{
    struct ctx *ctx = items[0].ctx;
    struct user_wanted wanted[USER_WANTED_MAX_COUNT] = {0};
    (void)app;
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct user_wanted){.ctx = items[i].ctx, .username = items[i].rq->params[0]};
    if (user_find_all(ctx, ctx->db, wanted, count)) {
        ctx_forgive(ctx); /* each asks by itself, and says then what is wrong */
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct user_wanted *fetched = arena_take(&items[i].ctx->arena, sizeof(*fetched));
        *fetched = wanted[i];
        items[i].rq->fetched = fetched;
    }
}

static enum err find(struct ctx *ctx, const struct http_request *rq, struct user *out_user)
{
    const struct user_wanted *fetched = rq->fetched;
    if (!fetched)
        return user_find(ctx, ctx->db, rq->params[0], out_user);
    *out_user = fetched->user;
    return fetched->is_found ? ERR_OK : ctx_fail(ctx, ERR_NOT_FOUND, "no such user");
}

enum err user_find_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    (void)app;
    struct user user = {0};
    enum err err = find(ctx, rq, &user);
    if (err)
        return err;
    http_response_field(rs, "ETag", arena_format(&ctx->arena, "\"%s\"", user.generation));
    return user_wire_answer(ctx, &user, rs);
}

static enum err explain(struct ctx *ctx, enum err err)
{
    if (err == ERR_NOT_FOUND)
        ctx->why.hint = "There is no user of this name.";
    return err;
}

enum err user_destroy_handle(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    (void)app;
    enum err err = account_destroy(ctx, rq->params[0]);
    if (err)
        return explain(ctx, err);
    log_info(ctx, "user.destroyed", log_str("user", rq->params[0]), log_str("key", ctx->user),
             log_str("peer", ctx->peer));
    user_wire_answer_empty(200, rs);
    return ERR_OK;
}

/* Changes it and writes `event`, if anything changed. */
static enum err change_access(struct ctx *ctx,
                              const char *username,
                              enum account_access access,
                              const char *event,
                              struct user *out_user)
{
    bool has_changed = false;
    enum err err = account_change_access(ctx, username, access, out_user, &has_changed);
    if (err)
        return explain(ctx, err);
    if (has_changed)
        log_info(ctx, event, log_str("user", out_user->username), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
    return ERR_OK;
}

enum err user_disable_handle(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    (void)app;
    struct user user = {0};
    enum err err = change_access(ctx, rq->params[0], ACCOUNT_DISABLE, "user.disabled", &user);
    return err ? err : user_wire_answer(ctx, &user, rs);
}

enum err user_enable_handle(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    (void)app;
    struct user user = {0};
    enum err err = change_access(ctx, rq->params[0], ACCOUNT_ENABLE, "user.enabled", &user);
    return err ? err : user_wire_answer(ctx, &user, rs);
}

enum err user_revoke_handle(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    (void)app;
    struct user user = {0};
    enum err err =
        change_access(ctx, rq->params[0], ACCOUNT_REVOKE, "user.sessions_revoked", &user);
    if (err)
        return err;
    user_wire_answer_empty(200, rs);
    return ERR_OK;
}

static enum err read_page(struct ctx *ctx,
                          const struct http_request *rq,
                          const char **out_after,
                          int64_t *out_limit)
{
    const char *after = NULL;
    const char *limit_text = NULL;
    int64_t limit = USER_PAGE_MAX_COUNT;
    enum err err = form_text(ctx, &rq->query, "after", &after);
    if (!err)
        err = form_text(ctx, &rq->query, "limit", &limit_text);
    if (!err && limit_text && !parse_i64(limit_text, 1, INT64_MAX, &limit))
        err = ctx_refuse(ctx, "limit", "limit: it must be a number, 1 or more.");
    if (err)
        return err;
    *out_after = after ? after : "";
    *out_limit = limit < USER_PAGE_MAX_COUNT ? limit : USER_PAGE_MAX_COUNT;
    return ERR_OK;
}

/* Where the next page is (RFC 8288). */
static enum err
add_link(struct ctx *ctx, const struct user_list *list, int64_t limit, struct http_response *rs)
{
    struct strbuf link;
    const char *text = NULL;
    strbuf_init(&link, &ctx->arena, 128, LINK_MAX_BYTES);
    strbuf_add(&link, "</list?after=");
    strbuf_add_url(&link, list->items[list->count - 1].username);
    strbuf_format(&link, "&limit=%lld>; rel=\"next\"", (long long)limit);
    enum err err = strbuf_text(&link, &text);
    if (!err)
        http_response_field(rs, "Link", text);
    return err;
}

enum err user_list_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    (void)app;
    const char *after = "";
    int64_t limit = 0;
    struct user_list list = {0};
    enum err err = read_page(ctx, rq, &after, &limit);
    if (!err)
        err = user_list_page(ctx, ctx->db, after, (size_t)limit, &list);
    if (!err && list.has_more)
        err = add_link(ctx, &list, limit, rs);
    return err ? err : user_wire_answer_list(ctx, &list, rs);
}

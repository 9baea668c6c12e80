/* SPDX-License-Identifier: MIT
 *
 * Depends on: session_store.h, session_check.h, form.h (the query). */
#include "session/session_admin_handlers.h"

#include "app.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/form.h"
#include "http/http_message.h"
#include "session/account_page.h"
#include "session/session.h"
#include "session/session_check.h"
#include "session/session_store.h"

#define JSON_TYPE      "application/json"
#define JSON_MAX_BYTES ((size_t)1024 * 1024)

static enum err read_list(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct session_list *out_list)
{
    const char *username = NULL;
    enum err err = form_need(ctx, &rq->query, "username", &username);
    return err ? err : session_list_checked(app, ctx, username, NULL, out_list);
}

static void
add_session(struct strbuf *json, struct app *app, struct ctx *ctx, const struct session *session)
{
    strbuf_add(json, "{\"id\":");
    strbuf_add_json(json, session_handle(ctx, &app->site, session));
    strbuf_add(json, ",\"device\":");
    strbuf_add_json(json, account_device(session->device));
    strbuf_add(json, ",\"address\":");
    strbuf_add_json(json, session->address ? session->address : "");
    strbuf_add(json, ",\"created\":");
    strbuf_add_json(json, clock_iso(&ctx->arena, session->created_unix_ms));
    strbuf_add(json, ",\"used\":");
    strbuf_add_json(json, clock_iso(&ctx->arena, session->used_unix_ms));
    strbuf_add_char(json, '}');
}

enum err session_admin_list_handle(struct app *app,
                                   struct ctx *ctx,
                                   const struct http_request *rq,
                                   struct http_response *rs)
{
    struct session_list list;
    struct strbuf json;
    const char *text = NULL;
    enum err err = read_list(app, ctx, rq, &list);
    if (err)
        return err;
    strbuf_init(&json, &ctx->arena, 1024, JSON_MAX_BYTES);
    strbuf_add_char(&json, '[');
    for (size_t i = 0; i < list.count; i++) {
        strbuf_add(&json, i ? "," : "");
        add_session(&json, app, ctx, &list.items[i]);
    }
    strbuf_add_char(&json, ']');
    if ((err = strbuf_text(&json, &text)))
        return err;
    http_response_field(rs, "Cache-Control", "no-store");
    http_response_text(rs, 200, JSON_TYPE, text);
    return ERR_OK;
}

enum err session_admin_end_handle(struct app *app,
                                  struct ctx *ctx,
                                  const struct http_request *rq,
                                  struct http_response *rs)
{
    struct session_list list;
    enum err err = read_list(app, ctx, rq, &list);
    if (err)
        return err;
    const struct session *session = session_of_handle(ctx, &app->site, &list, rq->params[0]);
    if (!session)
        return ctx_fail(ctx, ERR_NOT_FOUND, "no session of this user has this id");
    struct session one = *session;
    const struct session_list ended = {.items = &one, .count = 1};
    if ((err = session_end_all(app, ctx, &ended, "by_admin")))
        return err;
    http_response_field(rs, "Cache-Control", "no-store");
    http_response_text(rs, 200, JSON_TYPE, "{}");
    return ERR_OK;
}

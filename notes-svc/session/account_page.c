/* SPDX-License-Identifier: MIT
 *
 * Depends on: session_store.h (the list), page.h, views.h. */
#include "session/account_page.h"

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "http/http_message.h"
#include "page/page.h"
#include "session/session.h"
#include "session/session_check.h"
#include "session/session_store.h"
#include "session/user_agent.h"

#define FRAME_BYTES   6144 /* of the page without its list, roughly */
#define SESSION_BYTES 1024 /* of a row, roughly */

const char *account_device(const char *device)
{
    return device ? device : USER_AGENT_UNKNOWN;
}

static struct view_session *session_views(struct app *app,
                                          struct ctx *ctx,
                                          const struct http_request *rq,
                                          const struct session_list *list)
{
    struct view_session *views = arena_take_array(&ctx->arena, list->count + 1, sizeof(*views));
    for (size_t i = 0; i < list->count; i++) {
        const struct session *session = &list->items[i];
        views[i] = (struct view_session){
            .handle = session_handle(ctx, &app->site, session),
            .device = account_device(session->device),
            .address = session->address,
            .created_iso = clock_iso(&ctx->arena, session->created_unix_ms),
            .created_text = clock_people(&ctx->arena, session->created_unix_ms),
            .used_iso = clock_iso(&ctx->arena, session->used_unix_ms),
            .used_text = clock_people(&ctx->arena, session->used_unix_ms),
            .is_own = session_is_same(session, rq->session),
        };
    }
    return views;
}

static enum err send(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs,
                     int status,
                     struct view_account *view)
{
    struct session_list list;
    enum err err = session_list_checked(app, ctx, rq->session->username, rq->session, &list);
    if (err)
        return err;
    view->frame = page_frame(rq, "Your account", "account");
    view->sessions = session_views(app, ctx, rq, &list);
    view->sessions_count = list.count;
    view->has_others = list.count > 1;
    struct strbuf html = page_buffer(ctx, FRAME_BYTES + list.count * SESSION_BYTES);
    view_account(&html, view);
    return page_send(ctx, rs, status, &html);
}

enum err account_send(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs,
                      const char *notice)
{
    struct view_account view = {.notice = notice};
    return send(app, ctx, rq, rs, 200, &view);
}

enum err account_refuse(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        int status,
                        const struct account_problem *problem)
{
    struct view_account view = {
        .error = problem->place == ACCOUNT_WHOLE_FORM ? problem->text : NULL,
        .error_in_old = problem->place == ACCOUNT_OLD ? problem->text : NULL,
        .error_in_new = problem->place == ACCOUNT_NEW ? problem->text : NULL,
        .error_in_again = problem->place == ACCOUNT_AGAIN ? problem->text : NULL,
    };
    return send(app, ctx, rq, rs, status, &view);
}

/* SPDX-License-Identifier: MIT
 *
 * Depends on: session_store.h and userauth_client.h (the lists), ways.h, page.h, views.h. */
#include "session/account_page.h"

#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "http/http_message.h"
#include "page/page.h"
#include "provider/provider.h"
#include "service/from_node.h"
#include "session/session.h"
#include "session/session_check.h"
#include "session/session_store.h"
#include "session/user_agent.h"
#include "session/userauth_client.h"

#define FRAME_BYTES   6144 /* of the page without its list, roughly */
#define SESSION_BYTES 1024 /* of a row, roughly */

#define SUBJECT_SHOWN_MAX_CHARS 64

/* More than so many make a long page, and the password is at its end: the first few are shown. */
#define SESSIONS_UNFOLDED_MAX_COUNT 8
#define SESSIONS_FIRST_COUNT        5

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

/* ---- ways to sign in ---- */

static struct view_identity identity_view(struct app *app,
                                          struct ctx *ctx,
                                          const struct userauth_identities *identities,
                                          const struct userauth_identity *identity)
{
    const char *name = provider_name_of_issuer(app->providers, identity->issuer);
    int64_t made_unix_ms = 0;
    const struct bytes made = {.p = (const unsigned char *)identity->created_iso,
                               .n = strlen(identity->created_iso)};
    (void)from_node_time(made, &made_unix_ms);
    return (struct view_identity){
        .name = name ? name : identity->issuer,
        .issuer = identity->issuer,
        .subject = identity->subject,
        .shown_subject = text_cut(&ctx->arena, identity->subject, SUBJECT_SHOWN_MAX_CHARS),
        .made_iso = clock_iso(&ctx->arena, made_unix_ms),
        .made_text = clock_people(&ctx->arena, made_unix_ms),
        .is_in_use = name != NULL,
        .is_last = identities->count == 1 && !identities->has_password,
    };
}

/* Is an account of this provider as it is configured now among them? */
static bool
is_linked(struct app *app, const struct userauth_identities *identities, const struct view_way *way)
{
    for (size_t i = 0; i < identities->count; i++)
        if (text_equals(identities->items[i].provider, way->word) &&
            provider_name_of_issuer(app->providers, identities->items[i].issuer))
            return true;
    return false;
}

static void add_identities(struct app *app,
                           struct ctx *ctx,
                           const struct userauth_identities *identities,
                           struct view_account *view)
{
    struct view_identity *items =
        arena_take_array(&ctx->arena, identities->count + 1, sizeof(*items));
    struct view_way *ways = arena_take_array(&ctx->arena, PROVIDER_COUNT, sizeof(*ways));
    for (size_t i = 0; i < identities->count; i++)
        items[i] = identity_view(app, ctx, identities, &identities->items[i]);
    for (size_t i = 0; i < app->ways.count; i++)
        if (!is_linked(app, identities, &app->ways.items[i]))
            ways[view->new_ways_count++] = app->ways.items[i];
    view->has_password = identities->has_password;
    view->identities = items;
    view->identities_count = identities->count;
    view->new_ways = ways;
}

/* Where no provider is configured nothing is asked, and the page is as it is without this part. */
static void
add_ways(struct app *app, struct ctx *ctx, const char *username, struct view_account *view)
{
    struct userauth_identities identities;
    view->has_password = true;
    view->has_ways = app->ways.count > 0;
    if (!view->has_ways)
        return;
    if (!userauth_identities(ctx, app->userauth, username, &identities)) {
        add_identities(app, ctx, &identities, view);
        return;
    }
    view->is_identities_unknown = true;
    ctx_forgive(ctx);
}

/* ---- the page ---- */

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
    add_ways(app, ctx, rq->session->username, view);
    view->frame = page_frame(app, rq, "Your account", "account");
    view->sessions = session_views(app, ctx, rq, &list);
    view->sessions_count =
        list.count > SESSIONS_UNFOLDED_MAX_COUNT ? SESSIONS_FIRST_COUNT : list.count;
    view->more_sessions = view->sessions + view->sessions_count;
    view->more_sessions_count = list.count - view->sessions_count;
    view->more_number = (int64_t)view->more_sessions_count;
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

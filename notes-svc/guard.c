/* SPDX-License-Identifier: MIT
 *
 * Order of the checks: origin (no I/O), form, session, form token. The session comes from its store
 * at every request, but for pages that the event loop has, and its user from userauth-svc at most
 * every USER_CHECK_S. On a route for the service key nothing else counts. Depends on: session.h,
 * session_check.h, session_cache.h, service_key.h. */
#include "guard.h"

#include <string.h>

#include "app.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "http/form.h"
#include "http/http_message.h"
#include "http/router.h"
#include "session/login_handlers.h"
#include "session/login_limit.h"
#include "session/service_key.h"
#include "session/session.h"
#include "session/session_cache.h"
#include "session/session_check.h"
#include "session/session_store.h"

/* ---- where an unsafe request comes from ---- */

/* "https://host:port" that a browser on our own page would send. */
static const char *own_origin(const struct app *app, struct ctx *ctx, const struct http_request *rq)
{
    if (app->config->public_origin)
        return app->config->public_origin;
    const char *host = rq->fields[HTTP_FIELD_HOST];
    const char *origin =
        arena_format(&ctx->arena, "%s://%s", rq->is_https ? "https" : "http", host ? host : "");
    return config_plain_origin(&ctx->arena, origin); /* a proxy may name the port in Host always */
}

bool guard_is_from_here(const struct app *app, struct ctx *ctx, const struct http_request *rq)
{
    const char *site = rq->fields[HTTP_FIELD_SEC_FETCH_SITE];
    if (site && !text_equals(site, "same-origin") && !text_equals(site, "none"))
        return false;
    const char *origin = rq->fields[HTTP_FIELD_ORIGIN];
    return !origin || text_equals_nocase(origin, own_origin(app, ctx, rq));
}

/* ---- the session ---- */

static enum err load_session(struct app *app, struct ctx *ctx, struct http_request *rq)
{
    struct session *session = session_from_cookie(ctx, app->config, rq);
    bool is_alive = false;
    if (!session)
        return ERR_OK;
    const struct cache_ticket ticket = session_cache_begin(app, session);
    enum err err =
        session_check(app, ctx, session, SESSION_IS_USED, app->config->user_check_s, &is_alive);
    if (err == ERR_UNAVAILABLE) {
        rq->is_session_unknown = true;
        return ERR_OK;
    }
    if (err || !is_alive)
        return err;
    session_cache_keep(app, &ticket, session);
    rq->session = session;
    ctx->user = session->username;
    return ERR_OK;
}

bool guard_recall(struct app *app, struct ctx *ctx, struct http_request *rq)
{
    struct session *session = session_from_cookie(ctx, app->config, rq);
    if (!session)
        return true;
    if (!session_cache_fill(app, ctx, session))
        return false;
    rq->session = session;
    ctx->user = session->username;
    return true;
}

/* ---- the service key ---- */

/* Wrong keys count as failed logins of the address do. A browser never has the key, so that what
 * comes from a page is somebody else's doing. */
static enum err check_key(struct app *app, struct ctx *ctx, const struct http_request *rq)
{
    const char *authorization = rq->fields[HTTP_FIELD_AUTHORIZATION];
    char address[ADDRESS_TEXT_BYTES];
    if (rq->fields[HTTP_FIELD_ORIGIN] || rq->fields[HTTP_FIELD_SEC_FETCH_SITE])
        return ctx_fail(ctx, ERR_FORBIDDEN, "a browser where the service key is wanted");
    address_limit_key(&rq->client, address);
    ctx->retry_after_s = login_limit_take(app, ctx, address);
    if (ctx->retry_after_s) {
        log_warn(ctx, "auth.locked", log_str("peer", rq->client_text),
                 log_i64("wait_s", ctx->retry_after_s));
        return ctx_fail(ctx, ERR_RATE_LIMITED, "too many wrong keys or failed logins");
    }
    if (service_key_matches(ctx, app->config, authorization)) {
        login_limit_give_back(app, ctx, address);
        ctx->user = app->config->user_service_id;
        return ERR_OK;
    }
    log_warn(ctx, "auth.key_refused", log_str("peer", rq->client_text),
             log_str("why", authorization ? "wrong" : "missing"));
    return ctx_fail(ctx, ERR_UNAUTHENTICATED, "service key: %s",
                    authorization ? "wrong" : "missing");
}

/* ---- the guard ---- */

/* Sessions can't be read now. Whoever only looks is shown what anybody may see; for the rest being
 * signed in must be known. Nothing says "signed out": it may well not be so. */
static enum err refuse_unknown(struct ctx *ctx, const struct http_request *rq)
{
    if (rq->route->protection == PROTECTION_SESSION) {
        ctx->why.hint = "Whether you are signed in can’t be checked right now. You are not signed "
                        "out; wait a moment and try again.";
        return ERR_UNAVAILABLE;
    }
    ctx_forgive(ctx);
    return ERR_OK;
}

static enum err refuse_stranger(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    if (http_wants_json(rq))
        return ctx_fail(ctx, ERR_UNAUTHENTICATED, "not signed in");
    login_redirect(app, ctx, rq, rs);
    return ERR_OK;
}

static enum err check_token(struct ctx *ctx, const struct http_request *rq)
{
    const char *token = NULL;
    enum err err = form_text(ctx, &rq->form, "csrf", &token);
    if (err)
        return err;
    if (session_csrf_matches(rq->session, token))
        return ERR_OK;
    log_warn(ctx, "request.token_refused", log_str("user", ctx->user),
             log_str("peer", rq->client_text));
    ctx->why.hint = "This form is out of date. Go back, load the page again and send it once more.";
    return ctx_fail(ctx, ERR_FORBIDDEN, "form token %s", token ? "differs" : "is missing");
}

enum err guard(struct app *app, struct ctx *ctx, struct http_request *rq, struct http_response *rs)
{
    const struct route *route = rq->route;
    bool is_unsafe = http_method_is_unsafe(rq->method);
    if (route->protection == PROTECTION_SERVICE_KEY)
        return check_key(app, ctx, rq);
    if (is_unsafe && !guard_is_from_here(app, ctx, rq)) {
        log_warn(ctx, "request.origin_refused", log_str("origin", rq->fields[HTTP_FIELD_ORIGIN]),
                 log_str("peer", rq->client_text));
        ctx->why.hint = "This request came from another site.";
        return ctx_fail(ctx, ERR_FORBIDDEN, "Origin or Sec-Fetch-Site is foreign");
    }
    bool has_form = route->body_type == BODY_FORM && !rq->is_faulty;
    enum err err = has_form ? form_parse(ctx, rq->body, &rq->form) : ERR_OK;
    if (err || route->protection == PROTECTION_NONE)
        return err;
    if ((err = load_session(app, ctx, rq)))
        return err;
    if (rq->is_session_unknown)
        return refuse_unknown(ctx, rq);
    if (!rq->session)
        return route->protection == PROTECTION_SESSION ? refuse_stranger(app, ctx, rq, rs) : ERR_OK;
    return is_unsafe && !rq->is_faulty ? check_token(ctx, rq) : ERR_OK;
}

/* SPDX-License-Identifier: MIT
 *
 * Login page, login, logout. What was typed and where one was going wait in two short-lived
 * cookies, so that the redirects keep the plain locations that clients of the Node version know.
 * Depends on: session.h, device.h, userauth_client.h, page.h. */
#include "session/login_handlers.h"

#include <string.h>

#include "app.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "guard.h"
#include "http/cookie.h"
#include "http/form.h"
#include "http/http_message.h"
#include "page/page.h"
#include "provider/provider.h"
#include "session/device.h"
#include "session/login_limit.h"
#include "session/session.h"
#include "session/session_check.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define LOGIN_PATH       "/users/login"
#define USERS_PATH       "/users/"
#define ACCOUNT_PATH     "/users/account"
#define NOTE_PATH        "/notes/view?"
#define NEXT_COOKIE      "notesnext"
#define NEXT_PATH        "/users" /* a sign-in by a provider begins under /users/auth */
#define NEXT_MAX_AGE_S   600
#define NEXT_MAX_BYTES   2900 /* as base64url it fits a cookie value */
#define WAY_CHARS        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-"
#define FLASH_COOKIE     "notesflash"
#define FLASH_MAX_AGE_S  60
#define ELSEWHERE_COOKIE "notesoidc" /* this browser's session began at the provider */
#define ELSEWHERE_PATH   "/users"
#define NAME_MAX_CHARS   64 /* of userauth-svc */
#define WRONG_LOGIN_TEXT "That user name or password is not right."
#define NO_LOGIN_HINT                                                                  \
    "Your sign-in can’t be kept right now, so you are not signed in. Reading notes " \
    "goes on; try to log in again in a moment."

/* ---- the two short-lived cookies ---- */

static void keep(struct app *app,
                 struct ctx *ctx,
                 struct http_response *rs,
                 const char *name,
                 const char *text,
                 int64_t age_s)
{
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = name,
                   .value = age_s ? secret_base64url(&ctx->arena, text, strlen(text)) : "",
                   .path = text_equals(name, NEXT_COOKIE) ? NEXT_PATH : LOGIN_PATH,
                   .max_age_s = age_s,
                   .is_secure = app->config->is_public_https,
               });
}

/* What such a cookie holds, as valid UTF-8; NULL when there is none. It may be forged: the caller
 * checks it. */
static const char *kept(struct ctx *ctx, const struct http_request *rq, const char *name)
{
    const char *value = cookie_get(ctx, rq, name);
    size_t size =
        value ? strlen(value) / 4 * 3 + (strlen(value) % 4 ? strlen(value) % 4 - 1 : 0) : 0;
    if (!size)
        return NULL;
    char *text = arena_take(&ctx->arena, size + 1);
    return secret_from_base64url(value, text, size) && text_is_utf8(text, size) ? text : NULL;
}

/* A page of this site to go on to, never another host or a header's end. A neighbouring site may
 * have planted it: of what is under /users only the account, or who signs in would be signed out at
 * once. A path can be written in one way only: browsers resolve dots, and we decode "%". */
static bool is_way_on(const char *target)
{
    size_t path_bytes = strspn(target, WAY_CHARS);
    bool has_path = target[0] == '/' && target[1] != '/' &&
                    (target[path_bytes] == '\0' || target[path_bytes] == '?');
    if (!has_path ||
        (text_starts_with(target, USERS_PATH) && !text_starts_with(target, ACCOUNT_PATH)))
        return false;
    for (const char *p = target + path_bytes; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '\\')
            return false;
    return true;
}

/* The path of the page that one comes from, as browsers name it to their own site
 * (Referrer-Policy). NULL: unknown. */
static const char *page_before(const struct http_request *rq)
{
    const char *referer = rq->fields[HTTP_FIELD_REFERER];
    const char *authority = referer ? strstr(referer, "://") : NULL;
    return authority ? strchr(authority + strlen("://"), '/') : NULL;
}

/* What is asked for; or the page of the form that was sent: forms of other sites don't come so far
 * (guard.h). NULL: unknown. */
static const char *page_of(const struct http_request *rq)
{
    if (!http_method_is_unsafe(rq->method))
        return rq->target;
    const char *page = page_before(rq);
    bool is_answer = page && text_starts_with(page, rq->target); /* to such a form: none to GET */
    return is_answer ? NULL : page;
}

static void keep_next(struct app *app, struct ctx *ctx, struct http_response *rs, const char *page)
{
    if (page && strlen(page) <= NEXT_MAX_BYTES && is_way_on(page))
        keep(app, ctx, rs, NEXT_COOKIE, page, NEXT_MAX_AGE_S);
}

void login_redirect(struct app *app,
                    struct ctx *ctx,
                    const struct http_request *rq,
                    struct http_response *rs)
{
    http_response_redirect(rs, 302, LOGIN_PATH);
    keep_next(app, ctx, rs, page_of(rq));
}

const char *login_next(struct ctx *ctx, const struct http_request *rq)
{
    const char *next = kept(ctx, rq, NEXT_COOKIE);
    return next && is_way_on(next) ? next : NULL;
}

/* ---- the page ---- */

struct login_words {
    const char *username; /* what was typed, "" at first */
    const char *error;    /* NULL at first */
    bool is_wrong;        /* the error is about what was typed */
};

static enum err show_login(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           int status,
                           const struct login_words *words)
{
    struct view_login view = {
        .frame = page_frame(app, rq, "Log in", "login"),
        .username = text_cut(&ctx->arena, words->username, NAME_MAX_CHARS),
        .error = words->error,
        .is_wrong = words->is_wrong,
    };
    struct strbuf html = page_buffer(ctx, 4096);
    view_login(&html, &view);
    return page_send(ctx, rs, status, &html);
}

enum err login_page_handle(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs)
{
    const char *typed = kept(ctx, rq, FLASH_COOKIE); /* "!" and the name that was typed */
    bool has_failed = typed && *typed == '!';
    if (has_failed)
        keep(app, ctx, rs, FLASH_COOKIE, "", 0);
    /* Who logs in to comment comes back to the note; who was sent here, to what he asked for.
     * Another site that names such a page can lead to no more than a note of this one. */
    const char *page = page_before(rq);
    if (page && text_starts_with(page, NOTE_PATH) && !login_next(ctx, rq))
        keep_next(app, ctx, rs, page);
    return show_login(app, ctx, rq, rs, 200,
                      &(struct login_words){.username = has_failed ? typed + 1 : "",
                                            .error = has_failed ? WRONG_LOGIN_TEXT : NULL,
                                            .is_wrong = has_failed});
}

/* ---- login ---- */

static enum err answer_wait(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs,
                            const char *username,
                            int64_t wait_s)
{
    const char *seconds = arena_format(&ctx->arena, "%lld", (long long)wait_s);
    const char *text =
        arena_format(&ctx->arena, "Too many failed tries. Please wait %s second%s and try again.",
                     seconds, wait_s == 1 ? "" : "s");
    http_response_field(rs, "Retry-After", seconds);
    log_warn(ctx, "auth.locked", log_str("user", username), log_str("peer", rq->client_text),
             log_i64("wait_s", wait_s));
    return show_login(app, ctx, rq, rs, 429,
                      &(struct login_words){.username = username, .error = text});
}

static void answer_wrong(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         struct http_response *rs,
                         const char *username)
{
    const char *name = text_cut(&ctx->arena, username, NAME_MAX_CHARS);
    http_response_redirect(rs, 302, "login");
    keep(app, ctx, rs, FLASH_COOKIE, arena_format(&ctx->arena, "!%s", name), FLASH_MAX_AGE_S);
    log_warn(ctx, "auth.login_failed", log_str("user", username), log_str("peer", rq->client_text));
}

/* Whether logging out has to lead to the provider. */
static void keep_elsewhere(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           bool is_elsewhere)
{
    if (!is_elsewhere && !cookie_get(ctx, rq, ELSEWHERE_COOKIE))
        return;
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = ELSEWHERE_COOKIE,
                   .value = is_elsewhere ? "1" : "",
                   .path = ELSEWHERE_PATH,
                   .max_age_s = is_elsewhere ? -1 : 0,
                   .is_secure = app->config->is_public_https,
               });
}

enum err login_answer(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs,
                      const struct login_right *right)
{
    struct session *old = session_from_cookie(ctx, app->config, rq);
    struct session *session = session_of_request(ctx, rq, right->username, right->etag);
    enum err err = session_insert(ctx, app, session, clock_unix_ms());
    if (err) {
        ctx->why.hint = NO_LOGIN_HINT;
        return err;
    }
    session_made(app, ctx, session, old);
    ctx->user = right->username;
    http_response_redirect(rs, 302, right->next && is_way_on(right->next) ? right->next : "/");
    session_cookie_set(ctx, app->config, rs, session);
    keep_elsewhere(app, ctx, rq, rs, right->is_elsewhere);
    if (kept(ctx, rq, NEXT_COOKIE))
        keep(app, ctx, rs, NEXT_COOKIE, "", 0);
    if (kept(ctx, rq, FLASH_COOKIE))
        keep(app, ctx, rs, FLASH_COOKIE, "", 0);
    log_info(ctx, "auth.login_ok", log_str("user", right->username),
             log_str("peer", rq->client_text), log_str("via", right->via));
    return ERR_OK;
}

static enum err answer_right(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs,
                             const struct userauth_check *check)
{
    const struct login_right right = {
        .username = check->username, .etag = check->etag, .next = login_next(ctx, rq)};
    enum err err = login_answer(app, ctx, rq, rs, &right);
    if (!err)
        device_remember(app, ctx, rq, rs, check->username);
    return err;
}

enum err login_handle(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs)
{
    const char *username = NULL;
    const char *password = NULL;
    enum err err = form_need(ctx, &rq->form, "username", &username);
    if (err || (err = form_need(ctx, &rq->form, "password", &password)))
        return err;
    char address[ADDRESS_TEXT_BYTES];
    address_limit_key(&rq->client, address);
    int64_t wait_s = login_limit_take(app, ctx, address);
    if (wait_s)
        return answer_wait(app, ctx, rq, rs, username, wait_s);
    struct userauth_check check = {0};
    const char *device = device_client(app, ctx, rq, username);
    err = userauth_password_check(ctx, app->userauth, username, password, device, &check);
    if (err || check.verdict == USERAUTH_RIGHT)
        login_limit_give_back(app, ctx, address); /* failures count, and only they */
    if (err == ERR_UNAVAILABLE) {
        log_error(ctx, "auth.service_unreachable", log_str("why", ctx->why.text));
        page_user_service_down(app, ctx, rq, rs);
        return ERR_OK;
    }
    if (err)
        return err;
    if (check.verdict == USERAUTH_RIGHT)
        return answer_right(app, ctx, rq, rs, &check);
    if (check.verdict == USERAUTH_WAIT)
        return answer_wait(app, ctx, rq, rs, username, check.wait_s > 0 ? check.wait_s : 1);
    answer_wrong(app, ctx, rq, rs, username);
    return ERR_OK;
}

/* ---- logout ---- */

/* Where a session ends that began at a provider; NULL: here only. Asks the provider at most once an
 * hour, and for who has signed in there only, as strangers must not have it asked. After the
 * session has ended here, which must not want for time because a provider hangs. */
static const char *logout_place(struct app *app, struct ctx *ctx, const struct http_request *rq)
{
    bool has_begun_there = rq->session && cookie_get(ctx, rq, ELSEWHERE_COOKIE);
    return rq->method == HTTP_GET && has_begun_there ? provider_logout_url(ctx, app->providers)
                                                     : NULL;
}

enum err logout_handle(struct app *app,
                       struct ctx *ctx,
                       const struct http_request *rq,
                       struct http_response *rs)
{
    /* A link of another site must not sign anybody out; POSTs were checked by the guard. */
    if (!guard_is_from_here(app, ctx, rq)) {
        log_warn(ctx, "request.origin_refused", log_str("origin", rq->fields[HTTP_FIELD_ORIGIN]),
                 log_str("peer", rq->client_text));
        return ctx_fail(ctx, ERR_FORBIDDEN, "logout from another site");
    }
    /* Whose it is need not be known to end it. */
    const struct session *session =
        rq->is_session_unknown ? session_from_cookie(ctx, app->config, rq) : rq->session;
    session_cookie_remove(ctx, app->config, rs);
    keep_elsewhere(app, ctx, rq, rs, false);
    if (session && session_end(app, ctx, session)) {
        log_error(ctx, "auth.logout_failed", log_str("user", session->username),
                  log_str("peer", rq->client_text), log_str("why", ctx->why.text));
        page_logout_failed(app, ctx, rq, rs);
        return ERR_OK;
    }
    if (session)
        log_info(ctx, "auth.logout", log_str("user", session->username),
                 log_str("peer", rq->client_text));
    const char *elsewhere = logout_place(app, ctx, rq);
    http_response_redirect(rs, 302, elsewhere ? elsewhere : "/");
    return ERR_OK;
}

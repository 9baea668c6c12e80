/* SPDX-License-Identifier: MIT
 *
 * What was done waits in a short-lived cookie for the page that follows, as one word of those
 * below. A changed password gives this browser a new session and ends all that were there.
 * Depends on: account_page.h, session_check.h, userauth_client.h, login_limit.h. */
#include "session/account_handlers.h"

#include "app.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "http/cookie.h"
#include "http/form.h"
#include "http/http_message.h"
#include "page/page.h"
#include "session/account_page.h"
#include "session/device.h"
#include "session/login_limit.h"
#include "session/session.h"
#include "session/session_check.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define ACCOUNT_PATH   "/users/account"
#define DONE_COOKIE    "notesdone"
#define DONE_MAX_AGE_S 60
#define NOT_KEPT_HINT                                                                     \
    "Your password is changed, but you could not be kept signed in. Log in with the new " \
    "password."

/* ---- what was done ---- */

static const struct {
    const char *word;
    const char *notice;
} DONE[] = {
    [ACCOUNT_DONE_PASSWORD] = {"password",
                               "Your password is changed. All your other sessions have ended."},
    [ACCOUNT_DONE_PASSWORD_SOON] = {"password-soon",
                                    "Your password is changed. Your other sessions end "
                                    "within some minutes."},
    [ACCOUNT_DONE_SESSION] = {"session", "That session has ended."},
    [ACCOUNT_DONE_SESSION_BEFORE] = {"session-before", "That session had ended already."},
    [ACCOUNT_DONE_OTHERS] = {"others", "All your other sessions have ended."},
    [ACCOUNT_DONE_LINKED] = {"linked", "It is linked. You can log in with it from now on."},
    [ACCOUNT_DONE_UNLINKED] = {"unlinked",
                               "It is unlinked. Nobody can log in here with it any more."},
};

static void keep_done(
    struct app *app, struct ctx *ctx, struct http_response *rs, const char *word, int64_t age_s)
{
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = DONE_COOKIE,
                   .value = word,
                   .path = ACCOUNT_PATH,
                   .max_age_s = age_s,
                   .is_secure = app->config->is_public_https,
                   .is_same_site_strict = true,
               });
}

enum err account_answer_done(struct app *app,
                             struct ctx *ctx,
                             struct http_response *rs,
                             enum account_done done)
{
    http_response_redirect(rs, 302, ACCOUNT_PATH);
    keep_done(app, ctx, rs, DONE[done].word, DONE_MAX_AGE_S);
    return ERR_OK;
}

/* ---- the page ---- */

enum err account_page_handle(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    const char *word = cookie_get(ctx, rq, DONE_COOKIE);
    const char *notice = NULL;
    for (size_t i = 0; word && i < ARRAY_COUNT(DONE); i++)
        if (text_equals(DONE[i].word, word))
            notice = DONE[i].notice;
    if (word)
        keep_done(app, ctx, rs, "", 0);
    return account_send(app, ctx, rq, rs, notice);
}

/* ---- the password ---- */

static enum err refuse_password(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs,
                                int status,
                                const struct account_problem *problem)
{
    static const char *const PLACES[] = {[ACCOUNT_WHOLE_FORM] = "wait",
                                         [ACCOUNT_OLD] = "old_password",
                                         [ACCOUNT_NEW] = "new_password",
                                         [ACCOUNT_AGAIN] = "repeat"};
    log_warn(ctx, "account.password_refused", log_str("user", ctx->user),
             log_str("peer", rq->client_text), log_str("why", PLACES[problem->place]));
    return account_refuse(app, ctx, rq, rs, status, problem);
}

static enum err refuse_for_now(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs,
                               int64_t wait_s)
{
    const char *seconds = arena_format(&ctx->arena, "%lld", (long long)wait_s);
    const struct account_problem problem = {
        .place = ACCOUNT_WHOLE_FORM,
        .text = arena_format(&ctx->arena,
                             "Too many failed tries. Please wait %s second%s and try again.",
                             seconds, wait_s == 1 ? "" : "s"),
    };
    http_response_field(rs, "Retry-After", seconds);
    return refuse_password(app, ctx, rq, rs, 429, &problem);
}

/* This browser gets a new session; all that were there end, this browser's old one among them. They
 * are those of the old password, which would be found out soon even if they could not be ended. */
static enum err answer_changed(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs,
                               const struct userauth_change *change)
{
    struct session *session = session_of_request(ctx, rq, change->username, change->etag);
    size_t count = 0;
    log_info(ctx, "account.password_changed", log_str("user", change->username),
             log_str("peer", rq->client_text));
    if (session_insert(ctx, app, session, clock_unix_ms())) {
        ctx->why.hint = NOT_KEPT_HINT;
        return ERR_UNAVAILABLE;
    }
    session_cookie_set(ctx, app->config, rs, session);
    if (session_end_others(app, ctx, change->username, session, "password_changed", &count)) {
        log_error(ctx, "session.end_failed", log_str("user", change->username),
                  log_str("why", ctx->why.text));
        ctx_forgive(ctx);
        return account_answer_done(app, ctx, rs, ACCOUNT_DONE_PASSWORD_SOON);
    }
    return account_answer_done(app, ctx, rs, ACCOUNT_DONE_PASSWORD);
}

static enum err answer_change(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs,
                              const struct userauth_change *change)
{
    const struct account_problem is_wrong = {.place = ACCOUNT_OLD,
                                             .text = "That is not your current password."};
    const struct account_problem is_refused = {.place = ACCOUNT_NEW, .text = change->refusal};
    switch (change->verdict) {
    case USERAUTH_CHANGED:
        return answer_changed(app, ctx, rq, rs, change);
    case USERAUTH_CHANGE_WAIT:
        return refuse_for_now(app, ctx, rq, rs, change->wait_s > 0 ? change->wait_s : 1);
    case USERAUTH_NEW_REFUSED:
        return refuse_password(app, ctx, rq, rs, 400, &is_refused);
    case USERAUTH_OLD_WRONG:
        break;
    }
    return refuse_password(app, ctx, rq, rs, 403, &is_wrong);
}

/* Asks userauth-svc, unless this address has failed too often. */
static enum err change_password(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs,
                                const struct userauth_passwords *passwords)
{
    const char *username = rq->session->username;
    struct userauth_change change = {0};
    char address[ADDRESS_TEXT_BYTES];
    address_limit_key(&rq->client, address);
    int64_t wait_s = login_limit_take(app, ctx, address);
    if (wait_s)
        return refuse_for_now(app, ctx, rq, rs, wait_s);
    const char *device = device_client(app, ctx, rq, username);
    enum err err =
        userauth_change_password(ctx, app->userauth, username, passwords, device, &change);
    if (err || change.verdict == USERAUTH_CHANGED || change.verdict == USERAUTH_NEW_REFUSED)
        login_limit_give_back(app, ctx, address); /* failures count, and only they */
    if (err == ERR_UNAVAILABLE) {
        log_error(ctx, "auth.service_unreachable", log_str("why", ctx->why.text));
        page_password_not_changed(app, ctx, rq, rs);
        return ERR_OK;
    }
    return err ? err : answer_change(app, ctx, rq, rs, &change);
}

enum err account_password_handle(struct app *app,
                                 struct ctx *ctx,
                                 const struct http_request *rq,
                                 struct http_response *rs)
{
    struct userauth_passwords passwords = {0};
    const char *again = NULL;
    enum err err = form_need(ctx, &rq->form, "password", &passwords.old);
    if (err || (err = form_need(ctx, &rq->form, "new-password", &passwords.new)) ||
        (err = form_need(ctx, &rq->form, "new-password-again", &again)))
        return err;
    const struct account_problem has_no_old = {.place = ACCOUNT_OLD,
                                               .text = "Please type your current password."};
    const struct account_problem has_no_new = {.place = ACCOUNT_NEW,
                                               .text = "Please type a new password."};
    const struct account_problem differs = {.place = ACCOUNT_AGAIN,
                                            .text = "The two new passwords differ."};
    const struct account_problem is_the_same = {
        .place = ACCOUNT_NEW,
        .text = "That is the password that you have typed as the current one."};
    const struct account_problem *problem = !*passwords.old                      ? &has_no_old
                                            : !*passwords.new                    ? &has_no_new
                                            : !text_equals(passwords.new, again) ? &differs
                                            : text_equals(passwords.new, passwords.old)
                                                ? &is_the_same
                                                : NULL;
    return problem ? refuse_password(app, ctx, rq, rs, 400, problem)
                   : change_password(app, ctx, rq, rs, &passwords);
}

/* ---- sessions ---- */

enum err account_session_end_handle(struct app *app,
                                    struct ctx *ctx,
                                    const struct http_request *rq,
                                    struct http_response *rs)
{
    const char *handle = NULL;
    struct session_list list;
    enum err err = form_need(ctx, &rq->form, "id", &handle);
    if (err || (err = session_list(ctx, app, rq->session->username, rq->session, &list)))
        return err;
    const struct session *session = session_of_handle(ctx, &app->site, &list, handle);
    if (!session) /* the page that it was on is older than its end */
        return account_answer_done(app, ctx, rs, ACCOUNT_DONE_SESSION_BEFORE);
    struct session one = *session;
    const struct session_list ended = {.items = &one, .count = 1};
    if ((err = session_end_all(app, ctx, &ended, "by_user")))
        return err;
    if (!session_is_same(&one, rq->session))
        return account_answer_done(app, ctx, rs, ACCOUNT_DONE_SESSION);
    session_cookie_remove(ctx, app->config, rs);
    http_response_redirect(rs, 302, "/");
    return ERR_OK;
}

enum err account_others_end_handle(struct app *app,
                                   struct ctx *ctx,
                                   const struct http_request *rq,
                                   struct http_response *rs)
{
    size_t count = 0;
    const struct session *own = rq->session;
    enum err err = session_end_others(app, ctx, own->username, own, "by_user", &count);
    if (err)
        return err;
    log_info(ctx, "session.ended_others", log_str("user", own->username),
             log_str("peer", rq->client_text), log_i64("count", (int64_t)count));
    return account_answer_done(app, ctx, rs, ACCOUNT_DONE_OTHERS);
}

/* SPDX-License-Identifier: MIT
 *
 * Every step to a provider is a link and a redirect, never a form: the pages' content security
 * policy lets forms go to this site only. What a browser must remember of a sign-in is sealed in
 * two short-lived cookies: one for the way there and back, one for an account that waits for its
 * owner's word before it is linked. Depends on: provider.h, provider_pages.h, login_handlers.h,
 * account_handlers.h, session_check.h, userauth_client.h, login_limit.h. */
#include "provider/provider_handlers.h"

#include "app.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/rate.h"
#include "base/secret.h"
#include "base/text.h"
#include "config.h"
#include "http/cookie.h"
#include "http/form.h"
#include "http/http_message.h"
#include "page/page.h"
#include "provider/provider.h"
#include "provider/provider_pages.h"
#include "session/account_handlers.h"
#include "session/login_handlers.h"
#include "session/login_limit.h"
#include "session/session.h"
#include "session/session_check.h"
#include "session/userauth_client.h"

#define PENDING_COOKIE "noteslink"
#define PENDING_PATH   "/users/account/identities/link"
#define UNKNOWN_HINT                                                                          \
    "Whether you are signed in can’t be checked right now. You are not signed out; wait a " \
    "moment and try again."

/* ---- what both ways have in common ---- */

static bool
find_provider(const struct app *app, const struct http_request *rq, enum provider_which *out_which)
{
    for (enum provider_which which = 0; which < PROVIDER_COUNT; which++)
        if (text_equals(rq->params[0], provider_word(which)) &&
            provider_is_set(app->providers, which)) {
            *out_which = which;
            return true;
        }
    return false;
}

/* With https "__Host-" ties it to this host: a neighbouring site, which may set cookies for its
 * parent, can't plant its own way back in a browser. Such a cookie has no path of its own. */
static const char *flow_cookie(const struct app *app)
{
    return app->config->is_public_https ? "__Host-notesprovider" : "notesprovider";
}

/* "" removes it. */
static void keep_flow(struct app *app, struct ctx *ctx, struct http_response *rs, const char *value)
{
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = flow_cookie(app),
                   .value = value,
                   .path = app->config->is_public_https ? "/" : "/users/auth",
                   .max_age_s = *value ? PROVIDER_FLOW_MAX_AGE_S : 0,
                   .is_secure = app->config->is_public_https,
               });
}

/* Likewise. It is of use in one session only, whoever set it. */
static void
keep_pending(struct app *app, struct ctx *ctx, struct http_response *rs, const char *value)
{
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = PENDING_COOKIE,
                   .value = value,
                   .path = PENDING_PATH,
                   .max_age_s = *value ? PROVIDER_FLOW_MAX_AGE_S : 0,
                   .is_secure = app->config->is_public_https,
               });
}

/* What a session is known by in a sealed cookie. */
static const char *bound_to(struct app *app, struct ctx *ctx, const struct session *session)
{
    return session_handle(ctx, &app->site, session);
}

static enum err answer_failed(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs,
                              enum provider_which which,
                              enum provider_failure failure)
{
    const char *word = provider_failure_word(failure);
    const char *why =
        *ctx->why.text ? arena_format(&ctx->arena, "%s: %s", word, ctx->why.text) : word;
    if (failure == PROVIDER_UNREACHABLE || failure == PROVIDER_SLOW)
        log_error(ctx, "auth.provider_unreachable", log_str("via", provider_word(which)),
                  log_str("why", why));
    else
        log_warn(ctx, "auth.provider_refused", log_str("via", provider_word(which)),
                 log_str("peer", rq->client_text), log_str("why", why));
    provider_page_failed(app, ctx, rq, rs, which, failure);
    return ERR_OK;
}

static enum err answer_refused(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs,
                               const char *via,
                               enum provider_refusal refusal)
{
    log_warn(ctx, "auth.provider_refused", log_str("via", via), log_str("peer", rq->client_text),
             log_str("why", provider_refusal_word(refusal)));
    provider_page_refused(app, ctx, rq, rs, refusal);
    return ERR_OK;
}

/* userauth-svc is away. */
static enum err answer_down(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    log_error(ctx, "auth.service_unreachable", log_str("why", ctx->why.text));
    page_user_service_down(app, ctx, rq, rs);
    return ERR_OK;
}

/* Too many from one address. */
static enum err answer_wait(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs,
                            int64_t wait_s)
{
    log_warn(ctx, "auth.locked", log_str("peer", rq->client_text), log_i64("wait_s", wait_s));
    provider_page_wait(app, ctx, rq, rs, wait_s);
    return ERR_OK;
}

/* Linking needs to know who is signed in. */
static enum err need_session(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    if (rq->is_session_unknown) {
        ctx->why.hint = UNKNOWN_HINT;
        return ctx_fail(ctx, ERR_UNAVAILABLE, "sessions can't be read");
    }
    login_redirect(app, ctx, rq, rs);
    return ERR_OK;
}

/* ---- the way there ---- */

static enum err begin(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs,
                      enum provider_which which,
                      const struct provider_flow *flow)
{
    struct provider_departure departure;
    char address[ADDRESS_TEXT_BYTES];
    address_limit_key(&rq->client, address);
    int64_t wait_s = rate_take(app->provider_starts, address, clock_monotonic_ms());
    if (wait_s)
        return answer_wait(app, ctx, rq, rs, wait_s);
    enum provider_failure failure = provider_begin(ctx, app->providers, which, flow, &departure);
    if (failure)
        return answer_failed(app, ctx, rq, rs, which, failure);
    http_response_redirect(rs, 302, departure.location);
    keep_flow(app, ctx, rs, departure.cookie);
    return ERR_OK;
}

/* Does somebody go there, or does a page fetch it, as for a picture? So any other site could have
 * its visitors' browsers use up what their addresses may begin, and us ask the provider. */
static bool is_visit(const struct http_request *rq)
{
    const char *destination = rq->fields[HTTP_FIELD_SEC_FETCH_DEST];
    return !destination || text_equals(destination, "document");
}

enum err provider_begin_handle(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs)
{
    enum provider_which which = PROVIDER_TWITTER;
    struct provider_flow flow = {.purpose = PROVIDER_SIGN_IN, .next = "", .bound = ""};
    if (!find_provider(app, rq, &which))
        return ctx_fail(ctx, ERR_NOT_FOUND, "no such provider");
    if (!is_visit(rq))
        return ctx_fail(ctx, ERR_FORBIDDEN, "a sign-in that is no visit");
    if (!form_first(&rq->query, "link")) {
        const char *next = login_next(ctx, rq);
        flow.next = next ? next : "";
        return begin(app, ctx, rq, rs, which, &flow);
    }
    if (!rq->session)
        return need_session(app, ctx, rq, rs);
    flow.purpose = PROVIDER_LINK;
    flow.bound = bound_to(app, ctx, rq->session);
    return begin(app, ctx, rq, rs, which, &flow);
}

/* ---- the way back ---- */

/* The user who has the identity is signed in; a new one when nobody has it. */
static enum err sign_in(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        const struct provider_arrival *arrival)
{
    const struct provider_person *who = &arrival->who;
    struct userauth_find find = {0};
    enum err err = userauth_find_or_create(ctx, app->userauth, who, &find);
    if (err == ERR_UNAVAILABLE)
        return answer_down(app, ctx, rq, rs);
    if (err)
        return err;
    if (find.verdict == USERAUTH_DISABLED)
        return answer_refused(app, ctx, rq, rs, who->provider, PROVIDER_REFUSED_DISABLED);
    if (find.verdict == USERAUTH_NO_NAME)
        return answer_refused(app, ctx, rq, rs, who->provider, PROVIDER_REFUSED_NAME);
    const struct login_right right = {
        .username = find.username,
        .etag = find.etag,
        .via = who->provider,
        .next = arrival->flow.next,
        .is_elsewhere = text_equals(who->provider, provider_word(PROVIDER_OIDC)),
    };
    return login_answer(app, ctx, rq, rs, &right);
}

/* Off to the question: it has an address of its own, so that it can be loaded again, and nothing of
 * the provider's stays in the browser's history. */
static enum err ask_to_link(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs,
                            const struct provider_arrival *arrival)
{
    const char *cookie = NULL;
    if (!rq->session && rq->is_session_unknown)
        return need_session(app, ctx, rq, rs);
    const char *bound = rq->session ? bound_to(app, ctx, rq->session) : "";
    if (!rq->session || !text_equals(bound, arrival->flow.bound))
        return answer_refused(app, ctx, rq, rs, arrival->who.provider, PROVIDER_REFUSED_SESSION);
    enum err err = provider_pending_seal(ctx, app->providers, &arrival->who, bound, &cookie);
    if (err)
        return err;
    http_response_redirect(rs, 302, PENDING_PATH);
    keep_pending(app, ctx, rs, cookie);
    return ERR_OK;
}

/* Does it count as a failed login? What the provider, or he himself there, could not do does
 * not; nor does a request without a cookie of ours, which asks nobody and guesses nothing: a page
 * of any other site may make browsers send it. */
static bool is_failed_try(const struct provider_arrival *arrival, enum provider_failure failure)
{
    return arrival->is_flow_known && (failure == PROVIDER_STATE || failure == PROVIDER_NOT_VALID ||
                                      failure == PROVIDER_DOMAIN);
}

enum err provider_callback_handle(struct app *app,
                                  struct ctx *ctx,
                                  const struct http_request *rq,
                                  struct http_response *rs)
{
    enum provider_which which = PROVIDER_TWITTER;
    struct provider_arrival arrival = {0};
    char address[ADDRESS_TEXT_BYTES];
    if (!find_provider(app, rq, &which))
        return ctx_fail(ctx, ERR_NOT_FOUND, "no such provider");
    const char *cookie = cookie_get(ctx, rq, flow_cookie(app));
    if (cookie)
        keep_flow(app, ctx, rs, "");
    address_limit_key(&rq->client, address);
    int64_t wait_s = login_limit_take(app, ctx, address);
    if (wait_s)
        return answer_wait(app, ctx, rq, rs, wait_s);
    enum provider_failure failure =
        provider_finish(ctx, app->providers, which, &rq->query, cookie, &arrival);
    if (!is_failed_try(&arrival, failure))
        login_limit_give_back(app, ctx, address);
    if (failure)
        return answer_failed(app, ctx, rq, rs, which, failure);
    return arrival.flow.purpose == PROVIDER_LINK ? ask_to_link(app, ctx, rq, rs, &arrival)
                                                 : sign_in(app, ctx, rq, rs, &arrival);
}

/* ---- linking ---- */

static bool open_pending(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         struct provider_person *out_person)
{
    return provider_pending_open(ctx, app->providers, cookie_get(ctx, rq, PENDING_COOKIE),
                                 bound_to(app, ctx, rq->session), out_person);
}

enum err provider_link_page_handle(struct app *app,
                                   struct ctx *ctx,
                                   const struct http_request *rq,
                                   struct http_response *rs)
{
    struct provider_person person;
    if (open_pending(app, ctx, rq, &person))
        return provider_page_ask(app, ctx, rq, rs, &person);
    provider_page_refused(app, ctx, rq, rs, PROVIDER_REFUSED_PENDING);
    return ERR_OK;
}

/* A link outlasts the session, so it is looked at now, not as long as USER_CHECK_S ago, whether the
 * user is still the one who signed in: the name may have become somebody else's. What follows
 * names the account to userauth-svc as well, which compares it as it links or unlinks; one of the
 * release before does not. */
static enum err check_user(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           bool *out_is_same)
{
    struct session session = *rq->session;
    enum err err =
        session_check(app, ctx, &session, SESSION_IS_USED, SESSION_USER_NOW, out_is_same);
    if (!err && !*out_is_same)
        login_redirect(app, ctx, rq, rs);
    return err;
}

static struct userauth_account account_of(const struct session *session)
{
    return (struct userauth_account){.username = session->username, .etag = session->user_etag};
}

/* userauth-svc says that the account is another one by now. */
static enum err answer_stale(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    session_end_refused(app, ctx, rq->session, "user_changed");
    login_redirect(app, ctx, rq, rs);
    return ERR_OK;
}

static enum err answer_linked(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs,
                              const struct provider_person *person)
{
    log_info(ctx, "account.identity_linked", log_str("user", ctx->user),
             log_str("peer", rq->client_text), log_str("via", person->provider));
    return account_answer_done(app, ctx, rs, ACCOUNT_DONE_LINKED);
}

enum err provider_link_handle(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs)
{
    struct provider_person person;
    enum userauth_link_verdict verdict = USERAUTH_LINKED;
    if (!open_pending(app, ctx, rq, &person)) {
        provider_page_refused(app, ctx, rq, rs, PROVIDER_REFUSED_PENDING);
        return ERR_OK;
    }
    bool is_same = false;
    enum err err = check_user(app, ctx, rq, rs, &is_same);
    if (err || !is_same)
        return err;
    const struct userauth_account account = account_of(rq->session);
    err = userauth_link(ctx, app->userauth, &account, &person, &verdict);
    if (err)
        return err;
    if (verdict == USERAUTH_LINK_STALE)
        return answer_stale(app, ctx, rq, rs);
    keep_pending(app, ctx, rs, "");
    if (verdict == USERAUTH_LINK_TAKEN)
        return answer_refused(app, ctx, rq, rs, person.provider, PROVIDER_REFUSED_TAKEN);
    if (verdict == USERAUTH_LINK_TOO_MANY)
        return answer_refused(app, ctx, rq, rs, person.provider, PROVIDER_REFUSED_TOO_MANY);
    return answer_linked(app, ctx, rq, rs, &person);
}

enum err provider_unlink_handle(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    const char *issuer = NULL;
    const char *subject = NULL;
    enum userauth_link_verdict verdict = USERAUTH_LINKED;
    bool is_same = false;
    enum err err = form_need(ctx, &rq->form, "issuer", &issuer);
    if (err || (err = form_need(ctx, &rq->form, "subject", &subject)) ||
        (err = check_user(app, ctx, rq, rs, &is_same)) || !is_same)
        return err;
    const struct userauth_account account = account_of(rq->session);
    err = userauth_unlink(ctx, app->userauth, &account, issuer, subject, &verdict);
    if (err)
        return err;
    if (verdict == USERAUTH_LINK_STALE)
        return answer_stale(app, ctx, rq, rs);
    if (verdict == USERAUTH_LINK_LAST || verdict == USERAUTH_LINK_UNKNOWN) {
        provider_page_refused(app, ctx, rq, rs,
                              verdict == USERAUTH_LINK_LAST ? PROVIDER_REFUSED_LAST
                                                            : PROVIDER_REFUSED_NOT_THERE);
        return ERR_OK;
    }
    log_info(ctx, "account.identity_unlinked", log_str("user", ctx->user),
             log_str("peer", rq->client_text),
             log_str("issuer", text_cut(&ctx->arena, issuer, 200)));
    return account_answer_done(app, ctx, rs, ACCOUNT_DONE_UNLINKED);
}

/* SPDX-License-Identifier: MIT
 *
 * Error pages: the reason, what to do now, a way on, and the text that was typed, so that nothing
 * is lost. Runs on every lane, so it neither asks the database nor trusts that the request was read
 * whole. Depends on: views.h, json_body.h (for scripts). */
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/text.h"
#include "http/form.h"
#include "http/http_body.h"
#include "http/http_message.h"
#include "http/json_body.h"
#include "http/router.h"
#include "page/page.h"
#include "page/page_retry.h"

#define LIVE_PATH    "/socket.io/"
#define ACCOUNT_PATH "/users/account"

struct page_kept {
    const char *title; /* NULL: none */
    const char *text;  /* NULL: none */
};

/* One row per status that has words of its own. */
static const struct error_words {
    enum err err;
    const char *reason;
    const char *advice;
} WORDS[] = {
    {ERR_INVALID, "That request was not understood",
     "Go back, check what you entered and try again."},
    {ERR_UNAUTHENTICATED, "Please log in first", "This needs an account."},
    {ERR_FORBIDDEN, "That is not allowed",
     "You may lack the right to it, or the form is out of date."},
    {ERR_NOT_FOUND, "There is nothing here", "This address leads nowhere. Perhaps it has a typo."},
    {ERR_METHOD, "That can’t be done here", "This address answers to another kind of request."},
    {ERR_CONFLICT, "Somebody was faster", "Load the page again to see what changed."},
    {ERR_TOO_LARGE, "That is too much text",
     "What was sent is more than is read here. Shorten it and send it again."},
    {ERR_TARGET_TOO_LONG, "This address is too long", "Shorten it, or begin at the start page."},
    {ERR_MEDIA_TYPE, "That kind of form is not read here", "Send the form as the page has it."},
    {ERR_RATE_LIMITED, "A little slower, please", "Wait a moment and send it again."},
    {ERR_INTERNAL, "Something went wrong here",
     "It was noted. If it happens again, tell the site’s owner the request id."},
    {ERR_UNAVAILABLE, "Notes can’t do this right now",
     "It is busy or a part of it is away. Wait a moment and try again."},
};

/* How much text a form takes, for those that are sent long ones. */
static const struct too_large_words {
    const char *pattern;
    const char *advice;
} TOO_LARGE[] = {
    {"/notes/save", "A note holds up to 1 MiB of text. Split it, or shorten it."},
    {"/notes/comment",
     "A comment holds up to 1,024 characters. Shorten it, or make it a note of its own."},
};

static const struct error_words *words_of(enum err err)
{
    for (size_t i = 0; i < ARRAY_COUNT(WORDS); i++)
        if (WORDS[i].err == err)
            return &WORDS[i];
    return &WORDS[0];
}

static const char *too_large_advice(const struct http_request *rq)
{
    for (size_t i = 0; rq->route && i < ARRAY_COUNT(TOO_LARGE); i++)
        if (text_equals(rq->route->pattern, TOO_LARGE[i].pattern))
            return TOO_LARGE[i].advice;
    return words_of(ERR_TOO_LARGE)->advice;
}

/* Under /notes/ what is not there is a note or its comment: the address itself is right. */
static const char *advice_of(const struct http_request *rq, enum err err, bool has_retry)
{
    if (err == ERR_NOT_FOUND && has_retry)
        return "The note was probably deleted while you were editing. What you typed can be saved "
               "as a new note.";
    if (err == ERR_NOT_FOUND && rq->route && text_starts_with(rq->route->pattern, "/notes/"))
        return "The note may have been deleted, or the address has a typo.";
    if (err == ERR_TOO_LARGE)
        return too_large_advice(rq);
    return words_of(err)->advice;
}

struct page_way {
    const char *path;
    const char *text;
};

static struct page_way way_of(const struct http_request *rq, enum err err)
{
    bool is_of_account =
        rq->route && text_starts_with(rq->route->pattern, ACCOUNT_PATH) && rq->method == HTTP_POST;
    if (err == ERR_UNAUTHENTICATED)
        return (struct page_way){"/users/login", "Log in"};
    return is_of_account ? (struct page_way){ACCOUNT_PATH, "Your account"}
                         : (struct page_way){"/", "All notes"};
}

/* ---- what was typed ---- */

/* Decodes the beginning of a value, which may have been cut anywhere. NULL when it is no text. */
static const char *decode_cut(struct ctx *ctx, struct bytes value)
{
    char *decoded = NULL;
    struct bytes whole = http_body_whole_chars(value, PAGE_KEPT_MAX_BYTES);
    return parse_percent(&ctx->arena, (const char *)whole.p, whole.n, true, &decoded) ? decoded
                                                                                      : NULL;
}

/* The value of a field in a form that may be broken or cut. */
static const char *find_typed(struct ctx *ctx, struct bytes form, const char *name)
{
    size_t name_bytes = strlen(name);
    const char *at = (const char *)form.p;
    const char *end = at + form.n;
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        if (size > name_bytes && !memcmp(at, name, name_bytes) && at[name_bytes] == '=')
            return decode_cut(ctx, (struct bytes){.p = (const unsigned char *)at + name_bytes + 1,
                                                  .n = size - name_bytes - 1});
        at += size + 1;
    }
    return NULL;
}

/* Strangers get nothing back, as it would cost much more than to ask; but when we could not look
 * who asks, the text is shown rather than lost. */
static bool may_give_back(const struct http_request *rq, enum err err)
{
    return rq->session || err == ERR_UNAVAILABLE || err == ERR_INTERNAL;
}

/* Title and text of a save or a comment, whatever else is wrong with the form. A password is never
 * among them. */
static struct page_kept find_kept(struct ctx *ctx, const struct http_request *rq)
{
    struct page_kept kept = {0};
    bool is_form = rq->method == HTTP_POST && rq->route && rq->route->body_type == BODY_FORM;
    if (!is_form || !rq->body.n)
        return kept;
    kept.title = find_typed(ctx, rq->body, "title");
    kept.text = find_typed(ctx, rq->body, "body");
    if (!kept.text)
        kept.text = find_typed(ctx, rq->body, "message");
    return kept;
}

/* ---- the page ---- */

static void add_wait(struct ctx *ctx, struct http_response *rs)
{
    if (ctx->retry_after_s > 0)
        http_response_field(rs, "Retry-After",
                            arena_format(&ctx->arena, "%lld", (long long)ctx->retry_after_s));
}

/* Either the form to send again, or else the text to be copied. */
static void
add_typed(struct ctx *ctx, const struct http_request *rq, enum err err, struct view_error *view)
{
    if (!may_give_back(rq, err))
        return;
    view->retry = page_retry(ctx, rq, err);
    if (view->retry.path)
        return;
    struct page_kept kept = find_kept(ctx, rq);
    view->kept_title = kept.title;
    view->kept_text = kept.text;
}

/* The reason of such a page is that sign-in can't be checked. */
static bool is_unknown_told(const struct http_request *rq, enum err err)
{
    return err == ERR_UNAVAILABLE && rq->is_session_unknown && rq->route &&
           rq->route->protection == PROTECTION_SESSION;
}

static void
send_error(struct ctx *ctx, struct http_response *rs, int status, const struct view_error *view)
{
    struct strbuf html = page_buffer(ctx, 8192);
    view_error(&html, view);
    if (page_send(ctx, rs, status, &html))
        http_response_text(rs, status, "text/plain; charset=utf-8",
                           "This page could not be made.\n");
    add_wait(ctx, rs);
}

static bool is_for_key(const struct http_request *rq)
{
    return rq->route && rq->route->protection == PROTECTION_SERVICE_KEY;
}

/* Nobody looks at what is under the path of the live sockets, or wants the service key. */
static bool is_for_program(const struct http_request *rq)
{
    return http_wants_json(rq) || is_for_key(rq) || (rq->path && text_equals(rq->path, LIVE_PATH));
}

void page_error(struct app *app,
                struct ctx *ctx,
                const struct http_request *rq,
                enum err err,
                struct http_response *rs)
{
    if (is_for_program(rq)) {
        json_body_error(ctx, err, rs);
        if (err == ERR_UNAUTHENTICATED && is_for_key(rq))
            http_response_field(rs, "WWW-Authenticate", "Basic realm=\"notes\", charset=\"UTF-8\"");
        return;
    }
    const char *reason = words_of(err)->reason;
    const struct page_way way = way_of(rq, err);
    struct view_error view = {
        .frame = page_frame(app, rq, reason, "error"),
        .reason = reason,
        .status = err_status(err),
        .status_text = http_status_text(err_status(err)),
        .way_path = way.path,
        .way_text = way.text,
        .request_id = ctx->request_id,
    };
    view.frame.is_unknown_told = is_unknown_told(rq, err);
    add_typed(ctx, rq, err, &view);
    if (err == ERR_NOT_FOUND && view.retry.path)
        view.reason = view.frame.title = "This note is gone";
    const char *hint = ctx->why.hint;
    view.advice = hint ? hint : advice_of(rq, err, view.retry.path);
    send_error(ctx, rs, err_status(err), &view);
}

static struct view_error view_of(struct app *app,
                                 struct ctx *ctx,
                                 const struct http_request *rq,
                                 const struct page_words *words)
{
    return (struct view_error){
        .frame = page_frame(app, rq, words->reason, "error"),
        .reason = words->reason,
        .status = words->status,
        .status_text = http_status_text(words->status),
        .advice = words->advice,
        .way_path = words->way_path,
        .way_text = words->way_text,
        .request_id = ctx->request_id,
    };
}

void page_say(struct app *app,
              struct ctx *ctx,
              const struct http_request *rq,
              struct http_response *rs,
              const struct page_words *words)
{
    const struct view_error view = view_of(app, ctx, rq, words);
    send_error(ctx, rs, words->status, &view);
}

static void user_service_down(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs,
                              const struct page_words *words)
{
    struct view_error view = view_of(app, ctx, rq, words);
    view.is_whale = true;
    add_typed(ctx, rq, ERR_UNAVAILABLE, &view);
    if (!ctx->retry_after_s)
        ctx->retry_after_s = 10;
    send_error(ctx, rs, 503, &view);
}

void page_user_service_down(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    static const struct page_words words = {
        .status = 503,
        .reason = "Logging in is not possible right now",
        .advice = "The service that knows the users can’t be reached. "
                  "Reading notes goes on; try to log in again in a moment.",
        .way_path = "/",
        .way_text = "Read notes",
    };
    user_service_down(app, ctx, rq, rs, &words);
}

void page_password_not_changed(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs)
{
    static const struct page_words words = {
        .status = 503,
        .reason = "Your password can’t be changed right now",
        .advice = "The service that knows the users can’t be reached, or its answer did not come. "
                  "Most likely your password is what it was. Try again in a moment; if the old "
                  "one is refused then, the new one holds.",
        .way_path = ACCOUNT_PATH,
        .way_text = "Your account",
    };
    user_service_down(app, ctx, rq, rs, &words);
}

void page_logout_failed(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs)
{
    ctx->why.hint = "You are signed out in this browser, but your session could not be ended "
                    "everywhere right now. It ends by itself when it is not used.";
    if (!ctx->retry_after_s)
        ctx->retry_after_s = HTTP_RETRY_AFTER_S;
    if (http_wants_json(rq)) {
        json_body_error(ctx, ERR_UNAVAILABLE, rs);
        add_wait(ctx, rs);
        return;
    }
    const struct view_error view = {
        .frame = page_frame_for_all(app, "Logging out", "error"),
        .reason = "Logging out worked only in part",
        .status = 503,
        .status_text = http_status_text(503),
        .advice = ctx->why.hint,
        .way_path = "/",
        .way_text = "All notes",
        .request_id = ctx->request_id,
    };
    send_error(ctx, rs, 503, &view);
}

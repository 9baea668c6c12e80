/* SPDX-License-Identifier: MIT
 *
 * The frame of a page, its entity tag, its headers and how it is sent. The error pages are
 * page_error.c's. Depends on: session.h (who looks), build_id.h (which build made it). */
#include "page/page.h"

#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/rate.h"
#include "base/text.h"
#include "build_id.h"
#include "config.h"
#include "http/http_message.h"
#include "session/session.h"

#define HTML_TYPE           "text/html; charset=utf-8"
#define VIEWER_DIGEST_BYTES 9

struct view_frame page_frame_for_all(struct app *app, const char *title, const char *page_name)
{
    return (struct view_frame){
        .title = title,
        .page = page_name,
        .is_at_login = text_equals(page_name, "login"),
        .is_at_add = text_equals(page_name, "note-add"),
        .is_at_account = text_equals(page_name, "account"),
        .ways = app->ways.items,
        .ways_count = app->ways.count,
    };
}

struct view_frame
page_frame(struct app *app, const struct http_request *rq, const char *title, const char *page_name)
{
    const struct session *session = rq->session;
    struct view_frame frame = page_frame_for_all(app, title, page_name);
    frame.user = session ? session->username : NULL;
    frame.csrf = session ? session->csrf : NULL;
    frame.is_user_unknown = rq->is_session_unknown;
    return frame;
}

/* ---- standing fields ---- */

/* Source: SPEC section 7; OWASP HTTP headers sheet. */
void page_standing_fields(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    (void)ctx;
    (void)rq;
    http_response_field(
        rs, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    http_response_field(rs, "X-Content-Type-Options", "nosniff");
    http_response_field(rs, "Referrer-Policy", "same-origin");
    http_response_field(rs, "Permissions-Policy",
                        "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    http_response_field(rs, "Cross-Origin-Opener-Policy", "same-origin");
    http_response_field(rs, "Cross-Origin-Resource-Policy", "same-origin");
    if (app->config->is_public_https)
        http_response_field(rs, "Strict-Transport-Security", "max-age=31536000");
}

/* ---- sending ---- */

struct strbuf page_buffer(struct ctx *ctx, size_t expected_bytes)
{
    struct strbuf html;
    strbuf_init(&html, &ctx->arena, expected_bytes, PAGE_MAX_BYTES);
    return html;
}

static enum err send(struct http_response *rs, int status, const struct strbuf *html)
{
    const char *text = NULL;
    enum err err = strbuf_text(html, &text);
    if (err)
        return err;
    rs->status = status;
    rs->body = (struct bytes){.p = (const unsigned char *)text, .n = html->size_bytes};
    http_response_field(rs, "Content-Type", HTML_TYPE);
    return ERR_OK;
}

enum err page_send(struct ctx *ctx, struct http_response *rs, int status, const struct strbuf *html)
{
    http_response_field(rs, "Cache-Control", "no-store");
    enum err err = send(rs, status, html);
    return err ? ctx_fail(ctx, err, "the page is over %zu bytes", PAGE_MAX_BYTES) : ERR_OK;
}

/* What a 304 must repeat (RFC 9110 15.4.5). */
static void add_caching(struct http_response *rs, const char *etag)
{
    http_response_field(rs, "Cache-Control", "private, no-cache");
    http_response_field(rs, "Vary", "Cookie, Accept-Encoding");
    http_response_field(rs, "ETag", etag);
    rs->has_no_request_id = true;
}

enum err page_send_cached(struct ctx *ctx,
                          struct http_response *rs,
                          const struct strbuf *html,
                          const char *etag)
{
    add_caching(rs, etag);
    enum err err = send(rs, 200, html);
    return err ? ctx_fail(ctx, err, "the page is over %zu bytes", PAGE_MAX_BYTES) : ERR_OK;
}

const char *page_etag(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      int64_t revision,
                      const char *part)
{
    const char *viewer =
        rq->session ? secret_base64url(&ctx->arena, rq->session->digest, VIEWER_DIGEST_BYTES)
        : rq->is_session_unknown ? "unknown"
                                 : "anyone";
    return arena_format(&ctx->arena, "W/\"%lld-%s-%s%s-%s\"", (long long)revision, part, BUILD_ID,
                        app->ways.mark, viewer);
}

bool page_is_unchanged(struct ctx *ctx,
                       const struct http_request *rq,
                       struct http_response *rs,
                       const char *etag)
{
    (void)ctx;
    if (!http_etag_matches(rq, etag))
        return false;
    rs->status = 304;
    add_caching(rs, etag);
    return true;
}

enum err page_count_write(struct app *app, struct ctx *ctx, const char *username)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_s = rate_take(app->writes, username, now_ms);
    if (!wait_s)
        return ERR_OK;
    ctx->retry_after_s = wait_s;
    ctx->why.hint =
        "You are saving faster than this site allows. Please wait a little and send it again.";
    if (!rate_take(app->writes_told, username, now_ms))
        log_warn(ctx, "request.writes_limited", log_str("user", username),
                 log_str("peer", ctx->peer));
    return ctx_fail(ctx, ERR_RATE_LIMITED, "over WRITES_PER_MIN");
}

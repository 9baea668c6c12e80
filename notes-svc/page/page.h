/* SPDX-License-Identifier: MIT
 *
 * What all pages share: the frame around the content, sending HTML with the right caching, and the
 * error page. Handlers fill a view struct (views/views.h), call its template on page_buffer, and
 * finish with page_send or page_send_cached. */
#ifndef NOTES_PAGE_H
#define NOTES_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "views/views.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* The largest page: two texts of a conflict, escaped (six bytes for one at worst), and the frame.
 */
#define PAGE_MAX_BYTES ((size_t)32 * 1024 * 1024)

struct view_frame page_frame(struct app *app,
                             const struct http_request *rq,
                             const char *title,
                             const char *page_name);

/* Of a page that is the same for all (views/README.md, "shared"). */
struct view_frame page_frame_for_all(struct app *app, const char *title, const char *page_name);

/* The security headers of every answer that is not an asset. */
void page_standing_fields(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs);

/* Empty, in the request's arena, with room for `expected_bytes` taken at once. */
struct strbuf page_buffer(struct ctx *ctx, size_t expected_bytes);

/* Sends HTML that must not be stored: forms, refusals. */
MUST_CHECK enum err
page_send(struct ctx *ctx, struct http_response *rs, int status, const struct strbuf *html);

/* Sends HTML under an entity tag: "private, no-cache", Vary: Cookie, Accept-Encoding; without the
 * request's id. */
MUST_CHECK enum err page_send_cached(struct ctx *ctx,
                                     struct http_response *rs,
                                     const struct strbuf *html,
                                     const char *etag);

/* The entity tag of a page: made of what was shown (its revision and which part of it), this build
 * with the ways to sign in that it shows, and the viewer. A weak one: it is the same whether the
 * page is packed or not (RFC 9110 8.8.3.3). `part` is short text without quotes, "" when there is
 * one part only. In the arena. */
const char *page_etag(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      int64_t revision,
                      const char *part);

/* True when the client has this page: rs is the 304 then, and the handler returns ERR_OK at once.
 */
bool page_is_unchanged(struct ctx *ctx,
                       const struct http_request *rq,
                       struct http_response *rs,
                       const char *etag);

/* The page for an error, or JSON where the client asks for it. A form that may succeed later is on
 * it, to be sent again (page_retry.h); of any other the text (title, body, message) is shown, so
 * that nothing typed is lost: handlers only return the error. ctx->why.hint is the reason when it
 * is set. Never fails. Threads: any, loops as well. */
void page_error(struct app *app,
                struct ctx *ctx,
                const struct http_request *rq,
                enum err err,
                struct http_response *rs);

/* What a page says that is no page of what was asked for, and leads on. */
struct page_words {
    int status;
    const char *reason;
    const char *advice;
    const char *way_path;
    const char *way_text;
};

/* Sends it, with the request's id, and Retry-After when ctx has one. Never fails. */
void page_say(struct app *app,
              struct ctx *ctx,
              const struct http_request *rq,
              struct http_response *rs,
              const struct page_words *words);

/* The user service can't be reached: 503, with the drawing. */
void page_user_service_down(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs);

/* The same for a new password. */
void page_password_not_changed(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs);

/* Logging out has removed the cookie, and could not end the session: 503, page or JSON. */
void page_logout_failed(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs);

/* One write of this user: ERR_RATE_LIMITED with ctx->retry_after_s when there were too many
 * (WRITES_PER_MIN). */
MUST_CHECK enum err page_count_write(struct app *app, struct ctx *ctx, const char *username);

#endif

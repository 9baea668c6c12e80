/* SPDX-License-Identifier: MIT
 *
 * Pages that are made once and shown to many: a note's page and the first page of the list. What is
 * kept (app->pages, by the note's key, "" for the list) is the same for all; what depends on the
 * viewer is filled in when it is sent (parts.h). On the event loop only a page that is known to be
 * the present one is sent; on a worker its revision is read first, always.
 *
 * Strangers who take gzip get the page packed, by a worker. A page of who is signed in never is: it
 * holds the form's token beside what others wrote, and the length of the packed page would tell
 * about the token (BREACH). */
#ifndef NOTES_SHARED_PAGE_H
#define NOTES_SHARED_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cache.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "http/parts.h"

struct app;
struct ctx;
struct http_request;
struct http_response;
struct shared_page;

#define SHARED_PAGE_HOME "" /* the key of the list; no note's key is empty */

/* What a page's entity tag is made of, besides build and viewer; see page_etag. */
struct page_state {
    int64_t revision;
    const char *part; /* static when the page is kept */
};

/* ---- on a worker ---- */

/* Before anything of the page is read. */
struct cache_ticket shared_page_begin(struct app *app, const char *key);

/* What is kept, however old; NULL: nothing. Owns: the caller, who calls shared_page_release. */
struct shared_page *shared_page_find(struct app *app, const char *key);
void shared_page_release(struct shared_page *page);
DEFINE_CLEANUP(struct shared_page *, shared_page_release)

/* True when it is of this revision, which was read since the ticket: it is confirmed then. */
bool shared_page_is_of(struct app *app,
                       const struct cache_ticket *ticket,
                       struct shared_page *page,
                       int64_t revision);

/* Keeps what was made of what was read since the ticket, unless the page has changed meanwhile.
 * NULL: it is not kept. Owns: the caller, who calls shared_page_release. */
struct shared_page *shared_page_keep(struct app *app,
                                     const struct cache_ticket *ticket,
                                     const char *key,
                                     const struct parts *parts,
                                     struct page_state state);

/* A kept page for who asks, or 304. */
MUST_CHECK enum err shared_page_send_kept(struct app *app,
                                          struct ctx *ctx,
                                          const struct http_request *rq,
                                          struct http_response *rs,
                                          struct shared_page *page);

/* The same of a page that is not kept. */
MUST_CHECK enum err shared_page_send(struct app *app,
                                     struct ctx *ctx,
                                     const struct http_request *rq,
                                     struct http_response *rs,
                                     const struct parts *parts,
                                     struct page_state state);

/* The same as a refusal, 400, which must not be stored. */
MUST_CHECK enum err shared_page_refuse(struct ctx *ctx,
                                       const struct http_request *rq,
                                       struct http_response *rs,
                                       const struct parts *parts);

/* ---- on the event loop ---- */

/* The page of who asks, or 304. False: what is kept, if anything, must not be sent unconfirmed, or
 * is other than what the browser says it wrote, or a worker is to pack it. */
bool shared_page_answer(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        const char *key);

/* ---- anywhere ---- */

/* After a change, before anybody is told of it. */
void shared_page_drop(struct app *app, const char *key);

#endif

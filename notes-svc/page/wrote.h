/* SPDX-License-Identifier: MIT
 *
 * Read your own writes, whichever process is asked next: a write leaves a short-lived cookie that
 * names what it wrote, and a kept page that is other than what the cookie names is read again. What
 * a browser says it wrote is compared and never believed: a forged cookie costs the read that a
 * page costs which is not kept. */
#ifndef NOTES_WROTE_H
#define NOTES_WROTE_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct ctx;
struct http_request;
struct http_response;

#define WROTE_MAX_AGE_S 10 /* longer than any process takes to confirm what it keeps */

/* What was written. */
struct wrote {
    const char *key; /* of the note */
    int64_t revision;
    int64_t home_revision; /* 0: the list of all notes has not changed */
};

/* Adds the cookie. What the browser's own cookie names of other pages is kept in it. */
void wrote_set(struct app *app,
               struct ctx *ctx,
               const struct http_request *rq,
               struct http_response *rs,
               const struct wrote *wrote);

/* Does the browser say that it wrote another revision of this page? Units: key as in shared_page.h.
 */
bool wrote_other(struct ctx *ctx, const struct http_request *rq, const char *key, int64_t revision);

#endif

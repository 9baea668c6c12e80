/* SPDX-License-Identifier: MIT
 *
 * Pages of signing in at a provider: what went wrong, with a way on, and the question whether to
 * link. Nothing that the provider sent is on them but the name of an account, escaped and cut. */
#ifndef NOTES_PROVIDER_PAGES_H
#define NOTES_PROVIDER_PAGES_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "provider/provider.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Beyond what provider.h knows: why somebody who comes back is not signed in, or nothing linked. */
enum provider_refusal {
    PROVIDER_REFUSED_DISABLED,  /* the user is */
    PROVIDER_REFUSED_NAME,      /* no name like his is free */
    PROVIDER_REFUSED_SESSION,   /* linking: another session than the one that set out */
    PROVIDER_REFUSED_PENDING,   /* linking: nothing waits for a word any more */
    PROVIDER_REFUSED_TAKEN,     /* linking: it is another user's */
    PROVIDER_REFUSED_TOO_MANY,  /* linking: as many as may be are */
    PROVIDER_REFUSED_LAST,      /* unlinking: there is no other way to sign in */
    PROVIDER_REFUSED_NOT_THERE, /* unlinking: it is not linked */
};

/* "declined": for the log. */
const char *provider_failure_word(enum provider_failure failure);
const char *provider_refusal_word(enum provider_refusal refusal);

/* `failure` is not PROVIDER_OK. */
void provider_page_failed(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs,
                          enum provider_which which,
                          enum provider_failure failure);

void provider_page_refused(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           enum provider_refusal refusal);

/* Too many tries from this address: 429. */
void provider_page_wait(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        int64_t wait_s);

/* Shall the person's account be linked to the user's? */
MUST_CHECK enum err provider_page_ask(struct app *app,
                                      struct ctx *ctx,
                                      const struct http_request *rq,
                                      struct http_response *rs,
                                      const struct provider_person *person);

#endif

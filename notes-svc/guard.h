/* SPDX-License-Identifier: MIT
 *
 * What must hold before a handler runs, by the route's protection: who asks (the session), that an
 * unsafe request comes from our own pages (Origin, Sec-Fetch-Site, form token), that somebody is
 * signed in where that is needed. Source: SPEC section 7; OWASP cross-site request forgery sheet.
 */
#ifndef NOTES_GUARD_H
#define NOTES_GUARD_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Fills rq->form, rq->session and ctx->user, which is the key's name on a route that wants the
 * service key. Sends people who must sign in to the login page (rs is
 * set then). Errors: ERR_FORBIDDEN not from our pages or without the form token, or from
 * a browser where the service key is wanted; ERR_UNAUTHENTICATED a script (JSON) that is not signed
 * in, or without the key; ERR_RATE_LIMITED too many wrong keys; ERR_INVALID the form can't be read.
 */
MUST_CHECK enum err
guard(struct app *app, struct ctx *ctx, struct http_request *rq, struct http_response *rs);

/* Who asks, as far as it is known without I/O: sets rq->session and ctx->user. False: it is not. */
bool guard_recall(struct app *app, struct ctx *ctx, struct http_request *rq);

/* Do Origin and Sec-Fetch-Site, where they are sent, name this site? */
bool guard_is_from_here(const struct app *app, struct ctx *ctx, const struct http_request *rq);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What the store said about sessions a moment ago (app->sessions): enough to show a page on the
 * event loop. By the digest of the id; neither the id nor a form token is kept. Whatever has to be
 * done with a session now and then (its use noted, its user asked for, its end) is left to
 * session_check: a session that is due for that is not known here. Never for a request that changes
 * something. */
#ifndef NOTES_SESSION_CACHE_H
#define NOTES_SESSION_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cache.h"
#include "base/cleanup.h"
#include "base/secret.h"

struct app;
struct ctx;
struct session;

/* Before the session is read from its store. */
struct cache_ticket session_cache_begin(struct app *app, const struct session *session);

/* It holds, as was read and checked since the ticket. */
void session_cache_keep(struct app *app,
                        const struct cache_ticket *ticket,
                        const struct session *session);

/* Fills a session that has its digest; all but user_etag. Without I/O. False: not known. */
bool session_cache_fill(struct app *app, struct ctx *ctx, struct session *session);

/* A session as its store has it gets the later time of a check that the store did not take: else
 * its user would be asked for at each request. */
void session_cache_add_check(struct app *app, struct session *session, int64_t now_unix_ms);

/* It has ended. */
void session_cache_drop(struct app *app, const unsigned char digest[SECRET_DIGEST_BYTES]);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Route handlers of identities.
 * Depends on: account_identities.h, identity_wire.h, user_handlers.h, user_wire.h. */
#ifndef NOTES_IDENTITY_HANDLERS_H
#define NOTES_IDENTITY_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* POST /find-or-create: by name, or with {"issuer", "subject", "provider", "username", …} by
 * identity. Then the answer has the ETag of /find, by which a session may begin. A release that
 * knows no identities goes by the name and sends no ETag: its answer is no sign-in. */
MUST_CHECK enum err identity_find_or_create_handle(struct app *app,
                                                   struct ctx *ctx,
                                                   const struct http_request *rq,
                                                   struct http_response *rs);

/* GET /identities/:username */
MUST_CHECK enum err identity_list_handle(struct app *app,
                                         struct ctx *ctx,
                                         const struct http_request *rq,
                                         struct http_response *rs);

/* POST /link-identity/:username {"provider", "issuer", "subject"}. With If-Match, which
 * is the ETag of /find, nothing changes for another account than that one: 412. */
MUST_CHECK enum err identity_link_handle(struct app *app,
                                         struct ctx *ctx,
                                         const struct http_request *rq,
                                         struct http_response *rs);

/* POST /unlink-identity/:username {"issuer", "subject"}; If-Match as above */
MUST_CHECK enum err identity_unlink_handle(struct app *app,
                                           struct ctx *ctx,
                                           const struct http_request *rq,
                                           struct http_response *rs);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Route handlers of password checks.
 * Depends on: app.h, login.h, auth_wire.h. */
#ifndef NOTES_AUTH_HANDLERS_H
#define NOTES_AUTH_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* POST /password-check */
MUST_CHECK enum err password_check_handle(struct app *app,
                                          struct ctx *ctx,
                                          const struct http_request *rq,
                                          struct http_response *rs);

#endif

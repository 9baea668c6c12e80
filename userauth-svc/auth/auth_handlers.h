/* SPDX-License-Identifier: MIT
 *
 * Route handlers of password checks and changes.
 * Depends on: app.h, login.h, password_change.h, auth_wire.h. */
#ifndef NOTES_AUTH_HANDLERS_H
#define NOTES_AUTH_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* POST /password-check {"username", "password", "client"?} -> {"check", ...}
 * `client` is by what the caller tells people apart, 1 to 255 characters, "" by default: failures
 * in a row are counted by name and client. One that begins with "device:" says that the caller has
 * proof of an earlier login of this device as this name: such a client is heard also when a name
 * has 100 failures (throttle.h). A caller must never pass on such a text from outside. */
MUST_CHECK enum err password_check_handle(struct app *app,
                                          struct ctx *ctx,
                                          const struct http_request *rq,
                                          struct http_response *rs);

/* POST /change-password {"username", "password", "plainPassword", "client"?} -> {"changed", ...}
 * The old password is a try like those of /password-check, counted with them. */
MUST_CHECK enum err password_change_handle(struct app *app,
                                           struct ctx *ctx,
                                           const struct http_request *rq,
                                           struct http_response *rs);

#endif

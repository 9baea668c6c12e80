/* SPDX-License-Identifier: MIT
 *
 * The sessions of any user, for who has the service key: userauth-cli. JSON. Users are named in the
 * stored spelling; one who does not exist has no sessions. */
#ifndef NOTES_SESSION_ADMIN_HANDLERS_H
#define NOTES_SESSION_ADMIN_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* [{"id","device","address","created","used"}], the last used first, at most
 * SESSION_LIST_MAX_COUNT. `address` is "" when it is not known. */
MUST_CHECK enum err session_admin_list_handle(struct app *app,
                                              struct ctx *ctx,
                                              const struct http_request *rq,
                                              struct http_response *rs);

/* {}; ERR_NOT_FOUND this user has no such session. */
MUST_CHECK enum err session_admin_end_handle(struct app *app,
                                             struct ctx *ctx,
                                             const struct http_request *rq,
                                             struct http_response *rs);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The way into live updates: GET /socket.io/ becomes a WebSocket, anything else there gets the
 * answer that Socket.IO clients know. */
#ifndef NOTES_LIVE_HANDLERS_H
#define NOTES_LIVE_HANDLERS_H

#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* GET and POST /socket.io/ */
enum err live_handle(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs);

#endif

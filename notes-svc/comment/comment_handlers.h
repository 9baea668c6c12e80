/* SPDX-License-Identifier: MIT
 *
 * Requests about comments: one handler per route, called after the guard, on a worker, with ctx->db
 * and rq->session set. Browsers are led back to the note; a page's script, which asks for JSON,
 * gets that. */
#ifndef NOTES_COMMENT_HANDLERS_H
#define NOTES_COMMENT_HANDLERS_H

#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* POST /notes/comment */
enum err comment_create_handle(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs);

/* POST /notes/comment/destroy */
enum err comment_destroy_handle(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Requests about notes: one handler per route. Each is called after the guard, on a worker, with
 * ctx->db set; those of signed-in routes with rq->session set. `..._cached` run before, on the
 * event loop. Depends on: router.h (their type),
 * all layers of this folder. */
#ifndef NOTES_NOTE_HANDLERS_H
#define NOTES_NOTE_HANDLERS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* GET /?page=N */
enum err note_home_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs);

/* GET /notes/view?key=K[&before=ID] */
enum err note_view_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs);

/* The two, where the page is kept and known to be the present one: on the event loop. */
bool note_home_cached(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs);
bool note_view_cached(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs);

/* GET /notes/add */
enum err note_add_handle(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         struct http_response *rs);

/* GET /notes/edit?key=K */
enum err note_edit_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs);

/* POST /notes/save */
enum err note_save_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs);

/* GET /notes/destroy?key=K */
enum err note_destroy_handle(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs);

/* POST /notes/destroy/confirm */
enum err note_destroy_confirm_handle(struct app *app,
                                     struct ctx *ctx,
                                     const struct http_request *rq,
                                     struct http_response *rs);

/* The note's page with a comment that was refused kept in its form: 400, for ctx->why.hint's
 * reason. For comment_handlers.c. Errors: ERR_NOT_FOUND no such note. */
MUST_CHECK enum err note_refuse_comment(struct app *app,
                                        struct ctx *ctx,
                                        const struct http_request *rq,
                                        struct http_response *rs,
                                        const char *key,
                                        const char *message);

#endif

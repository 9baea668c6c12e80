/* SPDX-License-Identifier: MIT
 *
 * Style sheet, script and pictures: whole answers made once at start, plain and gzipped, sent from
 * shared memory on the event loop. Names hold a digest, so browsers keep them for good; an outdated
 * name gets the present file, not to be stored. */
#ifndef NOTES_ASSET_HANDLERS_H
#define NOTES_ASSET_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct asset_store;
struct ctx;
struct http_request;
struct http_response;

/* NULL when out of memory. */
struct asset_store *asset_store_new(void);
/* After the server is gone. */
void asset_store_free(struct asset_store *store);

/* GET /assets/:name */
MUST_CHECK enum err asset_handle(struct app *app,
                                 struct ctx *ctx,
                                 const struct http_request *rq,
                                 struct http_response *rs);

/* GET /favicon.ico */
MUST_CHECK enum err favicon_handle(struct app *app,
                                   struct ctx *ctx,
                                   const struct http_request *rq,
                                   struct http_response *rs);

#endif

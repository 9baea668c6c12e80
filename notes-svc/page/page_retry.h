/* SPDX-License-Identifier: MIT
 *
 * The form of a request that was refused for a reason that passes, filled in as it came, so that
 * one press sends it again. Only of a form that was read whole: a cut text would be saved cut.
 * Depends on: views.h. Threads: any, loops as well. */
#ifndef NOTES_PAGE_RETRY_H
#define NOTES_PAGE_RETRY_H

#include <stddef.h>

#include "base/err.h"
#include "views/views.h"

struct ctx;
struct http_request;

/* Of one request, carriage returns not counted: a note's text and a little more. */
#define PAGE_KEPT_MAX_BYTES ((size_t)1200 * 1024)

/* The form to send again after `err`; its path is NULL where there is none. Passwords are left out,
 * and a form with a new one is none.
 * An update of a note that is gone becomes the form of a new one. */
struct view_retry page_retry(struct ctx *ctx, const struct http_request *rq, enum err err);

#endif

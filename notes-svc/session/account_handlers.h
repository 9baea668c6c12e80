/* SPDX-License-Identifier: MIT
 *
 * One's own account: the page, a new password, the list of one's sessions and their end. */
#ifndef NOTES_ACCOUNT_HANDLERS_H
#define NOTES_ACCOUNT_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* What the page says when it is shown next. */
enum account_done {
    ACCOUNT_DONE_PASSWORD,
    ACCOUNT_DONE_PASSWORD_SOON,
    ACCOUNT_DONE_SESSION,
    ACCOUNT_DONE_SESSION_BEFORE,
    ACCOUNT_DONE_OTHERS,
    ACCOUNT_DONE_LINKED,
    ACCOUNT_DONE_UNLINKED
};

/* Back to the page, which says so once. */
MUST_CHECK enum err account_answer_done(struct app *app,
                                        struct ctx *ctx,
                                        struct http_response *rs,
                                        enum account_done done);

MUST_CHECK enum err account_page_handle(struct app *app,
                                        struct ctx *ctx,
                                        const struct http_request *rq,
                                        struct http_response *rs);
MUST_CHECK enum err account_password_handle(struct app *app,
                                            struct ctx *ctx,
                                            const struct http_request *rq,
                                            struct http_response *rs);
MUST_CHECK enum err account_session_end_handle(struct app *app,
                                               struct ctx *ctx,
                                               const struct http_request *rq,
                                               struct http_response *rs);
MUST_CHECK enum err account_others_end_handle(struct app *app,
                                              struct ctx *ctx,
                                              const struct http_request *rq,
                                              struct http_response *rs);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Users as JSON: a request's body to a draft, a user to an answer. The password goes in only; there
 * is no way for it, or for a hash of it, to come out. Depends on: user.h, http_message.h. */
#ifndef NOTES_USER_WIRE_H
#define NOTES_USER_WIRE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct http_response;
struct user;
struct user_draft;
struct user_list;

/* A page of USER_PAGE_MAX_COUNT users whose every character needs six bytes fits. */
#define USER_ANSWER_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* Reads types only; user_draft_check holds the limits. Members that we don't know are ignored.
 * Errors:  ERR_INVALID no JSON object, a member of another type, or both passwords.
 * Tests:   tests/unit/test_user_wire.c */
MUST_CHECK enum err
user_wire_read(struct ctx *ctx, struct bytes body, struct user_draft *out_draft);

/* Is the text a JSON array of strings and objects, within the limit of such a list? Then this is
 * it, compact. */
MUST_CHECK bool user_wire_list_of(struct ctx *ctx, const char *text, const char **out_list);

/* 200 with the user. */
MUST_CHECK enum err
user_wire_answer(struct ctx *ctx, const struct user *user, struct http_response *rs);

/* 200 with an array. */
MUST_CHECK enum err
user_wire_answer_list(struct ctx *ctx, const struct user_list *list, struct http_response *rs);

/* "{}" with this status: what the Node version answers for a destroyed and for an unknown user. */
void user_wire_answer_empty(int status, struct http_response *rs);

#endif

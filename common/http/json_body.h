/* SPDX-License-Identifier: MIT
 *
 * Reading a JSON body strictly (RFC 8259: one object, no duplicate members, valid UTF-8, no
 * U+0000), and the JSON form of an error. Feature folders read members in their *_wire.c. */
#ifndef NOTES_JSON_BODY_H
#define NOTES_JSON_BODY_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct http_response;

static inline void json_body_release(json_t **value)
{
    json_decref(*value);
}

/* Once per process, before anything else of JSON; http_server_new does it. Freed values are wiped
 * from then on. */
void json_body_start(void);

/* "jansson 2.14": for --version. */
const char *json_body_library(void);

/* Owns: the caller: `CLEANUP(json_body_release) json_t *body = NULL;`
 * Errors: ERR_INVALID not one JSON object, or a text in it has a NUL (its member is named). */
MUST_CHECK enum err json_body_parse(struct ctx *ctx, struct bytes text, json_t **out_object);

/* The member as text in the arena; NULL when it is absent or null.
 * Errors: ERR_INVALID another type (field named). */
MUST_CHECK enum err
json_body_text(struct ctx *ctx, const json_t *object, const char *name, const char **out_text);

/* Compact text of a value, in the arena. Errors: ERR_TOO_LARGE over max_bytes. */
MUST_CHECK enum err
json_body_print(struct ctx *ctx, const json_t *value, size_t max_bytes, const char **out_text);

/* 200 (or another status) with this value. */
MUST_CHECK enum err
json_body_answer(struct ctx *ctx, struct http_response *rs, int status, const json_t *value);

/* {"code","message","requestId"[,"field"]} with err's status, which no cache keeps; Retry-After
 * when ctx has one. Never fails. */
void json_body_error(struct ctx *ctx, enum err err, struct http_response *rs);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The context of one piece of work, usually one request: its memory, its deadline, its name in the
 * logs, the reason of its first failure, and what the thread that runs it owns. Passed to every
 * function that can fail or allocate; owned by one thread at a time. */
#ifndef NOTES_CTX_H
#define NOTES_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct db;
struct http_client;
struct log;
struct redis;

#define REQUEST_ID_MAX_CHARS 64
#define CTX_WHY_MAX_BYTES    512

/* The first, deepest cause of a failure. For the log; only `field`, `code` and `hint` may reach the
 * client. */
struct ctx_why {
    char text[CTX_WHY_MAX_BYTES]; /* "" when nothing failed */
    const char *file;
    int line;
    const char *field; /* member of the input that was refused, NULL otherwise */
    const char *code;  /* tells more than that of the error, for programs; static; NULL: none */
    const char *hint; /* a sentence that the client may see, NULL for the code's own text; static or
                         arena */
};

struct ctx {
    struct arena arena;
    struct log *log;
    char request_id[REQUEST_ID_MAX_CHARS + 1];
    int64_t deadline_ms; /* clock_monotonic_ms() after which nothing new is begun */
    struct ctx_why why;
    const char *user;      /* who asks, for the log: a user's or a key's name, NULL when unknown */
    const char *peer;      /* address of the client, for the log, NULL when there is none */
    int64_t retry_after_s; /* with ERR_RATE_LIMITED and ERR_UNAVAILABLE: what Retry-After says; 0 is
                              unset */

    /* What the running worker owns; NULL on an event loop. */
    struct db *db;
    struct http_client *http;
    struct redis *redis; /* NULL also where none is configured */
};

/* Units: budget_ms from now to the deadline. A fresh random request id is made. */
void ctx_init(struct ctx *ctx, struct log *log, int64_t budget_ms);
void ctx_done(struct ctx *ctx);

/* Milliseconds left until the deadline, 0 when it has passed. */
int64_t ctx_left_ms(const struct ctx *ctx);

/* Notes why this failed, keeps an earlier note, and returns the code, so that `return
 * ctx_fail(...)` reads well. The text goes to the log only: it may name tables and errors of the
 * system, but never a secret. */
enum err
ctx_fail_at(struct ctx *ctx, enum err err, const char *file, int line, const char *format, ...)
    FORMAT(5, 6);
#define ctx_fail(ctx, err, ...) ctx_fail_at((ctx), (err), __FILE__, __LINE__, __VA_ARGS__)

/* The same for a member of the input that was refused. `field` is static text or the ctx's own;
 * `hint` is a sentence for people. Returns ERR_INVALID. */
enum err
ctx_refuse_at(struct ctx *ctx, const char *field, const char *hint, const char *file, int line);
#define ctx_refuse(ctx, field, hint) ctx_refuse_at((ctx), (field), (hint), __FILE__, __LINE__)

/* Forgets a failure that was coped with. */
void ctx_forgive(struct ctx *ctx);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A server with a tiny program behind it, on the loopback address, and a client that says each byte
 * by hand. Waiting is always for an event (an answer, an end, a counter), never for a time. */
#ifndef NOTES_HTTP_WORLD_H
#define NOTES_HTTP_WORLD_H

#include "base/cache.h"
#include "http/http_server.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#define ANSWER_MAX_BYTES   ((size_t)512 * 1024)
#define HEAD_BYTES         ((size_t)32 * 1024)
#define SMALL_BODY_BYTES   100                 /* of /form, /mirror and /closed */
#define LARGE_ANSWER_BYTES ((size_t)32 * 1024) /* of /large and /costly */

#define FORM_HEAD \
    "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"

struct app {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_gate_open; /* /gate waits for it */
    size_t at_gate_count;
    _Atomic int handled_count; /* of /loop, /work, /gate and those that take bodies */
    struct http_prepared *prepared;
    struct cached kept; /* of /kept; each of its answers on the loop holds it */
};

struct world {
    struct app app;
    struct log *log;
    struct workers *workers;
    struct http_server *server;
    int64_t port;
};

struct answer {
    char text[ANSWER_MAX_BYTES]; /* head and body */
    size_t size_bytes;
    int status; /* 0: closed without one */
    const char *body;
};

/* world_prepare, then world_start_with options that world_options made; or world_start for all of
 * it. */
void world_prepare(struct world *world, int64_t workers_count, int64_t queue_max_count);
struct http_server_options world_options(struct world *world);
void world_start_with(struct world *world, const struct http_server_options *options);
void world_start(struct world *world);

/* Opens the gate, drains, frees. */
void world_stop(struct world *world);
/* What is left when the server was freed before. */
void world_free_rest(struct world *world);

void gate_open(struct app *app);
void gate_wait(struct app *app, size_t count);

int client_open(const struct world *world);
void client_send(int fd, const char *text, size_t size_bytes);
void client_say(int fd, const char *text);

/* A head and so many bytes of body, on a connection of their own. Returns the socket. */
int client_post(const struct world *world, const char *head, size_t body_bytes);

/* One answer; bytes of a following one stay in the socket, because the head is read byte by byte.
 */
void client_answer(int fd, bool has_body, struct answer *out_answer);
bool client_is_closed(int fd);

/* Sends bytes on a connection of their own, reads one answer. Returns the socket. */
int client_ask(const struct world *world, const char *request, struct answer *out_answer);

/* The request gets this status and body (NULL: any), and the connection stays open or not. */
void client_expect(
    const struct world *world, const char *request, int status, const char *body, bool stays_open);

/* Older than 1.0. It reads some requests as an error that later ones read right, and the other way
 * round. */
bool library_is_old(void);

/* The last answer that client_expect read; free for tests to use, which run one after the other. */
extern struct answer answer;

#endif

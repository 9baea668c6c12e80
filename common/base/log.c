/* SPDX-License-Identifier: MIT
 *
 * Log lines on their way out. A line is formed on the caller's stack and copied into the pending
 * half of the buffer under the lock; the writer thread swaps the halves and writes without it, then
 * rests a moment: or it would be woken for each line, and meet the callers at the lock.
 * Halves are filled from their start, so memory that a quiet service never needs is never
 * touched. The output may be a pipe that nobody reads: the writer asks poll first and writes no
 * more than PIPE_BUF at once, which then can't block; so log_free can always end it. The
 * descriptor's flags stay: they may be another's too. What can't be written is dropped and
 * counted. This file can't log its own failures and does not try.
 * Depends on: log.h, log_line.h, clock.h, ctx.h, text.h, threads. */
#include "base/log.h"

#include "base/clock.h"
#include "base/ctx.h"
#include "base/log_line.h"
#include "base/text.h"
#include "base/thread.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HALF_BYTES (LOG_BUFFER_BYTES / 2)
#define POLL_MS    100
#define REST_MS    1

struct half {
    char *bytes;
    size_t size_bytes;
};

struct log {
    int fd;
    enum log_level level;
    struct log_look look;
    pthread_t thread;
    bool is_line_torn; /* the writer's own: the last write ended inside a line */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t has_lines;
    struct half pending;
    int64_t dropped_count;
    bool is_stopping;
    int64_t stop_at_ms; /* clock_monotonic_ms() */
};

static const char *const format_names[] = {"json", "text"};

/* The writer thread. */

static bool must_give_up(struct log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    bool is_late = log->is_stopping && clock_monotonic_ms() >= log->stop_at_ms;
    (void)pthread_mutex_unlock(&log->lock);
    return is_late;
}

/* Waits until the descriptor takes PIPE_BUF bytes without blocking. False: it is to be given up. A
 * descriptor in error counts as ready: write tells which error. */
static bool wait_until_ready(struct log *log)
{
    while (!must_give_up(log)) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        int count = poll(&ready, 1, POLL_MS);
        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return false;
    }
    return false;
}

/* How many of the bytes were written: all, or fewer when the rest is to be dropped. */
static size_t write_bytes(struct log *log, const char *bytes, size_t size_bytes)
{
    size_t written_bytes = 0;
    while (written_bytes < size_bytes && wait_until_ready(log)) {
        size_t left_bytes = size_bytes - written_bytes;
        ssize_t count =
            write(log->fd, bytes + written_bytes, left_bytes < PIPE_BUF ? left_bytes : PIPE_BUF);
        if (count >= 0)
            written_bytes += (size_t)count;
        else if (errno != EINTR && errno != EAGAIN)
            break;
    }
    return written_bytes;
}

static size_t count_lines(const char *bytes, size_t size_bytes)
{
    size_t count = 0;
    const char *end = bytes + size_bytes;
    for (const char *p = bytes; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        count++;
    return count;
}

/* Returns how many lines were lost. What was torn by an earlier failure is ended first, so that the
 * next line stands alone. */
static size_t write_lines(struct log *log, const char *bytes, size_t size_bytes)
{
    if (log->is_line_torn && write_bytes(log, "\n", 1) != 1)
        return count_lines(bytes, size_bytes);
    log->is_line_torn = false;
    size_t written_bytes = write_bytes(log, bytes, size_bytes);
    log->is_line_torn = written_bytes > 0 && bytes[written_bytes - 1] != '\n';
    return count_lines(bytes + written_bytes, size_bytes - written_bytes);
}

static bool write_dropped_line(struct log *log, int64_t dropped_count)
{
    struct log_field field = log_i64("count", dropped_count);
    struct log_event event = {
        .unix_ms = clock_unix_ms(),
        .level = LOG_WARN,
        .name = "log.lines_dropped",
        .fields = &field,
        .count = 1,
    };
    UNCLEARED struct log_line line;
    log_line_form(&line, &log->look, &event);
    return write_lines(log, line.text, line.size_bytes) == 0;
}

/* Waits for lines and swaps the halves. False when there is nothing more to come. */
static bool swap_halves(struct log *log, struct half *writing, int64_t *out_dropped_count)
{
    (void)pthread_mutex_lock(&log->lock);
    while (log->pending.size_bytes == 0 && !log->is_stopping)
        (void)pthread_cond_wait(&log->has_lines, &log->lock);
    struct half full = log->pending;
    log->pending = (struct half){.bytes = writing->bytes};
    *writing = full;
    *out_dropped_count = log->dropped_count;
    log->dropped_count = 0;
    bool has_more = full.size_bytes > 0 || !log->is_stopping;
    (void)pthread_mutex_unlock(&log->lock);
    return has_more;
}

static void note_dropped(struct log *log, int64_t count)
{
    (void)pthread_mutex_lock(&log->lock);
    log->dropped_count += count;
    (void)pthread_mutex_unlock(&log->lock);
}

static void *writer_main(void *argument)
{
    struct log *log = argument;
    (void)pthread_setname_np(pthread_self(), "log");
    struct half writing = {.bytes = malloc(HALF_BYTES)};
    if (!writing.bytes)
        abort();
    int64_t dropped_count = 0;
    while (swap_halves(log, &writing, &dropped_count)) {
        dropped_count += (int64_t)write_lines(log, writing.bytes, writing.size_bytes);
        if (dropped_count > 0 && !write_dropped_line(log, dropped_count))
            note_dropped(log, dropped_count);
        (void)poll(NULL, 0, REST_MS);
    }
    free(writing.bytes);
    return NULL;
}

struct log *log_new(int fd, const char *service, enum log_level level, enum log_format format)
{
    struct log *log = calloc(1, sizeof(*log));
    if (!log || pthread_mutex_init(&log->lock, NULL) != 0 ||
        pthread_cond_init(&log->has_lines, NULL) != 0)
        abort();
    log->fd = fd;
    log->level = level;
    log->look.service = service;
    log->look.format = format;
    log->look.is_coloured = format == LOG_TEXT && isatty(fd);
    log->pending.bytes = malloc(HALF_BYTES);
    if (!log->pending.bytes || !thread_start(&log->thread, writer_main, log))
        abort();
    return log;
}

void log_end(struct log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    log->is_stopping = true;
    log->stop_at_ms = clock_monotonic_ms() + LOG_FLUSH_MS;
    (void)pthread_cond_signal(&log->has_lines);
    (void)pthread_mutex_unlock(&log->lock);
    (void)pthread_join(log->thread, NULL);
}

void log_free(struct log *log)
{
    if (!log)
        return;
    log_end(log);
    (void)pthread_cond_destroy(&log->has_lines);
    (void)pthread_mutex_destroy(&log->lock);
    free(log->pending.bytes);
    free(log);
}

bool log_level_parse(const char *text, enum log_level *out_level)
{
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        if (text_equals(text, log_level_name((enum log_level)level))) {
            *out_level = (enum log_level)level;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *text, enum log_format *out_format)
{
    for (int format = LOG_JSON; format <= LOG_TEXT; format++) {
        if (text_equals(text, format_names[format])) {
            *out_format = (enum log_format)format;
            return true;
        }
    }
    return false;
}

void log_event_write(struct log *log,
                     const struct ctx *ctx,
                     enum log_level level,
                     const char *event,
                     const struct log_field *fields,
                     size_t count)
{
    if (!log || level > log->level)
        return;
    struct log_event whole = {
        .unix_ms = clock_unix_ms(),
        .level = level,
        .name = event,
        .request_id = ctx && ctx->request_id[0] ? ctx->request_id : NULL,
        .fields = fields,
        .count = count,
    };
    UNCLEARED struct log_line line;
    log_line_form(&line, &log->look, &whole);
    (void)pthread_mutex_lock(&log->lock);
    struct half *half = &log->pending;
    if (line.size_bytes <= HALF_BYTES - half->size_bytes) {
        memcpy(half->bytes + half->size_bytes, line.text, line.size_bytes);
        half->size_bytes += line.size_bytes;
        if (half->size_bytes == line.size_bytes)
            (void)pthread_cond_signal(&log->has_lines);
    } else {
        log->dropped_count++;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

/* SPDX-License-Identifier: MIT
 *
 * A list of entries and a thread that looks at all of them when the earliest deadline is there:
 * there are as many as database connections, so a walk is cheap. An entry that begins wakes the
 * thread only if it is to end before what the thread waits for anyway. Depends on: clock.h. */
#include "data/deadline_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct watched *first;
    int64_t wakes_at_ms; /* when the thread looks next */
    int64_t answered_ms; /* when a call ended last that was not cut */
    bool is_running;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .wakes_at_ms = INT64_MAX};

/* Cuts what is due; gives the earliest deadline of the rest. With the lock held. */
static int64_t cut_due(int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    for (struct watched *watched = watch.first; watched; watched = watched->next) {
        if (watched->until_ms <= now_ms) {
            if (watched->socket >= 0)
                shutdown(watched->socket, SHUT_RDWR);
            watched->is_cut = true;
            watched->until_ms = INT64_MAX;
        } else if (watched->until_ms < next_ms) {
            next_ms = watched->until_ms;
        }
    }
    return next_ms;
}

static void *run(void *unused)
{
    pthread_mutex_lock(&watch.lock);
    for (;;) {
        watch.wakes_at_ms = cut_due(clock_monotonic_ms());
        (void)condition_wait_until(&watch.changed, &watch.lock, watch.wakes_at_ms);
    }
    return unused;
}

/* With the lock held. */
static bool start(void)
{
    condition_start(&watch.changed);
    pthread_t thread;
    bool is_started = thread_start(&thread, run, NULL);
    if (is_started)
        pthread_detach(thread);
    return is_started;
}

bool watch_add(struct watched *watched)
{
    pthread_mutex_lock(&watch.lock);
    if (!watch.is_running)
        watch.is_running = start();
    bool is_running = watch.is_running;
    if (is_running) {
        watched->socket = -1;
        watched->until_ms = INT64_MAX;
        watched->previous = NULL;
        watched->next = watch.first;
        if (watch.first)
            watch.first->previous = watched;
        watch.first = watched;
    }
    pthread_mutex_unlock(&watch.lock);
    return is_running;
}

void watch_remove(struct watched *watched)
{
    pthread_mutex_lock(&watch.lock);
    if (watched->previous)
        watched->previous->next = watched->next;
    else if (watch.first == watched)
        watch.first = watched->next;
    if (watched->next)
        watched->next->previous = watched->previous;
    pthread_mutex_unlock(&watch.lock);
}

void watch_begin(struct watched *watched, int64_t until_ms)
{
    pthread_mutex_lock(&watch.lock);
    watched->begun_ms = clock_monotonic_ms();
    watched->is_running = true;
    watched->is_cut = false;
    watched->until_ms = until_ms;
    bool is_earlier = until_ms < watch.wakes_at_ms;
    if (is_earlier)
        pthread_cond_signal(&watch.changed);
    pthread_mutex_unlock(&watch.lock);
}

void watch_socket(struct watched *watched, int socket)
{
    if (watched->socket >= 0)
        return;
    int own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_lock(&watch.lock);
    watched->socket = own;
    if (watched->is_cut && own >= 0)
        shutdown(own, SHUT_RDWR);
    pthread_mutex_unlock(&watch.lock);
}

void watch_hang_up(struct watched *watched)
{
    pthread_mutex_lock(&watch.lock);
    int own = watched->socket;
    watched->socket = -1;
    pthread_mutex_unlock(&watch.lock);
    if (own < 0)
        return;
    shutdown(own, SHUT_RDWR);
    close(own);
}

static bool end(struct watched *watched, bool is_answered)
{
    pthread_mutex_lock(&watch.lock);
    watched->until_ms = INT64_MAX;
    watched->is_running = false;
    bool is_cut = watched->is_cut;
    if (is_answered && !is_cut)
        watch.answered_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&watch.lock);
    return is_cut;
}

bool watch_end(struct watched *watched)
{
    return end(watched, true);
}

void watch_end_in_vain(struct watched *watched)
{
    (void)end(watched, false);
}

/* The walk is for the case that something is wrong: usually the last answer is recent. */
bool watch_is_stuck(void)
{
    int64_t old_ms = clock_monotonic_ms() - WATCH_STUCK_MS;
    int old_count = 0;
    bool has_young = false;
    pthread_mutex_lock(&watch.lock);
    bool is_silent = watch.answered_ms < old_ms;
    for (const struct watched *watched = watch.first; is_silent && watched;
         watched = watched->next) {
        old_count += watched->is_running && watched->begun_ms <= old_ms;
        has_young |= watched->is_running && watched->begun_ms > old_ms;
    }
    pthread_mutex_unlock(&watch.lock);
    return old_count >= WATCH_STUCK_COUNT && has_young;
}

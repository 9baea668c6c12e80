/* SPDX-License-Identifier: MIT
 *
 * The hub's thread: mail, sockets that are ready, timers, then those that were waited for. Depends
 * on: hub_parts.h, Linux epoll and eventfd. */
#include "live/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "live/hub_parts.h"

#define READY_MAX_COUNT 256
#define WAIT_MAX_MS     1000

/* ---- mail ---- */

void hub_post(struct hub *hub, struct mail *mail)
{
    mail->next = NULL;
    (void)pthread_mutex_lock(&hub->lock);
    bool was_empty = !hub->first_mail;
    if (hub->last_mail)
        hub->last_mail->next = mail;
    else
        hub->first_mail = mail;
    hub->last_mail = mail;
    (void)pthread_mutex_unlock(&hub->lock);
    uint64_t one = 1;
    if (was_empty)
        (void)!write(hub->wake_fd, &one, sizeof(one));
}

static void deliver_all(struct hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    struct mail *mail = hub->first_mail;
    hub->first_mail = NULL;
    hub->last_mail = NULL;
    (void)pthread_mutex_unlock(&hub->lock);
    while (mail) {
        struct mail *next = mail->next; /* it belongs to deliver */
        mail->deliver(hub, mail);
        mail = next;
    }
}

bool hub_is_stopping(struct hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    bool is = hub->is_stopping;
    (void)pthread_mutex_unlock(&hub->lock);
    return is;
}

/* ---- timers ---- */

static void fire(struct hub *hub)
{
    static void (*const ON_DUE[TIMER_COUNT])(struct hub *, struct timer *) = {
        [TIMER_PING] = client_on_beat,    [TIMER_PONG] = client_on_silence,
        [TIMER_CONNECT] = client_on_gate, [TIMER_CLOSE] = client_on_gate,
        [TIMER_GAP] = room_on_gap,        [TIMER_RETRY] = room_on_retry,
        [TIMER_DOUBT] = room_on_doubt,    [TIMER_REST] = client_on_rest,
    };
    for (size_t kind = 0; kind < TIMER_COUNT; kind++) {
        struct timer *timer;
        while (ON_DUE[kind] && (timer = timer_take_due(&hub->timers[kind], hub->now_ms)))
            ON_DUE[kind](hub, timer);
    }
    sessions_sweep(hub);
    rooms_confirm(hub);
}

static int wait_ms(struct hub *hub)
{
    int64_t until_ms = hub->now_ms + WAIT_MAX_MS;
    bool can_confirm = !hub->confirm.is_running && !hub_is_stopping(hub);
    for (size_t kind = 0; kind < TIMER_COUNT; kind++) {
        if (kind == TIMER_CONFIRM && !can_confirm)
            continue; /* the mail of what runs wakes us; at the end nothing follows it */
        int64_t next_ms = timer_next_ms(&hub->timers[kind]);
        until_ms = next_ms < until_ms ? next_ms : until_ms;
    }
    return until_ms > hub->now_ms ? (int)(until_ms - hub->now_ms) : 0;
}

/* ---- the loop ---- */

static void clear_wake(struct hub *hub)
{
    uint64_t count;
    (void)!read(hub->wake_fd, &count, sizeof(count));
}

static void turn(struct hub *hub)
{
    struct epoll_event ready[READY_MAX_COUNT];
    int count = epoll_wait(hub->epoll_fd, ready, READY_MAX_COUNT, wait_ms(hub));
    hub->now_ms = clock_monotonic_ms();
    for (int i = 0; i < count; i++) {
        if (ready[i].data.ptr)
            client_on_ready(hub, ready[i].data.ptr, ready[i].events);
        else
            clear_wake(hub);
    }
    deliver_all(hub);
    fire(hub);
    clients_resume(hub);
    clients_make_room(hub);
    clients_bury(hub);
}

static void end_all(struct hub *hub, int64_t until_ms)
{
    for (struct client *client = hub->clients; client;) {
        struct client *next = client->next; /* it may go at once */
        client_end(hub, client, WEBSOCKET_GOING_AWAY);
        client = next;
    }
    while (hub->clients && hub->now_ms < until_ms)
        turn(hub);
    while (hub->clients)
        client_drop(hub, hub->clients);
    clients_bury(hub);
}

static void *run(void *argument)
{
    struct hub *hub = argument;
    (void)pthread_setname_np(pthread_self(), "live-hub");
    hub->now_ms = clock_monotonic_ms();
    while (!hub_is_stopping(hub))
        turn(hub);
    deliver_all(hub);
    end_all(hub, hub->now_ms + HUB_STOP_WAIT_MS);
    return NULL;
}

/* ---- life ---- */

static bool open_files(struct hub *hub)
{
    hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    hub->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    return hub->epoll_fd >= 0 && hub->wake_fd >= 0 &&
           epoll_ctl(hub->epoll_fd, EPOLL_CTL_ADD, hub->wake_fd, &event) == 0;
}

struct hub *hub_new(const struct hub_options *options)
{
    struct hub *hub = calloc(1, sizeof(*hub));
    if (!hub || pthread_mutex_init(&hub->lock, NULL) != 0 ||
        pthread_mutex_init(&hub->rooms.lock, NULL) != 0)
        abort();
    hub->options = *options;
    if (options->waiting_max_bytes == 0)
        hub->options.waiting_max_bytes = HUB_WAITING_MAX_BYTES;
    if (options->unread_max_bytes == 0)
        hub->options.unread_max_bytes = HUB_UNREAD_MAX_BYTES;
    hub->input = malloc(HUB_INPUT_BYTES);
    hub->payload = malloc(HUB_PAYLOAD_BYTES + 1);
    if (!hub->input || !hub->payload)
        abort();
    const int64_t spans[TIMER_COUNT] = {
        [TIMER_PING] = options->times.ping_interval_ms,
        [TIMER_PONG] = options->times.ping_timeout_ms,
        [TIMER_CONNECT] = options->connect_timeout_ms,
        [TIMER_CLOSE] = HUB_CLOSE_WAIT_MS,
        [TIMER_GAP] = HUB_GAP_WAIT_MS,
        [TIMER_RETRY] = HUB_RETRY_LOOK_MS,
        [TIMER_CONFIRM] = options->confirm_every_ms,
        [TIMER_DOUBT] = HUB_GAP_WAIT_MS,
        [TIMER_REST] = HUB_REST_MS,
    };
    for (size_t kind = 0; kind < TIMER_COUNT; kind++)
        timer_queue_init(&hub->timers[kind], spans[kind]);
    timer_queue_init(&hub->standing, 0);
    timer_queue_init(&hub->unread, 0);
    hub->has_thread = open_files(hub) && thread_start(&hub->thread, run, hub);
    if (hub->has_thread)
        return hub;
    hub_free(hub);
    return NULL;
}

void hub_stop(struct hub *hub)
{
    if (!hub || !hub->has_thread)
        return;
    (void)pthread_mutex_lock(&hub->lock);
    hub->is_stopping = true;
    (void)pthread_mutex_unlock(&hub->lock);
    uint64_t one = 1;
    (void)!write(hub->wake_fd, &one, sizeof(one));
    (void)pthread_join(hub->thread, NULL);
    hub->has_thread = false;
}

/* What workers still sent is delivered here: nobody is left to hear it, and it is freed. */
void hub_free(struct hub *hub)
{
    if (!hub)
        return;
    hub_stop(hub);
    deliver_all(hub);
    while (hub->clients)
        client_drop(hub, hub->clients);
    clients_resume(hub); /* those that waited for an answer: none is buried before */
    clients_bury(hub);
    if (hub->epoll_fd >= 0)
        (void)close(hub->epoll_fd);
    if (hub->wake_fd >= 0)
        (void)close(hub->wake_fd);
    free(hub->input);
    free(hub->payload);
    (void)pthread_mutex_destroy(&hub->rooms.lock);
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub);
}

/* ---- newcomers ---- */

struct admission {
    struct mail mail;
    int fd;
    struct hub_newcomer newcomer;
    char *peer;
    char *key;
    size_t extra_bytes;
    unsigned char extra[];
};

static void deliver_admission(struct hub *hub, struct mail *mail)
{
    struct admission *admission = OWNER_OF(mail, struct admission, mail);
    const struct bytes extra = {.p = admission->extra, .n = admission->extra_bytes};
    admission->newcomer.peer = admission->peer;
    admission->newcomer.key = admission->key;
    client_admit(hub, admission->fd, extra, &admission->newcomer);
    free(admission->peer);
    free(admission->key);
    free(admission);
}

static char *copy_of(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        abort();
    return copy;
}

void hub_admit(struct hub *hub, int fd, struct bytes extra, const struct hub_newcomer *newcomer)
{
    struct admission *admission = malloc(sizeof(*admission) + extra.n);
    if (!admission)
        abort();
    *admission = (struct admission){
        .mail.deliver = deliver_admission,
        .fd = fd,
        .newcomer = *newcomer,
        .peer = copy_of(newcomer->peer),
        .key = copy_of(newcomer->key),
        .extra_bytes = extra.n,
    };
    if (extra.n > 0)
        memcpy(admission->extra, extra.p, extra.n);
    hub_post(hub, &admission->mail);
}

/* SPDX-License-Identifier: MIT
 *
 * One live socket: bytes in, frames out, its timers, its end. A client that is waited for (a worker
 * has an event of it, or its room is being read for it) is not read meanwhile, so that its events
 * are served in order and can't pile up; nor is one that said too much in a second. What it must be
 * told goes out at once or into its queue; a queue over its limit means a reader that stands still,
 * and the socket is cut. When all queues together are over theirs, so is who stands still longest
 * of those that hold no less than others do; and likewise of what came and can't be read yet.
 * Depends on: hub_parts.h, websocket.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "live/hub_parts.h"

static void client_log(struct hub *hub, const struct client *client, const char *event)
{
    const struct log_field fields[] = {log_str("peer", client->peer)};
    log_event_write(hub->options.log, NULL, LOG_WARN, event, fields, ARRAY_COUNT(fields));
}

/* ---- what epoll watches for ---- */

static bool is_waited_for(const struct client *client)
{
    return client->has_call || client->home.is_asking || client->notes.is_asking ||
           client->rest.next;
}

static void watch(struct hub *hub, struct client *client)
{
    uint32_t events = client->first_out ? EPOLLOUT : 0;
    if (client->is_closing || !is_waited_for(client))
        events |= EPOLLIN;
    if (events == client->events || client->fd < 0)
        return;
    client->events = events;
    struct epoll_event event = {.events = events, .data.ptr = client};
    (void)epoll_ctl(hub->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

/* ---- the end ---- */

/* What a frame takes while it waits. A stranger may ask for very many that are very small. */
static size_t waiting_bytes(const struct frame *frame)
{
    return sizeof(struct outgoing) + sizeof(*frame) + frame->size_bytes;
}

/* In the count of all queues a frame is once, however many it waits in. */
static void count_waiting(struct hub *hub, struct frame *frame)
{
    bool is_first = frame->queues_count++ == 0;
    atomic_fetch_add(&hub->waiting_bytes,
                     is_first ? waiting_bytes(frame) : sizeof(struct outgoing));
}

static void uncount_waiting(struct hub *hub, struct frame *frame)
{
    bool is_last = --frame->queues_count == 0;
    atomic_fetch_sub(&hub->waiting_bytes, is_last ? waiting_bytes(frame) : sizeof(struct outgoing));
}

static void enqueue(struct hub *hub, struct client *client, struct frame *frame)
{
    struct outgoing *item = malloc(sizeof(*item));
    if (!item)
        abort();
    *item = (struct outgoing){.frame = frame_share(frame)};
    if (client->last_out)
        client->last_out->next = item;
    else
        client->first_out = item;
    client->last_out = item;
    client->out_bytes += waiting_bytes(frame);
    count_waiting(hub, frame);
}

static void dequeue(struct hub *hub, struct client *client)
{
    struct outgoing *first = client->first_out;
    client->out_bytes -= waiting_bytes(first->frame);
    client->out_offset_bytes = 0;
    client->first_out = first->next;
    if (!client->first_out)
        client->last_out = NULL;
    uncount_waiting(hub, first->frame);
    frame_release(first->frame);
    free(first);
}

static void forget_output(struct hub *hub, struct client *client)
{
    timer_stop(&client->standstill);
    while (client->first_out)
        dequeue(hub, client);
}

static void count_unread(struct hub *hub, struct client *client)
{
    size_t before_bytes = client->unread_bytes;
    client->unread_bytes = client->held_bytes + client->message_bytes;
    atomic_fetch_add(&hub->unread_bytes, client->unread_bytes);
    atomic_fetch_sub(&hub->unread_bytes, before_bytes);
    if (client->unread_bytes == 0)
        timer_stop(&client->unread);
    else if (before_bytes == 0)
        timer_start(&hub->unread, &client->unread, hub->now_ms);
}

static void forget_input(struct hub *hub, struct client *client)
{
    free(client->held);
    free(client->message);
    client->held = NULL;
    client->message = NULL;
    client->held_bytes = 0;
    client->message_bytes = 0;
    count_unread(hub, client);
}

static void leave_all(struct hub *hub, struct client *client)
{
    room_leave(hub, &client->home);
    room_leave(hub, &client->notes);
    timer_stop(&client->beat);
    timer_stop(&client->gate);
    timer_stop(&client->rest);
    if (client->is_signed_in)
        sessions_remove(hub, client);
    client->is_signed_in = false;
}

void client_drop(struct hub *hub, struct client *client)
{
    if (client->fd < 0)
        return;
    leave_all(hub, client);
    forget_output(hub, client);
    forget_input(hub, client);
    /* libmicrohttpd may not have closed its own descriptor of this socket yet, so closing ours
     * would not take it out of epoll. */
    (void)epoll_ctl(hub->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
    (void)close(client->fd);
    client->fd = -1;
    client->is_closing = true;
    if (client->previous)
        client->previous->next = client->next;
    else
        hub->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    hub->options.leave(hub->options.app, client->place);
    client->next = hub->graveyard;
    hub->graveyard = client;
}

/* Those that a worker still knows stay until it answers. */
void clients_bury(struct hub *hub)
{
    struct client **at = &hub->graveyard;
    while (*at) {
        struct client *client = *at;
        if (client->has_call || client->is_to_resume) {
            at = &client->next;
            continue;
        }
        *at = client->next;
        free(client->query_key);
        free(client);
    }
}

/* ---- output ---- */

/* False: the socket is broken. */
static bool write_some(const struct client *client, const struct frame *frame, size_t *offset_bytes)
{
    while (*offset_bytes < frame->size_bytes) {
        ssize_t sent_bytes = send(client->fd, frame->bytes + *offset_bytes,
                                  frame->size_bytes - *offset_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent_bytes < 0 && errno == EINTR)
            continue;
        if (sent_bytes < 0)
            return errno == EAGAIN;
        *offset_bytes += (size_t)sent_bytes;
    }
    return true;
}

static void put(struct hub *hub, struct client *client, struct frame *frame)
{
    size_t offset_bytes = 0;
    if (!client->first_out && !write_some(client, frame, &offset_bytes)) {
        client_drop(hub, client);
        return;
    }
    if (offset_bytes == frame->size_bytes)
        return;
    if (!client->first_out) {
        client->out_offset_bytes = offset_bytes;
        timer_start(&hub->standing, &client->standstill, hub->now_ms);
    }
    enqueue(hub, client, frame);
    watch(hub, client);
}

/* One frame fits whatever its size: the limit is for what waits before it. */
void client_send(struct hub *hub, struct client *client, struct frame *frame)
{
    if (client->is_closing)
        return;
    if (client->first_out && client->out_bytes >= (size_t)hub->options.queue_max_bytes) {
        client_log(hub, client, "live.client_cut");
        client_drop(hub, client);
        return;
    }
    put(hub, client, frame);
}

void client_send_text(struct hub *hub, struct client *client, const char *text)
{
    struct frame *frame = frame_text(text);
    client_send(hub, client, frame);
    frame_release(frame);
}

static void shut_when_told(struct client *client)
{
    if (client->is_closing && !client->first_out && client->fd >= 0)
        (void)shutdown(client->fd, SHUT_WR);
}

/* A socket is ready when its kernel has sent a good part of what it held: so this is a step ahead,
 * which one byte that was read is not. */
static void flush(struct hub *hub, struct client *client)
{
    while (client->first_out) {
        const struct frame *frame = client->first_out->frame;
        if (!write_some(client, frame, &client->out_offset_bytes)) {
            client_drop(hub, client);
            return;
        }
        if (client->out_offset_bytes < frame->size_bytes)
            break;
        dequeue(hub, client);
    }
    if (client->first_out)
        timer_start(&hub->standing, &client->standstill, hub->now_ms);
    else
        timer_stop(&client->standstill);
    shut_when_told(client);
    watch(hub, client);
}

/* Clients that hold something, first who does for longest. */
struct holders {
    struct timer_queue *queue;
    const _Atomic size_t *all_bytes; /* that they hold together */
    size_t max_bytes;
    struct client *(*client_of)(struct timer *timer);
    size_t (*bytes_of)(const struct client *client);
    const char *event; /* for the log, of who is cut */
};

static struct client *client_of_standstill(struct timer *timer)
{
    return OWNER_OF(timer, struct client, standstill);
}

static size_t out_bytes_of(const struct client *client)
{
    return client->out_bytes;
}

static struct client *client_of_unread(struct timer *timer)
{
    return OWNER_OF(timer, struct client, unread);
}

static size_t unread_bytes_of(const struct client *client)
{
    return client->unread_bytes;
}

/* Of all that is held, the equal part of each who holds something. */
static size_t equal_part_bytes(const struct holders *holders)
{
    const struct timer *head = &holders->queue->head;
    size_t count = 0;
    for (const struct timer *at = head->next; at != head; at = at->next)
        count++;
    return count > 0 ? atomic_load(holders->all_bytes) / count : 0;
}

/* Of those that hold something for longest, only who holds at least an equal part is cut: who is
 * slow and holds little would free little. There is always one: what each holds is together no less
 * than what all do, which counts a shared frame once. Who is cut frees nothing when others wait for
 * the same frame; then they are next. One alone may have whatever it is sent: a frame fits,
 * whatever its size. */
static void cut_holders(struct hub *hub, const struct holders *holders)
{
    struct timer *head = &holders->queue->head;
    struct timer *at = head;
    size_t part_bytes = 0;
    while (atomic_load(holders->all_bytes) > holders->max_bytes && head->next != head->previous) {
        if (at == head) {
            part_bytes = equal_part_bytes(holders);
            at = head->next;
        }
        struct client *client = holders->client_of(at);
        at = at->next;
        if (holders->bytes_of(client) >= part_bytes) {
            client_log(hub, client, holders->event);
            client_drop(hub, client);
        }
    }
}

void clients_make_room(struct hub *hub)
{
    cut_holders(hub, &(struct holders){.queue = &hub->standing,
                                       .all_bytes = &hub->waiting_bytes,
                                       .max_bytes = hub->options.waiting_max_bytes,
                                       .client_of = client_of_standstill,
                                       .bytes_of = out_bytes_of,
                                       .event = "live.queues_full"});
    cut_holders(hub, &(struct holders){.queue = &hub->unread,
                                       .all_bytes = &hub->unread_bytes,
                                       .max_bytes = hub->options.unread_max_bytes,
                                       .client_of = client_of_unread,
                                       .bytes_of = unread_bytes_of,
                                       .event = "live.unread_full"});
}

void client_end(struct hub *hub, struct client *client, int reason)
{
    if (client->is_closing)
        return;
    leave_all(hub, client);
    forget_input(hub, client);
    client->is_closing = true;
    timer_start(&hub->timers[TIMER_CLOSE], &client->gate, hub->now_ms);
    struct frame *frame = frame_close(reason);
    put(hub, client, frame);
    frame_release(frame);
    shut_when_told(client);
    watch(hub, client);
}

/* ---- input ---- */

static void
receive_text(struct hub *hub, struct client *client, const unsigned char *text, size_t n)
{
    hub->payload[n] = '\0';
    if (text != hub->payload)
        memcpy(hub->payload, text, n);
    if (!text_is_utf8((const char *)hub->payload, n))
        client_end(hub, client, WEBSOCKET_NO_TEXT);
    else
        protocol_receive(hub, client, (const char *)hub->payload);
}

/* A message in several frames is put together here. */
static void
receive_fragment(struct hub *hub, struct client *client, const struct websocket_frame *frame)
{
    size_t whole_bytes = client->message_bytes + frame->payload_bytes;
    if (whole_bytes > HUB_PAYLOAD_BYTES) {
        client_end(hub, client, WEBSOCKET_TOO_LARGE_MESSAGE);
        return;
    }
    unsigned char *message = realloc(client->message, whole_bytes + 1);
    if (!message)
        abort();
    memcpy(message + client->message_bytes, hub->payload, frame->payload_bytes);
    client->message = message;
    client->message_bytes = whole_bytes;
    client->is_in_message = !frame->is_final;
    if (!frame->is_final)
        return;
    client->message = NULL;
    client->message_bytes = 0;
    receive_text(hub, client, message, whole_bytes);
    free(message);
}

static void
receive_data(struct hub *hub, struct client *client, const struct websocket_frame *frame)
{
    bool is_first = frame->opcode == WEBSOCKET_TEXT;
    if (is_first == client->is_in_message)
        client_end(hub, client, WEBSOCKET_PROTOCOL_ERROR);
    else if (is_first && frame->is_final)
        receive_text(hub, client, hub->payload, frame->payload_bytes);
    else
        receive_fragment(hub, client, frame);
}

static void
receive_frame(struct hub *hub, struct client *client, const struct websocket_frame *frame)
{
    switch (frame->opcode) {
    case WEBSOCKET_TEXT:
    case WEBSOCKET_CONTINUATION:
        receive_data(hub, client, frame);
        return;
    case WEBSOCKET_PING: {
        struct frame *pong = frame_pong(hub->payload, frame->payload_bytes);
        client_send(hub, client, pong);
        frame_release(pong);
        return;
    }
    case WEBSOCKET_PONG:
        return;
    case WEBSOCKET_CLOSE:
        client_end(hub, client, WEBSOCKET_NORMAL);
        return;
    case WEBSOCKET_BINARY:
        client_end(hub, client, WEBSOCKET_UNACCEPTABLE);
        return;
    default:
        client_end(hub, client, WEBSOCKET_PROTOCOL_ERROR);
    }
}

/* Who sends faster than is fair is not read for a moment: its network holds the rest back, so that
 * nothing is lost, and the others' events wait for nobody. */
static void count_frame(struct hub *hub, struct client *client)
{
    if (hub->now_ms - client->frames_from_ms >= HUB_REST_MS) {
        client->frames_from_ms = hub->now_ms;
        client->frames_count = 0;
    }
    client->frames_count++;
    if (client->is_closing || hub->options.messages_per_s == 0 ||
        client->frames_count < hub->options.messages_per_s)
        return;
    timer_start(&hub->timers[TIMER_REST], &client->rest, hub->now_ms);
    if (!client->is_slowing_logged)
        client_log(hub, client, "live.client_slowed");
    client->is_slowing_logged = true;
}

static void hold(struct client *client, struct bytes rest)
{
    client->held = malloc(rest.n);
    if (!client->held)
        abort();
    memcpy(client->held, rest.p, rest.n);
    client->held_bytes = rest.n;
}

/* Reads what is in hub->input as far as the client may be heard; the rest is held. */
static void parse(struct hub *hub, struct client *client, size_t input_bytes)
{
    size_t at = 0;
    while (!client->is_closing && !is_waited_for(client)) {
        struct websocket_frame frame;
        const struct bytes rest = {.p = hub->input + at, .n = input_bytes - at};
        enum websocket_verdict verdict =
            websocket_read(rest, hub->payload, HUB_PAYLOAD_BYTES, &frame);
        if (verdict == WEBSOCKET_PARTIAL)
            break;
        if (verdict != WEBSOCKET_FRAME) {
            client_end(hub, client,
                       verdict == WEBSOCKET_BROKEN ? WEBSOCKET_PROTOCOL_ERROR
                                                   : WEBSOCKET_TOO_LARGE_MESSAGE);
            break;
        }
        at += frame.used_bytes;
        receive_frame(hub, client, &frame);
        count_frame(hub, client);
    }
    free(client->held);
    client->held = NULL;
    client->held_bytes = 0;
    if (!client->is_closing && at < input_bytes)
        hold(client, (struct bytes){.p = hub->input + at, .n = input_bytes - at});
    count_unread(hub, client);
}

static size_t take_held(struct hub *hub, const struct client *client)
{
    if (client->held_bytes > 0)
        memcpy(hub->input, client->held, client->held_bytes);
    return client->held_bytes;
}

static void receive(struct hub *hub, struct client *client)
{
    size_t held_bytes = take_held(hub, client);
    ssize_t got_bytes = recv(client->fd, hub->input + held_bytes, HUB_READ_BYTES, MSG_DONTWAIT);
    if (got_bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got_bytes <= 0) {
        client_drop(hub, client);
        return;
    }
    if (!client->is_closing)
        parse(hub, client, held_bytes + (size_t)got_bytes);
    watch(hub, client);
}

void client_on_ready(struct hub *hub, struct client *client, uint32_t events)
{
    if (client->fd >= 0 && (events & EPOLLOUT))
        flush(hub, client);
    if (client->fd >= 0 && (events & EPOLLIN) && (client->is_closing || !is_waited_for(client)))
        receive(hub, client);
    if (client->fd >= 0 && (events & (EPOLLHUP | EPOLLERR)))
        client_drop(hub, client);
}

/* ---- waiting for a worker ---- */

void client_resume_later(struct hub *hub, struct client *client)
{
    if (client->is_to_resume)
        return;
    client->is_to_resume = true;
    client->next_to_resume = hub->to_resume;
    hub->to_resume = client;
}

void clients_resume(struct hub *hub)
{
    struct client *client = hub->to_resume;
    hub->to_resume = NULL;
    while (client) {
        struct client *next = client->next_to_resume;
        client->is_to_resume = false;
        if (!client->is_closing && client->held_bytes > 0)
            parse(hub, client, take_held(hub, client));
        watch(hub, client);
        client = next;
    }
}

/* ---- timers ---- */

void client_on_rest(struct hub *hub, struct timer *timer)
{
    client_resume_later(hub, OWNER_OF(timer, struct client, rest));
}

void client_on_beat(struct hub *hub, struct timer *timer)
{
    struct client *client = OWNER_OF(timer, struct client, beat);
    timer_start(&hub->timers[TIMER_PONG], &client->beat, hub->now_ms);
    client_send_text(hub, client, ENGINEIO_PING);
}

/* One that we don't listen to can't answer. It is pinged on: it must know that we are there, and
 * when its socket takes no more, so do we. */
void client_on_silence(struct hub *hub, struct timer *timer)
{
    struct client *client = OWNER_OF(timer, struct client, beat);
    if (is_waited_for(client))
        client_on_beat(hub, timer);
    else
        client_end(hub, client, WEBSOCKET_POLICY);
}

void client_on_pong(struct hub *hub, struct client *client)
{
    timer_start(&hub->timers[TIMER_PING], &client->beat, hub->now_ms);
}

void client_on_gate(struct hub *hub, struct timer *timer)
{
    struct client *client = OWNER_OF(timer, struct client, gate);
    if (client->is_closing)
        client_drop(hub, client);
    else
        client_end(hub, client, WEBSOCKET_POLICY);
}

/* ---- the beginning ---- */

static struct client *make(struct hub *hub, int fd, const struct hub_newcomer *newcomer)
{
    struct client *client = calloc(1, sizeof(*client));
    if (!client)
        abort();
    client->fd = fd;
    client->events = EPOLLIN;
    client->home.client = client;
    client->notes.client = client;
    client->place = newcomer->place;
    client->query_key = newcomer->key ? strdup(newcomer->key) : NULL;
    client->owner = newcomer->owner;
    client->is_signed_in = newcomer->is_signed_in;
    memcpy(client->digest, newcomer->digest, sizeof(client->digest));
    size_t peer_bytes = newcomer->peer ? strnlen(newcomer->peer, sizeof(client->peer) - 1) : 0;
    memcpy(client->peer, newcomer->peer ? newcomer->peer : "", peer_bytes);
    client->next = hub->clients;
    if (client->next)
        client->next->previous = client;
    hub->clients = client;
    if (client->is_signed_in)
        sessions_add(hub, client);
    return client;
}

void client_admit(struct hub *hub, int fd, struct bytes extra, const struct hub_newcomer *newcomer)
{
    int on = 1;
    struct client *client = make(hub, fd, newcomer);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event event = {.events = client->events, .data.ptr = client};
    if (hub_is_stopping(hub) || extra.n > HUB_HELD_BYTES ||
        epoll_ctl(hub->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        client_drop(hub, client);
        return;
    }
    timer_start(&hub->timers[TIMER_PING], &client->beat, hub->now_ms);
    timer_start(&hub->timers[TIMER_CONNECT], &client->gate, hub->now_ms);
    protocol_open(hub, client);
    if (extra.n == 0 || client->is_closing)
        return;
    memcpy(hub->input, extra.p, extra.n);
    parse(hub, client, extra.n);
    watch(hub, client);
}

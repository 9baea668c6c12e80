/* SPDX-License-Identifier: MIT
 *
 * One lock guards the list, the table by socket and the counts by address. It is taken when a
 * connection comes and goes and by the sweep, never per request: a connection's own state is
 * atomic. A socket can't be closed and its number used again while the sweep looks at it, because
 * it is removed under the lock first.
 *
 * The library tells nobody that the first bytes of a request came, only that its first line is
 * complete. So a connection that waits is asked for its TCP statistics: connections that were never
 * used at each sweep, kept-alive ones, of which there may be thousands, at every eighth. Depends
 * on: connections.h, address.h, http_message.h (status texts), Linux TCP_INFO. */
#include "http/connections.h"

#include "base/clock.h"
#include "http/http_message.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUCKETS_COUNT       1024 /* of addresses; a power of two */
#define OTHER_FILES_COUNT   4096 /* descriptors of the process that are no connections */
#define SWEEP_SHARE         8    /* kept-alive connections are looked at every so many sweeps */
#define ACKNOWLEDGE_SLOP_MS 50   /* the kernel counts in ticks of up to 10 ms */
#define CUT_ANSWER_BYTES    512
#define END_WAIT_MS         1000
#define END_LOOK_MS         1

struct address_count {
    struct address_count *next;
    char key[ADDRESS_TEXT_BYTES];
    int64_t count;
};

struct connections {
    struct connections_options options;
    pthread_mutex_t lock; /* of all below */
    struct connection *first;
    int64_t count;
    struct connection **by_fd;
    size_t by_fd_count;
    struct address_count *buckets[BUCKETS_COUNT];
    unsigned sweeps_count;
};

struct connections *connections_new(const struct connections_options *options)
{
    struct connections *connections = calloc(1, sizeof(*connections));
    if (!connections)
        return NULL;
    connections->options = *options;
    connections->by_fd_count =
        (size_t)(options->max_count + options->other_files_count) + OTHER_FILES_COUNT;
    connections->by_fd = calloc(connections->by_fd_count, sizeof(*connections->by_fd));
    if (!connections->by_fd || pthread_mutex_init(&connections->lock, NULL) != 0) {
        free(connections->by_fd);
        free(connections);
        return NULL;
    }
    return connections;
}

static void lock(struct connections *connections)
{
    (void)pthread_mutex_lock(&connections->lock);
}

static void unlock(struct connections *connections)
{
    (void)pthread_mutex_unlock(&connections->lock);
}

/* ---- counts by address ---- */

static struct address_count **bucket_of(struct connections *connections, const char *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a; a chain is at most as long as there are connections */
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return &connections->buckets[hash & (BUCKETS_COUNT - 1)];
}

/* The entry of an address, with room for one more; NULL when there is none. */
static struct address_count *count_address(struct connections *connections,
                                           const struct address *peer)
{
    char key[ADDRESS_TEXT_BYTES];
    address_limit_key(peer, key);
    struct address_count **bucket = bucket_of(connections, key);
    struct address_count *entry = *bucket;
    while (entry && strcmp(entry->key, key) != 0)
        entry = entry->next;
    if (entry && entry->count >= connections->options.per_address_count)
        return NULL;
    if (!entry) {
        entry = calloc(1, sizeof(*entry));
        if (!entry)
            return NULL;
        memcpy(entry->key, key, sizeof(key));
        entry->next = *bucket;
        *bucket = entry;
    }
    entry->count++;
    return entry;
}

static void uncount_address(struct connections *connections, struct address_count *entry)
{
    if (!entry || --entry->count > 0)
        return;
    struct address_count **at = bucket_of(connections, entry->key);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    free(entry);
}

/* ---- coming and going ---- */

struct address connection_address(const struct sockaddr *peer)
{
    struct address address = {{0}};
    if (peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof(v6));
        memcpy(address.bytes, &v6.sin6_addr, sizeof(address.bytes));
    } else if (peer->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof(v4));
        memset(address.bytes + 10, 0xff, 2);
        memcpy(address.bytes + 12, &v4.sin_addr, 4);
    }
    return address;
}

static void remove_locked(struct connections *connections, struct connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connections->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    connections->by_fd[connection->fd] = NULL;
    connections->count--;
    uncount_address(connections, connection->counted);
    free(connection);
}

static void insert_locked(struct connections *connections, struct connection *connection)
{
    connection->next = connections->first;
    if (connection->next)
        connection->next->previous = connection;
    connections->first = connection;
    connections->by_fd[connection->fd] = connection;
    connections->count++;
}

static enum connections_verdict
admit_locked(struct connections *connections, int fd, const struct address *peer)
{
    if ((size_t)fd >= connections->by_fd_count)
        return CONNECTIONS_FULL;
    if (connections->by_fd[fd])
        remove_locked(connections, connections->by_fd[fd]); /* never reached its loop */
    if (connections->count >= connections->options.max_count)
        return CONNECTIONS_FULL;
    bool is_trusted = networks_have(connections->options.trusted, peer);
    struct address_count *counted = NULL;
    if (connections->options.per_address_count > 0 && !is_trusted) {
        counted = count_address(connections, peer);
        if (!counted)
            return CONNECTIONS_ADDRESS_FULL;
    }
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        uncount_address(connections, counted);
        return CONNECTIONS_FULL;
    }
    connection->counted = counted;
    connection->peer = *peer;
    connection->is_trusted = is_trusted;
    connection->fd = fd;
    atomic_init(&connection->state, CONNECTION_ADMITTED);
    atomic_init(&connection->since_ms, clock_monotonic_ms());
    insert_locked(connections, connection);
    return CONNECTIONS_ADMITTED;
}

enum connections_verdict
connections_admit(struct connections *connections, int fd, const struct sockaddr *peer)
{
    struct address address = connection_address(peer);
    lock(connections);
    enum connections_verdict verdict = admit_locked(connections, fd, &address);
    unlock(connections);
    return verdict;
}

bool connections_are_full(struct connections *connections)
{
    lock(connections);
    bool is_full = connections->count >= connections->options.max_count;
    unlock(connections);
    return is_full;
}

size_t connections_count(struct connections *connections)
{
    lock(connections);
    size_t count = (size_t)connections->count;
    unlock(connections);
    return count;
}

struct connection *connections_find(struct connections *connections, int fd)
{
    lock(connections);
    struct connection *connection =
        (size_t)fd < connections->by_fd_count ? connections->by_fd[fd] : NULL;
    unlock(connections);
    return connection;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
    lock(connections);
    remove_locked(connections, connection);
    unlock(connections);
}

void connections_remove_fd(struct connections *connections, int fd)
{
    lock(connections);
    if (connections->by_fd[fd])
        remove_locked(connections, connections->by_fd[fd]);
    unlock(connections);
}

void connections_free(struct connections *connections)
{
    if (!connections)
        return;
    while (connections->first)
        remove_locked(connections, connections->first);
    (void)pthread_mutex_destroy(&connections->lock);
    free(connections->by_fd);
    free(connections);
}

/* ---- the state of one ---- */

void connection_start(struct connection *connection, void *handle)
{
    connection->handle = handle;
    connection->loop = pthread_self();
    atomic_store(&connection->state, CONNECTION_WAITING);
}

void connection_begin(struct connection *connection, int64_t now_ms)
{
    atomic_store(&connection->since_ms,
                 now_ms); /* first: the sweep must not see old time in the new state */
    int waiting = CONNECTION_WAITING;
    (void)atomic_compare_exchange_strong(&connection->state, &waiting, CONNECTION_READING);
}

bool connection_arrived(struct connection *connection)
{
    int reading = CONNECTION_READING;
    return atomic_compare_exchange_strong(&connection->state, &reading, CONNECTION_BUSY);
}

void connection_send(struct connection *connection, int64_t until_ms)
{
    int busy = CONNECTION_BUSY;
    atomic_store(&connection->send_until_ms, until_ms); /* first, as above */
    (void)atomic_compare_exchange_strong(&connection->state, &busy, CONNECTION_SENDING);
}

void connection_answered(struct connection *connection, int64_t now_ms)
{
    atomic_store(&connection->has_served, true);
    atomic_store(&connection->since_ms, now_ms);
    int busy = CONNECTION_BUSY;
    int sending = CONNECTION_SENDING;
    if (!atomic_compare_exchange_strong(&connection->state, &sending, CONNECTION_WAITING))
        (void)atomic_compare_exchange_strong(&connection->state, &busy, CONNECTION_WAITING);
}

/* Best effort: a client that does not even read gets nothing. */
void connection_cut(struct connection *connection, int status, const char *text)
{
    char answer[CUT_ANSWER_BYTES];
    char wait[32];
    (void)snprintf(wait, sizeof(wait), "Retry-After: %d\r\n", HTTP_RETRY_AFTER_S);
    int size = snprintf(
        answer, sizeof(answer),
        "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n%s\r\n%s",
        status, http_status_text(status), strlen(text), status == 503 ? wait : "", text);
    atomic_store(&connection->state, CONNECTION_CUT);
    if (size > 0 && (size_t)size < sizeof(answer))
        (void)send(connection->fd, answer, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(connection->fd, SHUT_RDWR);
}

bool connection_give_up(struct connection *connection)
{
    int reading = CONNECTION_READING;
    int sending = CONNECTION_SENDING;
    if (atomic_compare_exchange_strong(&connection->state, &reading, CONNECTION_CUT))
        connection_cut(connection, 503, "The server is receiving too much at once.\n");
    else if (atomic_compare_exchange_strong(&connection->state, &sending, CONNECTION_CUT))
        (void)shutdown(connection->fd, SHUT_RDWR);
    else
        return false;
    return true;
}

/* ---- the sweep ---- */

/* Have bytes come since the connection began to wait? */
static bool has_bytes(const struct connection *connection, int64_t waited_ms)
{
    struct tcp_info info;
    socklen_t size_bytes = sizeof(info);
    memset(&info, 0, sizeof(info));
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size_bytes) != 0)
        return false;
    if (!atomic_load(&connection->has_served))
        return info.tcpi_bytes_received > 0;
    return (int64_t)info.tcpi_last_data_recv + ACKNOWLEDGE_SLOP_MS < waited_ms;
}

/* Shuts a connection whose first line does not come. One that sent nothing at all gets no answer:
 * browsers open connections in advance. */
static bool
sweep_waiting(struct connections *connections, struct connection *connection, int64_t now_ms)
{
    int64_t since_ms = atomic_load(&connection->since_ms);
    if (connection->first_byte_ms < since_ms)
        connection->first_byte_ms = 0; /* of an earlier request */
    bool has_served = atomic_load(&connection->has_served);
    bool is_turn = ((unsigned)connection->fd + connections->sweeps_count) % SWEEP_SHARE == 0;
    if (connection->first_byte_ms == 0 && (!has_served || is_turn) &&
        has_bytes(connection, now_ms - since_ms))
        connection->first_byte_ms = now_ms;
    bool is_silent = connection->first_byte_ms == 0;
    int64_t begin_ms = is_silent ? since_ms : connection->first_byte_ms;
    if ((is_silent && has_served) || now_ms - begin_ms < connections->options.read_timeout_ms)
        return false;
    int waiting = CONNECTION_WAITING;
    if (!atomic_compare_exchange_strong(&connection->state, &waiting, CONNECTION_CUT))
        return false;
    if (is_silent)
        (void)shutdown(connection->fd, SHUT_RDWR);
    else
        connection_cut(connection, 408, "The request took too long to arrive.\n");
    return !is_silent;
}

static bool
sweep_reading(struct connections *connections, struct connection *connection, int64_t now_ms)
{
    int reading = CONNECTION_READING;
    if (now_ms - atomic_load(&connection->since_ms) < connections->options.read_timeout_ms ||
        !atomic_compare_exchange_strong(&connection->state, &reading, CONNECTION_CUT))
        return false;
    connection_cut(connection, 408, "The request took too long to arrive.\n");
    return true;
}

/* The library's own limit is on silence: a client that takes a byte now and then keeps the answer's
 * memory as long as it likes. */
static void sweep_sending(struct connection *connection, int64_t now_ms)
{
    int sending = CONNECTION_SENDING;
    if (now_ms >= atomic_load(&connection->send_until_ms) &&
        atomic_compare_exchange_strong(&connection->state, &sending, CONNECTION_CUT))
        (void)shutdown(connection->fd, SHUT_RDWR);
}

size_t connections_sweep(struct connections *connections,
                         int64_t now_ms,
                         char peer_text[ADDRESS_TEXT_BYTES])
{
    size_t cut_count = 0;
    lock(connections);
    connections->sweeps_count++;
    for (struct connection *connection = connections->first; connection;
         connection = connection->next) {
        int state = atomic_load(&connection->state);
        bool is_cut = false;
        if (state == CONNECTION_WAITING)
            is_cut = sweep_waiting(connections, connection, now_ms);
        else if (state == CONNECTION_READING)
            is_cut = sweep_reading(connections, connection, now_ms);
        else if (state == CONNECTION_SENDING)
            sweep_sending(connection, now_ms);
        if (is_cut)
            address_text(&connection->peer, peer_text);
        cut_count += is_cut;
    }
    unlock(connections);
    return cut_count;
}

void connections_end(struct connections *connections)
{
    int64_t until_ms = clock_monotonic_ms() + END_WAIT_MS;
    if (!connections)
        return;
    lock(connections);
    for (struct connection *connection = connections->first; connection;
         connection = connection->next)
        (void)shutdown(connection->fd, SHUT_RDWR);
    unlock(connections);
    while (connections_count(connections) > 0 && clock_monotonic_ms() < until_ms)
        clock_sleep_ms(END_LOOK_MS);
}

void connections_each_in_head(struct connections *connections,
                              void (*fn)(struct connection *connection))
{
    lock(connections);
    for (struct connection *connection = connections->first; connection;
         connection = connection->next) {
        if (atomic_load(&connection->state) == CONNECTION_READING && connection->handle &&
            pthread_equal(connection->loop, pthread_self()) && connection->is_in_head)
            fn(connection);
    }
    unlock(connections);
}

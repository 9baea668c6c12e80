/* SPDX-License-Identifier: MIT
 *
 * Load at a constant rate, whatever the answers take: a request is due at its time, also when those
 * before it are not answered yet, and its time counts from when it was due. That is how people
 * come; a closed loop (wrk) waits for a slow service and so hides that it is slow.
 *
 * usage: open_loop PORT RATE DURATION_MS CONNECTIONS FIRST COUNT REQUEST. REQUEST is a file; the
 * seven characters "@@@@@@@" in it become another number below COUNT each time.
 * Prints one JSON object: requests that were due, answered 2xx or 3xx ("ok"), 503, otherwise, and
 * not at all; times of the first two kinds, and how late they were sent.
 * Depends on: bench.h, clock.h. */
#include "bench.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_COUNT      512
#define HEAD_MAX_BYTES    8192
#define REQUEST_MAX_BYTES 8192
#define SOURCES_COUNT     16
#define KEY_STRIDE        7919
#define KEY_MARK          "@@@@@@@"
#define KEY_DIGITS        7
#define LAST_WAIT_US      3000000 /* for answers after the last request */
#define US_PER_S          1e6
#define US_PER_MS         1000.0

enum outcome { OUTCOME_OK, OUTCOME_REFUSED, OUTCOME_ELSE, OUTCOME_COUNT };

struct link {
    int fd;
    bool is_connected;
    bool is_busy;
    int64_t due_us; /* of the request that it carries */
    char head[HEAD_MAX_BYTES];
    size_t head_bytes;
    size_t left_bytes; /* of a body whose head was read */
    enum outcome outcome;
    struct link *next_free;
};

struct times {
    double *values_ms;
    size_t count;
};

struct load {
    int epoll_fd;
    int64_t port;
    struct link *links;
    size_t links_count;
    struct link *free;
    char request[REQUEST_MAX_BYTES];
    size_t request_bytes;
    char *key; /* in the request; may be NULL */
    int64_t key_number;
    int64_t keys_count;
    int64_t begun_us;
    double rate;
    int64_t due_count;  /* requests of the whole run */
    int64_t sent_count; /* they are sent in the order in which they are due */
    int64_t answered_count;
    struct times times[OUTCOME_COUNT];
    struct times lateness; /* of the sending: no connection was free, or we had no processor */
};

/* ---- connections ---- */

static void open_link(struct load *load, struct link *link)
{
    size_t place = (size_t)(link - load->links);
    *link = (struct link){.fd = bench_connect(load->port, (unsigned)(place % SOURCES_COUNT))};
    bench_watch(load->epoll_fd, link->fd, EPOLLOUT, link);
}

static void set_free(struct load *load, struct link *link)
{
    link->is_busy = false;
    link->next_free = load->free;
    load->free = link;
}

static int64_t due_us(const struct load *load, int64_t number)
{
    return load->begun_us + (int64_t)((double)number * US_PER_S / load->rate);
}

static void note_time(struct times *times, int64_t since_us)
{
    times->values_ms[times->count++] = (double)(clock_monotonic_us() - since_us) / US_PER_MS;
}

static void note_outcome(struct load *load, const struct link *link, enum outcome outcome)
{
    load->answered_count++;
    note_time(&load->times[outcome], link->due_us);
}

/* The other side closed: what it carried was not answered. A new one takes its place. */
static void on_closed(struct load *load, struct link *link)
{
    bool was_free = link->is_connected && !link->is_busy;
    if (link->is_busy)
        note_outcome(load, link, OUTCOME_ELSE);
    for (struct link **at = &load->free; was_free && *at; at = &(*at)->next_free) {
        if (*at == link) {
            *at = link->next_free;
            break;
        }
    }
    (void)close(link->fd);
    open_link(load, link);
}

/* ---- a request and its answer ---- */

static void send_request(struct load *load, struct link *link)
{
    if (load->key) {
        char digits[KEY_DIGITS + 1];
        int64_t number = load->key_number++ * KEY_STRIDE % load->keys_count;
        (void)snprintf(digits, sizeof(digits), "%0*d", KEY_DIGITS, (int)number);
        memcpy(load->key, digits, KEY_DIGITS);
    }
    link->is_busy = true;
    link->due_us = due_us(load, load->sent_count++);
    note_time(&load->lateness, link->due_us);
    link->head_bytes = 0;
    link->left_bytes = 0;
    if (send(link->fd, load->request, load->request_bytes, MSG_NOSIGNAL) !=
        (ssize_t)load->request_bytes)
        on_closed(load, link);
}

static void send_due(struct load *load)
{
    int64_t now_us = clock_monotonic_us();
    while (load->free && load->sent_count < load->due_count &&
           due_us(load, load->sent_count) <= now_us) {
        struct link *link = load->free;
        load->free = link->next_free;
        send_request(load, link);
    }
}

static size_t declared_bytes(const char *head)
{
    static const char NAME[] = "\r\nContent-Length: ";
    const char *at = strcasestr(head, NAME);
    return at ? strtoul(at + sizeof(NAME) - 1, NULL, 10) : 0;
}

static enum outcome outcome_of(const char *head)
{
    const char *status = head + sizeof("HTTP/1.1");
    if (status[0] == '2' || status[0] == '3')
        return OUTCOME_OK;
    return text_starts_with(status, "503") ? OUTCOME_REFUSED : OUTCOME_ELSE;
}

static void on_answered(struct load *load, struct link *link)
{
    note_outcome(load, link, link->outcome);
    set_free(load, link);
}

static void on_bytes(struct load *load, struct link *link, const char *bytes, size_t size_bytes)
{
    if (link->left_bytes > 0) {
        link->left_bytes -= size_bytes < link->left_bytes ? size_bytes : link->left_bytes;
        if (link->left_bytes == 0)
            on_answered(load, link);
        return;
    }
    size_t room_bytes = HEAD_MAX_BYTES - 1 - link->head_bytes;
    size_t part_bytes = size_bytes < room_bytes ? size_bytes : room_bytes;
    memcpy(link->head + link->head_bytes, bytes, part_bytes);
    link->head_bytes += part_bytes;
    link->head[link->head_bytes] = '\0';
    const char *end = strstr(link->head, "\r\n\r\n");
    if (!end)
        return;
    size_t seen_bytes = link->head_bytes - (size_t)(end + 4 - link->head);
    seen_bytes += size_bytes - part_bytes;
    size_t body_bytes = declared_bytes(link->head);
    link->outcome = outcome_of(link->head);
    link->left_bytes = body_bytes > seen_bytes ? body_bytes - seen_bytes : 0;
    if (link->left_bytes == 0)
        on_answered(load, link);
}

static void on_event(struct load *load, struct link *link)
{
    static char bytes[65536];
    if (!link->is_connected) {
        link->is_connected = true;
        bench_watch(load->epoll_fd, link->fd, EPOLLIN, link);
        set_free(load, link);
        return;
    }
    ssize_t count = recv(link->fd, bytes, sizeof(bytes), 0);
    if (count > 0 && link->is_busy)
        on_bytes(load, link, bytes, (size_t)count);
    else if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        on_closed(load, link);
}

/* ---- the run ---- */

static void look(struct load *load, int64_t wait_us)
{
    struct epoll_event events[EVENTS_COUNT];
    struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int count = epoll_pwait2(load->epoll_fd, events, EVENTS_COUNT, &wait, NULL);
    for (int i = 0; i < count; i++)
        on_event(load, events[i].data.ptr);
}

static int64_t wait_us(const struct load *load)
{
    int64_t left_us = due_us(load, load->sent_count) - clock_monotonic_us();
    if (!load->free || load->sent_count == load->due_count)
        return 10000;
    return left_us > 0 ? left_us : 0;
}

static void run(struct load *load)
{
    int64_t end_us = due_us(load, load->due_count);
    while (clock_monotonic_us() < end_us) {
        send_due(load);
        look(load, wait_us(load));
    }
    int64_t sent_count = load->sent_count;
    load->due_count = sent_count; /* what was not sent by now was not answered */
    while (load->answered_count < sent_count && clock_monotonic_us() < end_us + LAST_WAIT_US)
        look(load, 10000);
}

static void make_times(struct times *times, int64_t count)
{
    times->values_ms = calloc((size_t)count + 1, sizeof(double));
    if (!times->values_ms)
        bench_die("no memory");
}

static void print_times(const char *name, struct times *times)
{
    (void)printf(", \"%s_p50_ms\": %.3f, \"%s_p99_ms\": %.3f, \"%s_max_ms\": %.3f", name,
                 bench_quantile(times->values_ms, times->count, 0.5), name,
                 bench_quantile(times->values_ms, times->count, 0.99), name,
                 bench_quantile(times->values_ms, times->count, 1));
}

static void read_arguments(struct load *load, char **argv)
{
    size_t size_bytes = 0;
    load->port = bench_number(argv[1], 1, 65535);
    load->rate = (double)bench_number(argv[2], 1, 10000000);
    load->due_count = (int64_t)(load->rate * (double)bench_number(argv[3], 1, 600000) / US_PER_MS);
    load->links_count = (size_t)bench_number(argv[4], 1, 100000);
    load->key_number = bench_number(argv[5], 0, INT64_MAX / KEY_STRIDE / 2);
    load->keys_count = bench_number(argv[6], 1, 9999999);
    const char *request = bench_file(argv[7], &size_bytes);
    if (size_bytes >= REQUEST_MAX_BYTES)
        bench_die("a request of %zu bytes", size_bytes);
    memcpy(load->request, request, size_bytes + 1);
    load->request_bytes = size_bytes;
    load->key = strstr(load->request, KEY_MARK);
}

int main(int argc, char **argv)
{
    static struct load load;
    if (argc != 8)
        bench_die("usage: open_loop PORT RATE DURATION_MS CONNECTIONS FIRST COUNT REQUEST");
    read_arguments(&load, argv);
    load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bench_need_files((int64_t)load.links_count + 64);
    load.links = calloc(load.links_count, sizeof(*load.links));
    for (int i = 0; i < OUTCOME_COUNT; i++)
        make_times(&load.times[i], load.due_count);
    make_times(&load.lateness, load.due_count);
    if (!load.links)
        bench_die("no memory");
    int64_t due_count = load.due_count;
    for (size_t i = 0; i < load.links_count; i++)
        open_link(&load, &load.links[i]);
    load.begun_us = clock_monotonic_us() + 200000; /* all connect first */
    run(&load);
    size_t ok_count = load.times[OUTCOME_OK].count;
    size_t refused_count = load.times[OUTCOME_REFUSED].count;
    (void)printf(
        "{\"due\": %lld, \"ok\": %zu, \"refused\": %zu, \"else\": %zu, \"unanswered\": %lld",
        (long long)due_count, ok_count, refused_count, load.times[OUTCOME_ELSE].count,
        (long long)(due_count - load.answered_count));
    print_times("ok", &load.times[OUTCOME_OK]);
    print_times("refused", &load.times[OUTCOME_REFUSED]);
    print_times("late", &load.lateness);
    (void)printf("}\n");
    return 0;
}

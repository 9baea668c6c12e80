/* SPDX-License-Identifier: MIT
 *
 * Many browsers that look at one note: opens live sockets, answers pings, and measures how long an
 * event takes to the last of them. Against bare_frames it does the same with plain sockets.
 *
 * usage: live_load PORT SOCKETS JOIN; JOIN is the payload of the packet that connects to the
 * namespace, as {"key":"k","revision":1}, or "-" for plain sockets that get FRAME bytes an event.
 * Prints "ready MS" when all are in. Then each line of stdin is the name of a file, whose bytes are
 * sent to the port on a connection of their own, and the answer is
 *   {"first_ms": ..., "last_ms": ..., "answer_ms": ..., "frame_bytes": ...}
 * counted from just before the sending. A line "plain N" says how many bytes an event has when the
 * sockets are plain. Ends with stdin. Depends on: bench.h, clock.h. */
#include "bench.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_COUNT   512
#define SOURCES_COUNT  16
#define PREFIX_BYTES   12  /* the longest frame head, and two bytes of payload */
#define OPENING_COUNT  128 /* sockets that are being opened at the same time */
#define ROUND_LIMIT_MS 20000
#define US_PER_MS      1000.0

enum stage { STAGE_CONNECTING, STAGE_HANDSHAKE, STAGE_OPEN, STAGE_JOINED };

struct peer {
    int fd;
    enum stage stage;
    unsigned matched; /* of the empty line that ends the answer to the handshake */
    unsigned char prefix[PREFIX_BYTES];
    unsigned prefix_count;
    uint64_t left_bytes; /* of the frame whose prefix was seen; in plain mode of the event */
    bool is_served;
};

struct load {
    int epoll_fd;
    int64_t port;
    bool is_plain;
    const char *join;
    struct peer *peers;
    size_t count;
    size_t opened_count; /* begun */
    size_t joined_count;
    size_t plain_bytes;
    /* the event that is on its way */
    bool is_on;
    int64_t begun_us;
    int64_t first_us;
    int64_t last_us;
    int64_t answer_us;
    size_t served_count;
    size_t frame_bytes;
    struct peer poster;
};

static void write_all(int fd, const void *bytes, size_t size_bytes)
{
    if (send(fd, bytes, size_bytes, MSG_NOSIGNAL) != (ssize_t)size_bytes)
        bench_die("a socket did not take %zu bytes at once (errno %d)", size_bytes, errno);
}

/* A client's frame is masked; with zeros, which leave it as it is. */
static void send_packet(const struct peer *peer, const char *text)
{
    unsigned char frame[8 + 512];
    size_t size_bytes = strlen(text);
    size_t head_bytes = size_bytes < 126 ? 2 : 4;
    if (size_bytes > 500)
        bench_die("a packet of %zu bytes", size_bytes);
    memset(frame, 0, 8);
    frame[0] = 0x81;
    frame[1] = (unsigned char)(0x80 | (size_bytes < 126 ? size_bytes : 126));
    if (head_bytes == 4) {
        frame[2] = (unsigned char)(size_bytes >> 8);
        frame[3] = (unsigned char)size_bytes;
    }
    for (size_t i = 0; i < size_bytes; i++)
        frame[head_bytes + 4 + i] = (unsigned char)text[i];
    write_all(peer->fd, frame, head_bytes + 4 + size_bytes);
}

static void count_served(struct load *load, struct peer *peer, size_t frame_bytes)
{
    if (!load->is_on || peer->is_served)
        return;
    peer->is_served = true;
    load->frame_bytes = frame_bytes;
    load->last_us = clock_monotonic_us();
    if (load->served_count++ == 0)
        load->first_us = load->last_us;
}

/* ---- frames ---- */

static size_t head_bytes_of(const struct peer *peer)
{
    if (peer->prefix_count < 2 || peer->prefix[1] < 126)
        return 2;
    return peer->prefix[1] == 126 ? 4 : 10;
}

static uint64_t payload_bytes_of(const struct peer *peer)
{
    size_t head_bytes = head_bytes_of(peer);
    uint64_t size_bytes = 0;
    if (head_bytes == 2)
        return peer->prefix[1];
    for (size_t i = 2; i < head_bytes; i++)
        size_bytes = size_bytes << 8 | peer->prefix[i];
    return size_bytes;
}

/* Head and the first two bytes of a packet are there: what is it? */
static void on_packet(struct load *load, struct peer *peer)
{
    size_t head_bytes = head_bytes_of(peer);
    uint64_t size_bytes = payload_bytes_of(peer);
    char kind = (char)peer->prefix[head_bytes];
    char second = size_bytes > 1 ? (char)peer->prefix[head_bytes + 1] : '\0';
    if (peer->prefix[0] != 0x81)
        bench_die("the service closed a socket");
    if (kind == '0') {
        char packet[512];
        (void)snprintf(packet, sizeof(packet), "40/notes,%s", load->join);
        send_packet(peer, packet);
    } else if (kind == '2') {
        send_packet(peer, "3");
    } else if (kind == '4' && second == '0' && peer->stage == STAGE_OPEN) {
        peer->stage = STAGE_JOINED;
        load->joined_count++;
    } else if (kind == '4' && second == '2') {
        count_served(load, peer, head_bytes + size_bytes);
    } else {
        bench_die("a packet that was not expected: %c%c", kind, second);
    }
}

/* Takes what belongs to the present frame; returns how many bytes that were. */
static size_t take_frame(struct load *load, struct peer *peer, const char *bytes, size_t size_bytes)
{
    if (peer->left_bytes > 0) {
        size_t part_bytes = size_bytes < peer->left_bytes ? size_bytes : (size_t)peer->left_bytes;
        peer->left_bytes -= part_bytes;
        return part_bytes;
    }
    peer->prefix[peer->prefix_count++] = (unsigned char)bytes[0];
    size_t head_bytes = head_bytes_of(peer);
    if (peer->prefix_count < head_bytes)
        return 1;
    uint64_t payload_bytes = payload_bytes_of(peer);
    size_t wanted_bytes = head_bytes + (payload_bytes < 2 ? (size_t)payload_bytes : 2);
    if (peer->prefix_count < wanted_bytes)
        return 1;
    on_packet(load, peer);
    peer->left_bytes = head_bytes + payload_bytes - wanted_bytes;
    peer->prefix_count = 0;
    return 1;
}

static size_t take_handshake(struct peer *peer, const char *bytes, size_t size_bytes)
{
    static const char END[] = "\r\n\r\n";
    for (size_t i = 0; i < size_bytes; i++) {
        peer->matched = bytes[i] == END[peer->matched] ? peer->matched + 1 : bytes[i] == '\r';
        if (peer->matched == 4) {
            peer->stage = STAGE_OPEN;
            return i + 1;
        }
    }
    return size_bytes;
}

static size_t take_plain(struct load *load, struct peer *peer, size_t size_bytes)
{
    if (peer->left_bytes == 0)
        peer->left_bytes = load->plain_bytes;
    size_t part_bytes = size_bytes < peer->left_bytes ? size_bytes : (size_t)peer->left_bytes;
    peer->left_bytes -= part_bytes;
    if (peer->left_bytes == 0)
        count_served(load, peer, load->plain_bytes);
    return part_bytes;
}

static void on_readable(struct load *load, struct peer *peer)
{
    static char bytes[65536];
    ssize_t count = recv(peer->fd, bytes, sizeof(bytes), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (peer == &load->poster) {
        if (count > 0 && load->answer_us == 0)
            load->answer_us = clock_monotonic_us();
        else if (count <= 0)
            (void)epoll_ctl(load->epoll_fd, EPOLL_CTL_DEL, peer->fd, NULL);
        return;
    }
    if (count <= 0)
        bench_die("a live socket was closed (errno %d)", count < 0 ? errno : 0);
    for (size_t at = 0; at < (size_t)count;) {
        size_t left_bytes = (size_t)count - at;
        if (load->is_plain)
            at += take_plain(load, peer, left_bytes);
        else if (peer->stage == STAGE_HANDSHAKE)
            at += take_handshake(peer, bytes + at, left_bytes);
        else
            at += take_frame(load, peer, bytes + at, left_bytes);
    }
}

/* ---- opening ---- */

static void on_connected(struct load *load, struct peer *peer)
{
    static const char HANDSHAKE[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    bench_watch(load->epoll_fd, peer->fd, EPOLLIN, peer);
    if (load->is_plain) {
        peer->stage = STAGE_JOINED;
        load->joined_count++;
        return;
    }
    peer->stage = STAGE_HANDSHAKE;
    write_all(peer->fd, HANDSHAKE, sizeof(HANDSHAKE) - 1);
}

static void open_some(struct load *load)
{
    while (load->opened_count < load->count &&
           load->opened_count - load->joined_count < OPENING_COUNT) {
        struct peer *peer = &load->peers[load->opened_count];
        peer->fd = bench_connect(load->port, (unsigned)(load->opened_count % SOURCES_COUNT));
        load->opened_count++;
        bench_watch(load->epoll_fd, peer->fd, EPOLLOUT, peer);
    }
}

static void look(struct load *load, int wait_ms)
{
    struct epoll_event events[EVENTS_COUNT];
    int count = epoll_wait(load->epoll_fd, events, EVENTS_COUNT, wait_ms);
    for (int i = 0; i < count; i++) {
        struct peer *peer = events[i].data.ptr;
        if (!peer)
            continue; /* stdin: the caller reads it */
        if (peer->stage == STAGE_CONNECTING && peer != &load->poster)
            on_connected(load, peer);
        else
            on_readable(load, peer);
    }
}

/* ---- an event ---- */

static void wait_for_poster(struct load *load)
{
    load->poster = (struct peer){.fd = bench_connect(load->port, SOURCES_COUNT)};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;
    bench_watch(epoll_fd, load->poster.fd, EPOLLOUT, NULL);
    if (epoll_wait(epoll_fd, &event, 1, ROUND_LIMIT_MS) != 1)
        bench_die("the port does not take a connection");
    (void)close(epoll_fd);
    bench_watch(load->epoll_fd, load->poster.fd, EPOLLIN, &load->poster);
}

static void begin(struct load *load)
{
    for (size_t i = 0; i < load->count; i++)
        load->peers[i].is_served = false;
    load->served_count = 0;
    load->answer_us = 0;
    load->is_on = true;
}

static double since_begin_ms(const struct load *load, int64_t at_us)
{
    return (double)(at_us - load->begun_us) / US_PER_MS;
}

static void run_event(struct load *load, const char *path)
{
    size_t size_bytes = 0;
    char *request = bench_file(path, &size_bytes);
    wait_for_poster(load);
    begin(load);
    load->begun_us = clock_monotonic_us();
    write_all(load->poster.fd, request, size_bytes);
    while (load->served_count < load->count || load->answer_us == 0) {
        look(load, 100);
        if (since_begin_ms(load, clock_monotonic_us()) > ROUND_LIMIT_MS)
            bench_die("only %zu of %zu sockets were served%s", load->served_count, load->count,
                      load->answer_us ? "" : ", and the request was not answered");
    }
    load->is_on = false;
    (void)printf(
        "{\"first_ms\": %.3f, \"last_ms\": %.3f, \"answer_ms\": %.3f, \"frame_bytes\": %zu}\n",
        since_begin_ms(load, load->first_us), since_begin_ms(load, load->last_us),
        since_begin_ms(load, load->answer_us), load->frame_bytes);
    (void)fflush(stdout);
    (void)close(load->poster.fd);
    free(request);
}

/* One line of stdin, when there is one. False: stdin ended. */
static bool obey(struct load *load)
{
    static char line[4096];
    static size_t size_bytes;
    ssize_t count = read(STDIN_FILENO, line + size_bytes, 1);
    if (count == 0)
        return false;
    if (count < 0 || line[size_bytes] != '\n') {
        size_bytes += count > 0 && size_bytes + 1 < sizeof(line);
        return true;
    }
    line[size_bytes] = '\0';
    size_bytes = 0;
    if (text_starts_with(line, "plain "))
        load->plain_bytes = (size_t)bench_number(line + 6, 1, 1 << 20);
    else
        run_event(load, line);
    return true;
}

int main(int argc, char **argv)
{
    struct load load = {.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (argc != 4)
        bench_die("usage: live_load PORT SOCKETS JOIN");
    load.port = bench_number(argv[1], 1, 65535);
    load.count = (size_t)bench_number(argv[2], 1, 1 << 20);
    load.join = argv[3];
    load.is_plain = text_equals(load.join, "-");
    bench_need_files((int64_t)load.count + 64);
    load.peers = calloc(load.count, sizeof(*load.peers));
    if (!load.peers)
        bench_die("no memory");
    int64_t begun_us = clock_monotonic_us();
    while (load.joined_count < load.count) {
        open_some(&load);
        look(&load, 100);
    }
    (void)printf("ready %.1f\n", (double)(clock_monotonic_us() - begun_us) / US_PER_MS);
    (void)fflush(stdout);
    (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    bench_watch(load.epoll_fd, STDIN_FILENO, EPOLLIN, NULL);
    do
        look(&load, 1000);
    while (obey(&load));
    return 0;
}

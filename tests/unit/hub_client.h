/* SPDX-License-Identifier: MIT
 *
 * A client of the hub by hand, at the other end of a pair of sockets: says and hears frames. */
#ifndef NOTES_HUB_CLIENT_H
#define NOTES_HUB_CLIENT_H

#include "http/websocket.h"

#include "unit.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS        20000
#define TEXT_MAX_BYTES 4096
#define CLOSE_FRAME    "(close)"

static inline void read_bytes(int fd, unsigned char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
        ssize_t got_bytes = read(fd, bytes, size_bytes);
        assert_true(got_bytes > 0);
        bytes += got_bytes;
        size_bytes -= (size_t)got_bytes;
    }
}

/* The next message; CLOSE_FRAME for a close frame. */
static inline const char *hear(int fd)
{
    static char text[TEXT_MAX_BYTES + 1];
    unsigned char head[2];
    read_bytes(fd, head, sizeof(head));
    size_t size_bytes = head[1];
    if (size_bytes == 126) {
        unsigned char length[2];
        read_bytes(fd, length, sizeof(length));
        size_bytes = (size_t)length[0] << 8 | length[1];
    }
    assert_true(size_bytes <= TEXT_MAX_BYTES);
    read_bytes(fd, (unsigned char *)text, size_bytes);
    text[size_bytes] = '\0';
    return head[0] == (0x80 | WEBSOCKET_CLOSE) ? CLOSE_FRAME : text;
}

static inline void say(int fd, const char *text)
{
    unsigned char frame[TEXT_MAX_BYTES];
    size_t size_bytes = strlen(text);
    size_t head_bytes = websocket_head(WEBSOCKET_TEXT, size_bytes, frame);
    frame[1] |= 0x80;
    memset(frame + head_bytes, 0, 4);
    memcpy(frame + head_bytes + 4, text, size_bytes);
    size_t whole_bytes = head_bytes + 4 + size_bytes;
    assert_int_equal(write(fd, frame, whole_bytes), (ssize_t)whole_bytes);
}

#endif

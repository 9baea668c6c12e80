/* SPDX-License-Identifier: MIT
 *
 * Depends on: the system alone. */
#include "data/keep_alive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/cleanup.h"

void keep_alive(int socket, int idle_s, int every_s, int questions_count)
{
    const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, idle_s},
        {IPPROTO_TCP, TCP_KEEPINTVL, every_s},
        {IPPROTO_TCP, TCP_KEEPCNT, questions_count},
    };
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        (void)setsockopt(socket, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
}

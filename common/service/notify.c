/* SPDX-License-Identifier: MIT
 *
 * One datagram to the socket that the manager named. A name that begins with @ is in no folder.
 * Depends on: notify.h. */
#include "service/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_SETTING "NOTIFY_SOCKET"

void notify_manager(const char *state)
{
    const char *name = getenv(NAME_SETTING);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t name_bytes = name ? strlen(name) : 0;
    if (name_bytes == 0 || name_bytes >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, name, name_bytes);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_bytes);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&address, address_bytes);
    (void)close(fd);
}

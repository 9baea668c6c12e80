/* SPDX-License-Identifier: MIT
 *
 * Loaded into a service by LD_PRELOAD: while the file SLOW_DISK_FILE exists, the disk takes
 * nothing; fsync and fdatasync return when it is gone. */
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *file;

__attribute__((constructor)) static void start(void)
{
    file = getenv("SLOW_DISK_FILE");
}

static void wait_for_disk(void)
{
    while (file && access(file, F_OK) == 0)
        (void)poll(NULL, 0, 10);
}

int fsync(int fd)
{
    wait_for_disk();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    wait_for_disk();
    return (int)syscall(SYS_fdatasync, fd);
}

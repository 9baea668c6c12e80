/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a service: after an answer it writes into the file SOAK_HEAP how many bytes of
 * heap are in use, and with LEAK_BYTES each answer keeps so many for ever, which ./dev soak --leak
 * must find. Now and then it has the allocator (AddressSanitizer's, else glibc's) give back the
 * pages in which nothing is used, so that private memory tells of the service and not of the
 * allocator. Built by site.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVERY_MS       100
#define PURGE_EVERY_MS 5000

struct MHD_Connection;
struct MHD_Response;
typedef int queue_fn(struct MHD_Connection *, unsigned int, struct MHD_Response *);

/* NULL in a service without a sanitizer. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);
__attribute__((weak)) void __sanitizer_purge_allocator(void);

static size_t bytes_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void give_back_pages(void)
{
    if (__sanitizer_purge_allocator)
        __sanitizer_purge_allocator();
    else
        (void)malloc_trim(0);
}

/* Written to, so that the pages are there. */
static void *volatile last;

static void leak(void)
{
    void *leaked = malloc(LEAK_BYTES + 1);
    if (leaked)
        memset(leaked, 1, LEAK_BYTES + 1);
    last = leaked;
}

/* Is it time again? */
static bool is_due(_Atomic long long *last_ms, long long every_ms)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    long long now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    if (now_ms - atomic_load(last_ms) < every_ms)
        return false;
    atomic_store(last_ms, now_ms);
    return true;
}

static void tell(void)
{
    static _Atomic long long told_ms;
    static _Atomic long long purged_ms;
    if (is_due(&purged_ms, PURGE_EVERY_MS))
        give_back_pages();
    if (!is_due(&told_ms, EVERY_MS))
        return;
    const char *path = getenv("SOAK_HEAP");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    char text[32];
    int chars = snprintf(text, sizeof text, "%20zu\n", bytes_in_use());
    (void)!pwrite(fd, text, (size_t)chars, 0);
    (void)close(fd);
}

int MHD_queue_response(struct MHD_Connection *connection,
                       unsigned int status,
                       struct MHD_Response *response)
{
    static queue_fn *real;
    if (!real)
        real = (queue_fn *)dlsym(RTLD_NEXT, "MHD_queue_response");
    if (LEAK_BYTES > 0)
        leak();
    tell();
    return real(connection, status, response);
}

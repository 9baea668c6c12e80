/* SPDX-License-Identifier: MIT
 *
 * Preloaded, it makes each answer keep LEAK_BYTES for ever: ./dev soak --leak must find that.
 * Built by site.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct MHD_Connection;
struct MHD_Response;
typedef int queue_fn(struct MHD_Connection *, unsigned int, struct MHD_Response *);

/* Written to, so that the pages are there. */
static void *volatile last;

int MHD_queue_response(struct MHD_Connection *connection,
                       unsigned int status,
                       struct MHD_Response *response)
{
    static queue_fn *real;
    if (!real)
        real = (queue_fn *)dlsym(RTLD_NEXT, "MHD_queue_response");
    void *leaked = malloc(LEAK_BYTES);
    if (leaked)
        memset(leaked, 1, LEAK_BYTES);
    last = leaked;
    return real(connection, status, response);
}

/* SPDX-License-Identifier: MIT
 *
 * The yardstick of pages: libmicrohttpd and nothing else. Every request gets the same answer, made
 * once, from one event loop per core. The body and the fields come from files, so that it sends
 * what the service sends.
 *
 * usage: bare_http FIELDS BODY; FIELDS has one "Name: value" a line. Ends with SIGTERM.
 * Depends on: bench.h, libmicrohttpd. */
#include "bench.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS_MAX_COUNT 4096U

static enum MHD_Result on_request(void *closure,
                                  struct MHD_Connection *connection,
                                  const char *url,
                                  const char *method,
                                  const char *version,
                                  const char *piece,
                                  size_t *piece_bytes,
                                  void **state)
{
    static char was_seen;
    (void)url, (void)method, (void)version, (void)piece;
    if (*piece_bytes > 0)
        return MHD_NO; /* it is asked for pages only */
    if (!*state) {
        *state = &was_seen; /* an answer at the first call would close the connection */
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, closure);
}

static void add_fields(struct MHD_Response *response, char *text)
{
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char *value = line;
        const char *name = strsep(&value, ":");
        if (value && MHD_add_response_header(response, name, value) != MHD_YES)
            bench_die("the field %s can't be sent", name);
    }
}

static struct MHD_Daemon *start(struct MHD_Response *response)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, response, MHD_OPTION_SOCK_ADDR,
        &at, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)(cores > 1 ? cores : 0),
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX_COUNT, MHD_OPTION_END);
    if (!daemon)
        bench_die("libmicrohttpd does not start");
    return daemon;
}

int main(int argc, char **argv)
{
    size_t fields_bytes = 0;
    size_t body_bytes = 0;
    sigset_t ends;
    int number = 0;
    if (argc != 3)
        bench_die("usage: bare_http FIELDS BODY");
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    char *fields = bench_file(argv[1], &fields_bytes);
    char *body = bench_file(argv[2], &body_bytes);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body_bytes, body, MHD_RESPMEM_PERSISTENT);
    if (!response)
        bench_die("no memory");
    add_fields(response, fields);
    struct MHD_Daemon *daemon = start(response);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)printf("ready %d\n", info ? info->port : 0);
    (void)fflush(stdout);
    (void)sigwait(&ends, &number);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return 0;
}

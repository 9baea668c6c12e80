/* SPDX-License-Identifier: MIT
 *
 * Depends on: bench.h, parse.h. */
#include "bench.h"

#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)

void bench_die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, values);
    (void)fputc('\n', stderr);
    va_end(values);
    exit(1);
}

int64_t bench_number(const char *text, int64_t min, int64_t max)
{
    int64_t number = 0;
    if (!text || !parse_i64(text, min, max, &number))
        bench_die("\"%s\" is no number from %lld to %lld", text ? text : "", (long long)min,
                  (long long)max);
    return number;
}

char *bench_file(const char *path, size_t *out_size_bytes)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(FILE_MAX_BYTES);
    if (!file || !text)
        bench_die("%s can't be read", path);
    size_t size_bytes = fread(text, 1, FILE_MAX_BYTES - 1, file);
    (void)fclose(file);
    text[size_bytes] = '\0';
    *out_size_bytes = size_bytes;
    return text;
}

static struct sockaddr_in loopback(int64_t port, unsigned source)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source),
    };
}

int bench_connect(int64_t port, unsigned source)
{
    struct sockaddr_in from = loopback(0, source);
    struct sockaddr_in to = loopback(port, 0);
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench_die("no socket (errno %d)", errno);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
        bench_die("127.0.0.%u can't be used (errno %d)", source + 1, errno);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
        bench_die("port %lld can't be reached (errno %d)", (long long)port, errno);
    return fd;
}

int bench_listen(void)
{
    struct sockaddr_in at = loopback(0, 0);
    socklen_t at_bytes = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, at_bytes) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &at_bytes) != 0)
        bench_die("can't listen (errno %d)", errno);
    (void)printf("ready %d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    return fd;
}

void bench_need_files(int64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_die("no limit of files");
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < (rlim_t)count) {
        limit.rlim_max = (rlim_t)count; /* root may */
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_die("%lld open files are needed: raise the limit (ulimit -n)", (long long)count);
}

void bench_watch(int epoll_fd, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 &&
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
        bench_die("epoll_ctl: errno %d", errno);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

double bench_quantile(double *values, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare);
    size_t place = (size_t)(share * (double)count);
    return values[place < count ? place : count - 1];
}

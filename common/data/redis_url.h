/* SPDX-License-Identifier: MIT
 *
 * Reads REDIS_URL and lists of hosts. Pure: nothing is looked up or opened. A reason is static text
 * for people and never holds what was read: it may hold a password. */
#ifndef NOTES_REDIS_URL_H
#define NOTES_REDIS_URL_H

#include <stddef.h>
#include <stdint.h>

struct arena;

#define REDIS_PORT                6379
#define REDIS_SENTINEL_PORT       26379
#define REDIS_SENTINELS_MAX_COUNT 8
#define REDIS_DATABASE_MAX        65535

struct redis_host {
    const char *host; /* a name or an address, IPv6 without its brackets */
    int64_t port;
};

/* redis://[USER][:PASSWORD]@HOST[:PORT][/DB], decoded. */
struct redis_url {
    const char *username; /* NULL: none */
    const char *password; /* NULL: none */
    struct redis_host host;
    int64_t database;
};

/* NULL when fine, otherwise a reason. */
const char *redis_url_parse(struct arena *arena, const char *url, struct redis_url *out_url);

/* "host", "host:port", "[::1]:port", and a list of them with commas. NULL or a reason. */
const char *redis_host_parse(struct arena *arena,
                             const char *text,
                             int64_t default_port,
                             struct redis_host *out_host);
const char *redis_sentinels_parse(struct arena *arena,
                                  const char *list,
                                  struct redis_host out_hosts[REDIS_SENTINELS_MAX_COUNT],
                                  size_t *out_count);

#endif

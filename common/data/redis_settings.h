/* SPDX-License-Identifier: MIT
 *
 * The settings of Redis: rows for a service's table, and what they come to together.
 *
 * Use:  struct config { struct redis_settings redis; ... };
 *       const struct setting config_settings[] = { REDIS_SETTING_ROWS(struct config, redis), ... };
 *       redis_settings_check(&config->redis, faults);
 *       redis_new(&config->redis.options); */
#ifndef NOTES_REDIS_SETTINGS_H
#define NOTES_REDIS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/secret.h"
#include "data/redis_url.h"

struct redis_place;

/* Where Redis is and how to sign in. Secrets and texts live as long as the settings. */
struct redis_options {
    struct redis_host host; /* used when there are no sentinels */
    struct redis_host sentinels[REDIS_SENTINELS_MAX_COUNT];
    size_t sentinels_count;
    const char *master;                     /* what the sentinels call it */
    const char *username;                   /* NULL: none */
    const struct secret *password;          /* NULL: none */
    const struct secret *sentinel_password; /* NULL: none */
    int64_t database;
    int64_t timeout_ms;        /* for each call, connecting included; never past ctx's deadline */
    struct redis_place *place; /* what all connections know about it; NULL: each knows for itself */
    bool is_set;
};

struct redis_settings {
    struct secret url;      /* may hold a password */
    struct secret password; /* after the check also one that was in the URL */
    const char *endpoint;
    const char *sentinels;
    const char *master;
    struct secret sentinel_password;
    int64_t timeout_ms;

    /* Derived by redis_settings_check. */
    struct redis_options options;
};

/* clang-format off */
#define REDIS_SETTING_ROWS(type, at_field)                                                            \
    {.name = "REDIS_URL", .at = AT_SECRET(type, at_field.url),                                        \
     .help = "redis://[USER][:PASSWORD]@HOST[:PORT][/DB]; with REDIS_SENTINELS its host is not used"}, \
    {.name = "REDIS_ENDPOINT", .at = AT_TEXT(type, at_field.endpoint),                                \
     .help = "HOST[:PORT]: older way to name a Redis, instead of REDIS_URL"},                         \
    {.name = "REDIS_PASSWORD", .at = AT_SECRET(type, at_field.password),                              \
     .help = "password of Redis, when it is not in REDIS_URL"},                                       \
    {.name = "REDIS_SENTINELS", .at = AT_TEXT(type, at_field.sentinels),                              \
     .help = "HOST[:PORT],...: sentinels that know which Redis is the master, at most 8"},            \
    {.name = "REDIS_MASTER", .at = AT_TEXT(type, at_field.master), .fallback = "mymaster",            \
     .help = "what the sentinels call it"},                                                           \
    {.name = "REDIS_SENTINEL_PASSWORD", .at = AT_SECRET(type, at_field.sentinel_password),            \
     .help = "password of the sentinels themselves, when they have one"},                             \
    {.name = "REDIS_TIMEOUT_MS", .at = AT_I64(type, at_field.timeout_ms), .fallback = "500", .min = 50, .max = 5000, \
     .unit = "ms", .help = "longest wait for Redis in one call, connecting included"}
/* clang-format on */

/* Fills `options`; is_set is false when no setting names a Redis. `options` points into `settings`,
 * which must not move afterwards, and into the faults' arena. */
void redis_settings_check(struct redis_settings *settings, struct env_faults *faults);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Settings of notes-svc: one struct, one table (config.c). Passed down as const, never global. */
#ifndef NOTES_CONFIG_H
#define NOTES_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/env.h"
#include "base/log.h"
#include "data/db_settings.h"
#include "data/redis_settings.h"
#include "service/service_settings.h"

struct config {
    struct service_settings service;
    struct db_settings database;
    struct redis_settings redis;      /* sessions are there when one is set */
    struct secret from_node_password; /* of the database that --from-node reads */
    const char *user_service_url;
    const char *user_service_id;
    struct secret user_service_key;
    const char *user_service_key_path;  /* where to look when user_service_key is unset */
    const char *public_url;             /* NULL: not stated */
    struct secret twitter_consumer_key; /* with its secret: sign-in with Twitter is on */
    struct secret twitter_consumer_secret;
    const char *twitter_callback_host; /* config_check gives the default */
    const char *twitter_api_url;
    const char *oidc_issuer; /* NULL: no sign-in with OpenID Connect */
    const char *oidc_client_id;
    struct secret oidc_client_secret; /* unset: a public client */
    const char *oidc_name;
    const char *oidc_scopes;
    const char *oidc_allowed_domains; /* NULL: any, and an address is not needed */
    const char *provider_ca_file;     /* NULL: the system's authorities only */
    int64_t provider_timeout_ms;
    const char *trusted_proxies;
    int64_t login_failures_per_min;
    int64_t writes_per_min;
    int64_t sockets_per_address;
    int64_t sockets_per_session;
    int64_t live_sockets;
    int64_t live_ping_interval_ms;
    int64_t live_ping_timeout_ms;
    int64_t live_connect_timeout_ms;
    int64_t live_messages_per_s;
    int64_t live_queue_bytes;
    int64_t writers;
    int64_t login_workers;
    int64_t login_queue_limit;
    int64_t page_cache_bytes;
    int64_t session_cache_bytes;
    int64_t session_idle_s;
    int64_t session_absolute_s;
    int64_t sessions_per_user;
    int64_t user_check_s;
    int64_t user_check_grace_s;
    int64_t destroyed_keep_days;

    /* Derived by config_check. */
    struct networks trusted;
    bool is_public_https;
    const char *public_origin; /* "https://notes.example.org", NULL when PUBLIC_URL is unset */
    bool has_twitter;
    bool has_oidc;
    const char *own_origin; /* public_origin, else http://127.0.0.1:PORT: where providers send
                               browsers back to */
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

/* An origin as browsers send it: without the port that its scheme has anyway (RFC 6454, 6.2). The
 * argument itself, or in the arena. */
const char *config_plain_origin(struct arena *arena, const char *origin);

/* Derives values and checks what one row alone can't tell. Threads: the main thread, at start. */
void config_check(void *storage, struct env_faults *faults);

#endif

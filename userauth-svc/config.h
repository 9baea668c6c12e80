/* SPDX-License-Identifier: MIT
 *
 * Settings of userauth-svc: one struct, one table (config.c). Passed down as const, never global.
 */
#ifndef NOTES_CONFIG_H
#define NOTES_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/secret.h"
#include "data/db_settings.h"
#include "service/service_settings.h"

struct config {
    struct service_settings service;
    struct db_settings database;
    struct secret from_node_password; /* of the database that --from-node reads */
    struct secret api_keys;           /* unset: the key is in key_path */
    int64_t hash_workers;
    int64_t password_memory_kib;
    int64_t password_passes;
    int64_t password_min_chars;
    int64_t throttle_failures;
    int64_t throttle_failures_of_name;
    int64_t throttle_wait_max_s;
    int64_t throttle_rows_max;

    /* Derived by config_check. */
    const char *key_path;
    bool needs_state_dir; /* database or key are in it */
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

/* Derives values and checks what one row alone can't tell. Threads: the main thread, at start. */
void config_check(void *storage, struct env_faults *faults);

#endif

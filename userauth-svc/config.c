/* SPDX-License-Identifier: MIT
 *
 * The settings table of userauth-svc, and the checks that need more than one row. `userauth-svc
 * --print-config` prints it. Depends on: env.h, api_keys.h, db_settings.h, service_settings.h,
 * password_rules.h. */
#include "config.h"

#include "auth/api_keys.h"
#include "base/arena.h"
#include "rules/password_rules.h"
#include "service/threads.h"

#define I64(field)    AT_I64(struct config, field)
#define TEXT(field)   AT_TEXT(struct config, field)
#define SECRET(field) AT_SECRET(struct config, field)

/* clang-format off */
const struct setting config_settings[] = {
    SERVICE_PLACE_ROWS(struct config, service, "5858", "TCP port of the REST interface"),
    DB_SETTING_ROWS(struct config, database, "users.sqlite"),
    {.name = "FROM_NODE_PASSWORD", .at = SECRET(from_node_password),
     .help = "password of the MySQL user that --from-node reads as, when it is not in its URL"},
    {.name = "API_KEYS", .at = SECRET(api_keys),
     .help = "who may call: NAME:KEY[,NAME:KEY...], keys should have 16 characters or more;"
             " unset: one is made in STATE_DIR/userauth.key"},
    SERVICE_THREAD_ROWS(struct config, service),
    {.name = "HASH_WORKERS", .at = I64(hash_workers), .fallback = "0", .min = 0, .max = THREADS_MAX_COUNT,
     .help = "threads that hash passwords, each needs PASSWORD_MEMORY_KIB while it does; 0 is one per core"},
    {.name = "QUEUE_LIMIT", .at = I64(service.queue_limit), .fallback = "256", .min = 1, .max = 100000,
     .help = "requests that wait for a worker, and for a hash worker; more are answered 503"},
    {.name = "CONNECTION_LIMIT", .at = I64(service.connection_limit), .fallback = "1024", .min = 16, .max = 1000000,
     .help = "open connections in all"},
    SERVICE_REQUEST_ROWS(struct config, service),
    {.name = "BODIES_BYTES", .at = I64(service.bodies_bytes), .fallback = "268435456", .min = 1048576,
     .max = 1099511627776, .unit = "bytes",
     .help = "all bodies that arrive or are worked on; beyond, the address with most makes room, or 503"},
    {.name = "READ_TIMEOUT_S", .at = I64(service.read_timeout_s), .fallback = "20", .min = 1, .max = 600,
     .unit = "s", .help = "a request must have arrived whole by then; an answer gets 1 s more for each 32 KiB"},
    {.name = "CONNECTIONS_PER_ADDRESS", .at = I64(service.connections_per_address), .fallback = "0",
     .min = 0, .max = 1000000, .help = "open connections of one address; 0 is no limit"},
    {.name = "PASSWORD_MEMORY_KIB", .at = I64(password_memory_kib), .fallback = "19456", .min = 8, .max = 1048576,
     .unit = "KiB", .help = "memory of one Argon2id hash; weaker stored hashes are renewed at the next login"},
    {.name = "PASSWORD_PASSES", .at = I64(password_passes), .fallback = "2", .min = 1, .max = 10,
     .help = "passes of one Argon2id hash over its memory"},
    {.name = "PASSWORD_MIN_CHARS", .at = I64(password_min_chars), .fallback = PASSWORD_MIN_CHARS_DEFAULT,
     .min = PASSWORD_MIN_CHARS_LEAST, .max = PASSWORD_MIN_CHARS_MOST,
     .help = "shortest password that people may choose themselves; who has an API key may set any"},
    {.name = "THROTTLE_FAILURES", .at = I64(throttle_failures), .fallback = "5", .min = 1, .max = 100,
     .help = "failed logins in a row of one name and client: at this one it waits 1 s, at each further one twice as long"},
    {.name = "THROTTLE_WAIT_MAX_S", .at = I64(throttle_wait_max_s), .fallback = "900", .min = 1, .max = 86400,
     .unit = "s", .help = "longest such wait; who is refused because of THROTTLE_FAILURES_OF_NAME is told as long"},
    {.name = "THROTTLE_FAILURES_OF_NAME", .at = I64(throttle_failures_of_name), .fallback = "100", .min = 10, .max = 100,
     .help = "failed logins of one name over all clients: from here on only clients that have signed in before are heard"},
    {.name = "THROTTLE_ROWS_MAX", .at = I64(throttle_rows_max), .fallback = "100000", .min = 100, .max = 100000000,
     .help = "names and clients whose logins are counted; beyond, the longest unused are forgotten"},
    SERVICE_LIFE_ROWS(struct config, service),
};
/* clang-format on */
const size_t config_settings_count = ARRAY_COUNT(config_settings);

static void check_api_keys(const struct config *config, struct env_faults *faults)
{
    if (!secret_is_set(&config->api_keys))
        return;
    CLEANUP(api_keys_done) struct api_keys keys = {0};
    const char *reason = api_keys_parse(faults->arena, config->api_keys.text, &keys);
    if (reason)
        env_fault(faults, "API_KEYS", "%s", reason);
}

void config_check(void *storage, struct env_faults *faults)
{
    struct config *config = storage;
    service_settings_check(&config->service, faults);
    db_settings_check(&config->database,
                      arena_format(faults->arena, "%s/users.sqlite", config->service.state_dir),
                      faults);
    bool is_in_state_dir = config->database.path && !secret_is_set(&config->database.url);
    config->needs_state_dir = is_in_state_dir || !secret_is_set(&config->api_keys);
    check_api_keys(config, faults);
    config->key_path = arena_format(faults->arena, "%s/userauth.key", config->service.state_dir);
    config->hash_workers = threads_per_core(config->hash_workers);
}

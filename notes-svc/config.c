/* SPDX-License-Identifier: MIT
 *
 * The settings table of notes-svc, and the checks that need more than one row. `notes-svc
 * --print-config` prints it. Depends on: env.h, db_settings.h, redis_settings.h,
 * service_settings.h. */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "provider/provider_settings.h"

#define I64(field)    AT_I64(struct config, field)
#define TEXT(field)   AT_TEXT(struct config, field)
#define SECRET(field) AT_SECRET(struct config, field)

/* clang-format off */
const struct setting config_settings[] = {
    SERVICE_PLACE_ROWS(struct config, service, "3000", "TCP port of the pages"),
    DB_SETTING_ROWS(struct config, database, "notes.sqlite"),
    REDIS_SETTING_ROWS(struct config, redis),
    {.name = "FROM_NODE_PASSWORD", .at = SECRET(from_node_password),
     .help = "password of the MySQL user that --from-node reads as, when it is not in its URL"},
    {.name = "USER_SERVICE_URL", .at = TEXT(user_service_url), .fallback = "http://127.0.0.1:5858",
     .help = "where userauth-svc answers"},
    {.name = "USER_SERVICE_ID", .at = TEXT(user_service_id), .fallback = "them",
     .help = "name of our API key at userauth-svc"},
    {.name = "USER_SERVICE_KEY", .at = SECRET(user_service_key),
     .help = "our API key at userauth-svc; unset: read from STATE_DIR/userauth.key"},
    {.name = "PUBLIC_URL", .at = TEXT(public_url),
     .help = "what browsers see, as https://notes.example.org; decides Secure cookies and the Origin allowed"},
    {.name = "TWITTER_CONSUMER_KEY", .at = SECRET(twitter_consumer_key),
     .help = "API key of the app at Twitter; with the next one people sign in with Twitter"},
    {.name = "TWITTER_CONSUMER_SECRET", .at = SECRET(twitter_consumer_secret),
     .help = "API key secret of the app at Twitter"},
    {.name = "TWITTER_CALLBACK_HOST", .at = TEXT(twitter_callback_host),
     .help = "where Twitter sends browsers back to, as https://notes.example.org; unset: PUBLIC_URL"},
    {.name = "TWITTER_API_URL", .at = TEXT(twitter_api_url), .fallback = "https://api.twitter.com",
     .help = "where Twitter answers"},
    {.name = "OIDC_ISSUER", .at = TEXT(oidc_issuer),
     .help = "issuer of an OpenID Connect provider, as https://login.example.org/realms/all: people sign in there"},
    {.name = "OIDC_CLIENT_ID", .at = TEXT(oidc_client_id),
     .help = "this site's client id at the provider"},
    {.name = "OIDC_CLIENT_SECRET", .at = SECRET(oidc_client_secret),
     .help = "and its secret; unset: a public client, by PKCE alone"},
    {.name = "OIDC_NAME", .at = TEXT(oidc_name), .fallback = "OpenID",
     .help = "what pages call the provider"},
    {.name = "OIDC_SCOPES", .at = TEXT(oidc_scopes), .fallback = "openid profile email",
     .help = "what the provider is asked for"},
    {.name = "OIDC_ALLOWED_DOMAINS", .at = TEXT(oidc_allowed_domains),
     .help = "who has no verified e-mail address of one of these is refused, as example.org,example.net"},
    {.name = "PROVIDER_CA_FILE", .at = TEXT(provider_ca_file), .is_pem_file = true,
     .help = "certificates (PEM) of authorities that are believed of providers besides the system's"},
    {.name = "PROVIDER_TIMEOUT_MS", .at = I64(provider_timeout_ms), .fallback = "5000", .min = 100, .max = 60000,
     .unit = "ms", .help = "longest wait for one answer of a provider"},
    {.name = "TRUSTED_PROXIES", .at = TEXT(trusted_proxies),
     .help = "networks whose X-Forwarded-For and -Proto are believed, as 10.0.0.0/8,fd00::/8"},
    {.name = "LOGIN_FAILURES_PER_MIN", .at = I64(login_failures_per_min), .fallback = "10", .min = 0, .max = 100000,
     .unit = "1/min", .help = "failed logins of one address, with those that are just checked; 0 is no limit"},
    {.name = "WRITES_PER_MIN", .at = I64(writes_per_min), .fallback = "300", .min = 0, .max = 1000000,
     .unit = "1/min", .help = "saves and comments of one user; 0 is no limit"},
    {.name = "CONNECTIONS_PER_ADDRESS", .at = I64(service.connections_per_address), .fallback = "256",
     .min = 0, .max = 1000000, .help = "open connections of one address, trusted proxies exempt; 0 is no limit"},
    {.name = "CONNECTION_LIMIT", .at = I64(service.connection_limit), .fallback = "4096", .min = 16, .max = 1000000,
     .help = "open connections in all"},
    SERVICE_REQUEST_ROWS(struct config, service),
    {.name = "BODIES_BYTES", .at = I64(service.bodies_bytes), .fallback = "268435456", .min = 16777216,
     .max = 1099511627776, .unit = "bytes",
     .help = "all bodies that arrive or are worked on; beyond, the address with most makes room, or 503"},
    {.name = "READ_TIMEOUT_S", .at = I64(service.read_timeout_s), .fallback = "30", .min = 1, .max = 600,
     .unit = "s", .help = "a request must have arrived whole by then; an answer gets 1 s more for each 32 KiB"},
    {.name = "SOCKETS_PER_ADDRESS", .at = I64(sockets_per_address), .fallback = "256", .min = 0, .max = 1000000,
     .help = "live sockets of one client's address; 0 is no limit"},
    {.name = "SOCKETS_PER_SESSION", .at = I64(sockets_per_session), .fallback = "64", .min = 0, .max = 1000000,
     .help = "live sockets of one signed-in browser; 0 is no limit"},
    {.name = "LIVE_SOCKETS", .at = I64(live_sockets), .fallback = "8192", .min = 1, .max = 1000000,
     .help = "live sockets in all"},
    {.name = "LIVE_PING_INTERVAL_MS", .at = I64(live_ping_interval_ms), .fallback = "25000", .min = 100, .max = 600000,
     .unit = "ms", .help = "a live socket is pinged so long after its last answer"},
    {.name = "LIVE_PING_TIMEOUT_MS", .at = I64(live_ping_timeout_ms), .fallback = "20000", .min = 100, .max = 600000,
     .unit = "ms", .help = "and closed when no answer comes within this"},
    {.name = "LIVE_CONNECT_TIMEOUT_MS", .at = I64(live_connect_timeout_ms), .fallback = "45000", .min = 100, .max = 600000,
     .unit = "ms", .help = "a live socket must have connected to a namespace by then"},
    {.name = "LIVE_MESSAGES_PER_S", .at = I64(live_messages_per_s), .fallback = "50", .min = 0, .max = 1000000,
     .unit = "1/s", .help = "messages of one live socket; who sends more is read more slowly; 0 is no limit"},
    {.name = "LIVE_QUEUE_BYTES", .at = I64(live_queue_bytes), .fallback = "1048576", .min = 1, .max = 1073741824,
     .unit = "bytes", .help = "waiting for a live socket that reads slowly; beyond, it is cut and catches up later"},
    SERVICE_THREAD_ROWS(struct config, service),
    {.name = "QUEUE_LIMIT", .at = I64(service.queue_limit), .fallback = "512", .min = 1, .max = 10000,
     .help = "requests that wait for a worker, or a writer, of one address half as many; more are answered 503"},
    {.name = "WRITERS", .at = I64(writers), .fallback = "24", .min = 1, .max = 256,
     .help = "threads for what changes notes: many wait for the disk at once, and reading never does"},
    {.name = "LOGIN_WORKERS", .at = I64(login_workers), .fallback = "4", .min = 1, .max = 64,
     .help = "threads for logins, which wait for userauth-svc, so that reading never does"},
    {.name = "LOGIN_QUEUE_LIMIT", .at = I64(login_queue_limit), .fallback = "128", .min = 1, .max = 10000,
     .help = "logins that wait for such a thread, of one address half as many; more are answered 503"},
    {.name = "PAGE_CACHE_BYTES", .at = I64(page_cache_bytes), .fallback = "33554432", .min = 0, .max = 1099511627776,
     .unit = "bytes", .help = "pages that are kept to be shown again; 0: none"},
    {.name = "SESSION_CACHE_BYTES", .at = I64(session_cache_bytes), .fallback = "2097152", .min = 0, .max = 1099511627776,
     .unit = "bytes", .help = "sessions that are known for 2 s without asking their store; 0: none"},
    {.name = "SESSION_IDLE_S", .at = I64(session_idle_s), .fallback = "7200", .min = 60, .max = 2592000,
     .unit = "s", .help = "a session ends after so long without a request"},
    {.name = "SESSION_ABSOLUTE_S", .at = I64(session_absolute_s), .fallback = "86400", .min = 60, .max = 7776000,
     .unit = "s", .help = "a session ends so long after sign-in"},
    {.name = "SESSIONS_PER_USER", .at = I64(sessions_per_user), .fallback = "50", .min = 1, .max = 1000,
     .help = "sessions of one user; at one more sign-in the one that was unused for longest ends"},
    {.name = "USER_CHECK_S", .at = I64(user_check_s), .fallback = "60", .min = 1, .max = 3600,
     .unit = "s", .help = "a session's user is checked against userauth-svc so often, or up to twice as often"},
    {.name = "USER_CHECK_GRACE_S", .at = I64(user_check_grace_s), .fallback = "900", .min = 1, .max = 86400,
     .unit = "s", .help = "while userauth-svc can't be reached, its last answer holds so long"},
    {.name = "DESTROYED_KEEP_DAYS", .at = I64(destroyed_keep_days), .fallback = "30", .min = 1, .max = 3650,
     .unit = "days", .help = "destroyed notes can be restored for so long"},
    SERVICE_LIFE_ROWS(struct config, service),
};
/* clang-format on */
const size_t config_settings_count = ARRAY_COUNT(config_settings);

/* Scheme, host and port of such an address, in lower case, without a path (RFC 6454); NULL when it
 * is none. */
static const char *origin_of(struct env_faults *faults, const char *url)
{
    char *origin = text_lower(faults->arena, url);
    size_t length = strlen(origin);
    if (length && origin[length - 1] == '/')
        origin[length - 1] = '\0';
    const char *host = text_starts_with(origin, "https://")  ? origin + 8
                       : text_starts_with(origin, "http://") ? origin + 7
                                                             : NULL;
    return host && *host && *host != ':' && !host[strcspn(host, "/?#@ ")] ? origin : NULL;
}

const char *config_plain_origin(struct arena *arena, const char *origin)
{
    const char *port = text_starts_with(origin, "https://")  ? ":443"
                       : text_starts_with(origin, "http://") ? ":80"
                                                             : "";
    if (!*port || !text_ends_with(origin, port))
        return origin;
    return arena_format(arena, "%.*s", (int)(strlen(origin) - strlen(port)), origin);
}

static const char *need_origin(struct env_faults *faults, const char *name, const char *url)
{
    const char *origin = origin_of(faults, url);
    if (!origin)
        env_fault(faults, name, "\"%s\" is not like https://notes.example.org (without a path)",
                  url);
    return origin;
}

static void check_public_url(struct config *config, struct env_faults *faults)
{
    const char *url = config->public_url;
    if (!url)
        return;
    const char *origin = need_origin(faults, "PUBLIC_URL", url);
    config->public_origin = origin ? config_plain_origin(faults->arena, origin) : NULL;
    config->is_public_https =
        config->public_origin && text_starts_with(config->public_origin, "https://");
}

/* RFC 7617, 2: what is before the first colon is the name. */
static void check_user_service(const struct config *config, struct env_faults *faults)
{
    const char *url = config->user_service_url;
    if (strchr(config->user_service_id, ':'))
        env_fault(faults, "USER_SERVICE_ID", "\"%s\" has a colon, which no name of a key has",
                  config->user_service_id);
    if (!text_starts_with(url, "http://") && !text_starts_with(url, "https://"))
        env_fault(faults, "USER_SERVICE_URL", "\"%s\" is not an http:// or https:// address", url);
}

static void check_providers(struct config *config, struct env_faults *faults)
{
    config->own_origin =
        config->public_origin
            ? config->public_origin
            : arena_format(faults->arena, "http://127.0.0.1:%lld", (long long)config->service.port);
    const char *callback = config->twitter_callback_host;
    const char *origin = callback ? need_origin(faults, "TWITTER_CALLBACK_HOST", callback) : NULL;
    config->twitter_callback_host = origin ? origin : callback;
    provider_settings_check(config, faults);
}

void config_check(void *storage, struct env_faults *faults)
{
    struct config *config = storage;
    service_settings_check(&config->service, faults);
    db_settings_check(&config->database,
                      arena_format(faults->arena, "%s/notes.sqlite", config->service.state_dir),
                      faults);
    redis_settings_check(&config->redis, faults);
    check_public_url(config, faults);
    check_user_service(config, faults);
    check_providers(config, faults);
    if (!networks_parse(config->trusted_proxies, &config->trusted))
        env_fault(faults, "TRUSTED_PROXIES",
                  "\"%s\" is not a list of networks like 10.0.0.0/8,fd00::/8",
                  config->trusted_proxies);
    if (config->session_absolute_s < config->session_idle_s)
        env_fault(faults, "SESSION_ABSOLUTE_S", "is shorter than SESSION_IDLE_S");
    config->user_service_key_path =
        arena_format(faults->arena, "%s/userauth.key", config->service.state_dir);
}

/* SPDX-License-Identifier: MIT
 *
 * No fault's text holds the URL: it may hold a password.
 * Depends on: env.h, redis_url.h, redis_place.h. */
#include "data/redis_settings.h"

#include <string.h>

#include "base/arena.h"
#include "data/redis_place.h"

/* Host, user, password and database of REDIS_URL. */
static void check_url(struct redis_settings *settings, struct env_faults *faults)
{
    struct redis_url url = {.database = 0};
    const char *fault = redis_url_parse(faults->arena, settings->url.text, &url);
    if (fault) {
        env_fault(faults, "REDIS_URL", "%s", fault);
        return;
    }
    if (url.password && secret_is_set(&settings->password))
        env_fault(faults, "REDIS_PASSWORD", "is set, and REDIS_URL has one too");
    else if (url.password)
        settings->password = secret_new(url.password, strlen(url.password));
    else if (url.username && !secret_is_set(&settings->password))
        env_fault(faults, "REDIS_URL", "names a user, and there is no password");
    settings->options.host = url.host;
    settings->options.username = url.username;
    settings->options.database = url.database;
}

static void check_endpoint(struct redis_settings *settings, struct env_faults *faults)
{
    const char *other = settings->sentinels             ? "REDIS_SENTINELS"
                        : secret_is_set(&settings->url) ? "REDIS_URL"
                                                        : NULL;
    const char *fault =
        redis_host_parse(faults->arena, settings->endpoint, REDIS_PORT, &settings->options.host);
    if (other)
        env_fault(faults, "REDIS_ENDPOINT", "is set, and %s too; set one of them", other);
    else if (fault)
        env_fault(faults, "REDIS_ENDPOINT", "%s", fault);
}

static void check_sentinels(struct redis_settings *settings, struct env_faults *faults)
{
    struct redis_options *options = &settings->options;
    const char *fault = redis_sentinels_parse(faults->arena, settings->sentinels,
                                              options->sentinels, &options->sentinels_count);
    if (fault)
        env_fault(faults, "REDIS_SENTINELS", "%s", fault);
}

void redis_settings_check(struct redis_settings *settings, struct env_faults *faults)
{
    bool has_url = secret_is_set(&settings->url);
    settings->options = (struct redis_options){
        .master = settings->master,
        .timeout_ms = settings->timeout_ms,
        .is_set = has_url || settings->endpoint || settings->sentinels,
    };
    if (secret_is_set(&settings->password) && !settings->options.is_set)
        env_fault(faults, "REDIS_PASSWORD",
                  "is set, and nothing says where Redis is: set REDIS_URL");
    if (secret_is_set(&settings->sentinel_password) && !settings->sentinels)
        env_fault(faults, "REDIS_SENTINEL_PASSWORD", "is set, and REDIS_SENTINELS is not");
    if (has_url)
        check_url(settings, faults);
    if (settings->endpoint)
        check_endpoint(settings, faults);
    if (settings->sentinels)
        check_sentinels(settings, faults);
    if (secret_is_set(&settings->password))
        settings->options.password = &settings->password;
    if (secret_is_set(&settings->sentinel_password))
        settings->options.sentinel_password = &settings->sentinel_password;
    if (settings->options.is_set)
        settings->options.place = redis_place_new(faults->arena);
}

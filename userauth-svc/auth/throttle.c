/* SPDX-License-Identifier: MIT
 *
 * The arithmetic of throttle.h. */
#include "auth/throttle.h"

#include <string.h>

#include "base/text.h"

#define MS_PER_S INT64_C(1000)

static int64_t delay_s(const struct throttle_limits *limits, int64_t failures)
{
    int64_t delay = 1;
    if (failures < limits->client_failures_count)
        return 0;
    for (int64_t i = limits->client_failures_count; i < failures && delay < limits->wait_max_s; i++)
        delay *= 2;
    return delay < limits->wait_max_s ? delay : limits->wait_max_s;
}

static bool is_total_stale(const struct throttle_row *total, int64_t now_unix_ms)
{
    return now_unix_ms - total->used_unix_ms >= THROTTLE_TOTAL_TTL_MS;
}

bool throttle_is_device(const char *client)
{
    return text_starts_with(client, THROTTLE_DEVICE_PREFIX) &&
           client[strlen(THROTTLE_DEVICE_PREFIX)] != '\0';
}

int64_t throttle_wait_s(const struct throttle_limits *limits,
                        const struct throttle *throttle,
                        int64_t now_unix_ms)
{
    const struct throttle_row *total = &throttle->total;
    if (!throttle->client.has_succeeded && total->failures >= limits->name_failures_count &&
        !is_total_stale(total, now_unix_ms))
        return limits->wait_max_s;
    int64_t left_ms = throttle->client.wait_until_unix_ms - now_unix_ms;
    if (left_ms <= 0 || left_ms > limits->wait_max_s * MS_PER_S)
        return 0;
    return (left_ms + MS_PER_S - 1) / MS_PER_S;
}

int64_t throttle_add_failure(const struct throttle_limits *limits,
                             struct throttle *throttle,
                             int64_t now_unix_ms)
{
    struct throttle_row *client = &throttle->client;
    struct throttle_row *total = &throttle->total;
    if (is_total_stale(total, now_unix_ms))
        total->failures = 0;
    total->failures++;
    total->used_unix_ms = now_unix_ms;
    client->failures++;
    client->used_unix_ms = now_unix_ms;
    int64_t wait_s = delay_s(limits, client->failures);
    client->wait_until_unix_ms = wait_s ? now_unix_ms + wait_s * MS_PER_S : 0;
    return wait_s;
}

bool throttle_add_success(struct throttle *throttle, int64_t now_unix_ms)
{
    struct throttle_row *client = &throttle->client;
    bool was_known = client->has_succeeded;
    bool has_changed = !was_known || client->failures > 0 || throttle->total.failures > 0 ||
                       now_unix_ms - client->used_unix_ms >= THROTTLE_REFRESH_MS;
    if (was_known)
        throttle->total = (struct throttle_row){0};
    *client = (struct throttle_row){.has_succeeded = true, .used_unix_ms = now_unix_ms};
    return has_changed;
}

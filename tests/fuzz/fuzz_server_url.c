/* SPDX-License-Identifier: MIT
 *
 * Where databases, Redis and trusted proxies are, as settings say it: a URL is read whole or not at
 * all, and hosts are names or addresses with a port that can be. */
#include "base/address.h"
#include "base/arena.h"
#include "base/text.h"
#include "data/db_url.h"
#include "data/redis_url.h"

#include "fuzz.h"

#include <string.h>

#define PORT_MAX 65535

static void check_host(const char *name, int64_t port)
{
    FUZZ_REQUIRE(name && *name && !strpbrk(name, "@/?#%[], ") && !text_has_control(name, ""));
    FUZZ_REQUIRE(port >= 1 && port <= PORT_MAX);
}

static void check_account(const struct db_url *url)
{
    FUZZ_REQUIRE(*url->user && *url->database && (!url->password || *url->password));
    FUZZ_REQUIRE(!text_has_control(url->user, "") && !text_has_control(url->database, ""));
}

static void check_database(struct arena *arena, const char *text)
{
    struct db_url url = {.hosts_count = 0};
    const char *reason = db_url_parse(arena, text, &url);
    if (reason) {
        FUZZ_REQUIRE(*reason && url.hosts_count == 0 && !url.user);
        return;
    }
    FUZZ_REQUIRE(!db_url_path(text));
    check_account(&url);
    FUZZ_REQUIRE(url.hosts_count >= 1 && url.hosts_count <= DB_HOSTS_MAX_COUNT);
    for (size_t i = 0; i < url.hosts_count; i++)
        check_host(url.hosts[i].name, url.hosts[i].port);
}

static void check_redis(struct arena *arena, const char *text)
{
    struct redis_url url = {.username = NULL};
    struct redis_host hosts[REDIS_SENTINELS_MAX_COUNT];
    size_t count = 0;
    const char *reason = redis_url_parse(arena, text, &url);
    if (reason)
        FUZZ_REQUIRE(*reason && !url.host.host);
    else
        check_host(url.host.host, url.host.port);
    FUZZ_REQUIRE(url.database >= 0 && url.database <= REDIS_DATABASE_MAX);
    reason = redis_sentinels_parse(arena, text, hosts, &count);
    FUZZ_REQUIRE((reason != NULL) == (count == 0) && count <= REDIS_SENTINELS_MAX_COUNT);
    for (size_t i = 0; i < count; i++)
        check_host(hosts[i].host, hosts[i].port);
}

static void check_networks(const char *text)
{
    struct networks networks;
    if (!networks_parse(text, &networks))
        return;
    FUZZ_REQUIRE(networks.count <= NETWORKS_MAX_COUNT);
    for (size_t i = 0; i < networks.count; i++) {
        struct address first;
        memcpy(first.bytes, networks.items[i].address, sizeof(first.bytes));
        FUZZ_REQUIRE(networks.items[i].prefix_bits >= 0 && networks.items[i].prefix_bits <= 128);
        FUZZ_REQUIRE(networks_have(&networks, &first));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena;
    arena_init(&arena);
    const char *text = arena_text_copy(&arena, (const char *)data, size);
    check_database(&arena, text);
    check_database(&arena, arena_format(&arena, "mysql://%s", text));
    check_redis(&arena, text);
    check_redis(&arena, arena_format(&arena, "redis://%s", text));
    check_networks(text);
    return 0;
}

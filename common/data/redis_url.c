/* SPDX-License-Identifier: MIT
 *
 * A user name or password that holds one of / : @ % is percent-encoded (RFC 3986 section 3.2.1).
 * Depends on: parse.h, text.h, arena.h. */
#include "data/redis_url.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/text.h"

#define SCHEME     "redis://"
#define TLS_SCHEME "rediss://"
#define PORT_MAX   65535

static const char FORM[] = "is not of the form redis://[USER][:PASSWORD]@HOST[:PORT][/DB]";
static const char HOST_FORM[] = "is not of the form HOST[:PORT]";
static const char PORT_FORM[] = "names a port that is no number from 1 to 65535";

/* Decodes what is between two places; NULL when it is empty. False: it is wrong. */
static bool decode(struct arena *arena, const char *from, const char *end, const char **out_text)
{
    char *text = NULL;
    if (from != end && (!parse_percent(arena, from, (size_t)(end - from), false, &text) ||
                        text_has_control(text, "")))
        return false;
    *out_text = text;
    return true;
}

const char *redis_host_parse(struct arena *arena,
                             const char *text,
                             int64_t default_port,
                             struct redis_host *out_host)
{
    const char *name = text;
    const char *name_end = text + strcspn(text, ":");
    if (*text == '[') {
        name++;
        name_end = strchr(text, ']');
        if (!name_end || (name_end[1] && name_end[1] != ':'))
            return HOST_FORM;
    }
    const char *port = strchr(name_end, ':');
    struct redis_host host = {.port = default_port};
    if (port && !parse_i64(port + 1, 1, PORT_MAX, &host.port))
        return PORT_FORM;
    host.host = arena_text_copy(arena, name, (size_t)(name_end - name));
    if (!*host.host || strpbrk(host.host, "@/?#%[], ") || text_has_control(host.host, ""))
        return HOST_FORM;
    *out_host = host;
    return NULL;
}

const char *redis_sentinels_parse(struct arena *arena,
                                  const char *list,
                                  struct redis_host out_hosts[REDIS_SENTINELS_MAX_COUNT],
                                  size_t *out_count)
{
    struct redis_host hosts[REDIS_SENTINELS_MAX_COUNT] = {{NULL, 0}};
    size_t count = 0;
    for (const char *at = list; at; count++) {
        if (count == REDIS_SENTINELS_MAX_COUNT)
            return "names more than 8 hosts";
        const char *end = at + strcspn(at, ",");
        const char *one = arena_text_copy(arena, at, (size_t)(end - at));
        const char *fault = redis_host_parse(arena, one, REDIS_SENTINEL_PORT, &hosts[count]);
        if (fault)
            return fault;
        at = *end ? end + 1 : NULL;
    }
    memcpy(out_hosts, hosts, sizeof(hosts));
    *out_count = count;
    return NULL;
}

/* What is before the @. */
static bool
parse_credentials(struct arena *arena, const char *from, const char *at, struct redis_url *url)
{
    const char *colon = memchr(from, ':', (size_t)(at - from));
    if (!decode(arena, from, colon ? colon : at, &url->username))
        return false;
    return !colon || (decode(arena, colon + 1, at, &url->password) && url->password);
}

const char *redis_url_parse(struct arena *arena, const char *url, struct redis_url *out_url)
{
    if (text_starts_with(url, TLS_SCHEME))
        return "asks for TLS, which is not supported: use redis://, in a network that is trusted";
    if (!text_starts_with(url, SCHEME))
        return FORM;
    struct redis_url result = {.database = 0};
    const char *host = url + strlen(SCHEME);
    const char *at = strchr(host, '@');
    if (at && !parse_credentials(arena, host, at, &result))
        return FORM;
    host = at ? at + 1 : host;
    const char *host_end = host + strcspn(host, "/");
    const char *database = *host_end ? host_end + 1 : "";
    const char *name = arena_text_copy(arena, host, (size_t)(host_end - host));
    const char *fault = redis_host_parse(arena, name, REDIS_PORT, &result.host);
    if (fault)
        return fault == HOST_FORM ? FORM : fault;
    if (*database && !parse_i64(database, 0, REDIS_DATABASE_MAX, &result.database))
        return "names a database that is no number from 0 to 65535";
    *out_url = result;
    return NULL;
}

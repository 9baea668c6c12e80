/* SPDX-License-Identifier: MIT
 *
 * Depends on: parse.h, text.h, arena.h. A user name, password or database that holds one of / : @
 * % is percent-encoded (RFC 3986 section 3.2.1). */
#include "data/db_url.h"

#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/text.h"

#define SQLITE_SCHEME "sqlite:"
#define MYSQL_SCHEME  "mysql://"
#define PORT_MAX      65535

static const char FORM[] = "is not of the form mysql://USER[:PASSWORD]@HOST[:PORT][,HOST2...]/DB";

const char *db_url_path(const char *url)
{
    return text_starts_with(url, SQLITE_SCHEME) ? url + strlen(SQLITE_SCHEME) : NULL;
}

/* Decodes what is between two places; NULL when it is empty or wrong. */
static const char *decode(struct arena *arena, const char *from, const char *end)
{
    char *text = NULL;
    if (from == end || !parse_percent(arena, from, (size_t)(end - from), false, &text))
        return NULL;
    return text_has_control(text, "") ? NULL : text;
}

/* "name", "name:port", "[::1]:port". */
static const char *parse_host(struct arena *arena, const char *text, struct db_host *out_host)
{
    const char *end = text + strlen(text);
    const char *name_end = strchr(text, ':');
    const char *name = text;
    if (*text == '[') {
        name_end = strchr(text, ']');
        name++;
        if (!name_end || (name_end[1] && name_end[1] != ':'))
            return FORM;
    }
    const char *port = name_end ? strchr(name_end, ':') : NULL;
    if (!name_end)
        name_end = end;
    int64_t number = DB_MYSQL_PORT;
    if (port && !parse_i64(port + 1, 1, PORT_MAX, &number))
        return "names a port that is no number from 1 to 65535";
    out_host->name = arena_text_copy(arena, name, (size_t)(name_end - name));
    if (!*out_host->name || strpbrk(out_host->name, "@?#%[] ") ||
        text_has_control(out_host->name, ""))
        return FORM;
    out_host->port = (unsigned)number;
    return NULL;
}

static const char *parse_hosts(struct arena *arena, char *list, struct db_url *url)
{
    while (list) {
        char *comma = strchr(list, ',');
        if (comma)
            *comma = '\0';
        if (url->hosts_count == DB_HOSTS_MAX_COUNT)
            return "names more than 8 hosts";
        const char *fault = parse_host(arena, list, &url->hosts[url->hosts_count++]);
        if (fault)
            return fault;
        list = comma ? comma + 1 : NULL;
    }
    return NULL;
}

const char *db_url_parse(struct arena *arena, const char *url, struct db_url *out_url)
{
    if (!text_starts_with(url, MYSQL_SCHEME))
        return "is neither sqlite:PATH nor mysql://USER@HOST/DB";
    const char *user = url + strlen(MYSQL_SCHEME);
    const char *at = strchr(user, '@');
    const char *slash = at ? strchr(at, '/') : NULL;
    if (!slash || strpbrk(slash + 1, "/?#@"))
        return FORM;
    const char *colon = memchr(user, ':', (size_t)(at - user));
    struct db_url result = {
        .user = decode(arena, user, colon ? colon : at),
        .password = colon ? decode(arena, colon + 1, at) : NULL,
        .database = decode(arena, slash + 1, slash + strlen(slash)),
    };
    if (!result.user || !result.database || (colon && !result.password))
        return FORM;
    char *hosts = arena_text_copy(arena, at + 1, (size_t)(slash - at - 1));
    const char *fault = parse_hosts(arena, hosts, &result);
    if (!fault)
        *out_url = result;
    return fault;
}

/* SPDX-License-Identifier: MIT
 *
 * Reads DATABASE_URL. Pure: nothing is looked up or opened. */
#ifndef NOTES_DB_URL_H
#define NOTES_DB_URL_H

#include <stddef.h>
#include <stdint.h>

struct arena;

#define DB_HOSTS_MAX_COUNT 8
#define DB_MYSQL_PORT      3306

struct db_host {
    const char *name; /* a name or an address, IPv6 without its brackets */
    unsigned port;
};

/* mysql://USER[:PASSWORD]@HOST[:PORT][,HOST2...]/DB, decoded. */
struct db_url {
    const char *user;
    const char *password; /* NULL: not in the URL */
    const char *database;
    struct db_host hosts[DB_HOSTS_MAX_COUNT];
    size_t hosts_count;
};

/* The path of a "sqlite:PATH", NULL for another kind. */
const char *db_url_path(const char *url);

/* NULL when fine; otherwise a reason for people, static text without the URL, which may hold a
 * password. Tests: tests/unit/test_db_url.c */
const char *db_url_parse(struct arena *arena, const char *url, struct db_url *out_url);

#endif

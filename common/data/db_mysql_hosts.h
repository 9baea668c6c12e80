/* SPDX-License-Identifier: MIT
 *
 * Which servers a MySQL connection may use, how it signs in, and when it may ask again after nobody
 * answered: each vain round doubles the wait, so that a server that comes back is not run over, and
 * requests fail at once meanwhile. Owned by one connection. Private to db_mysql.c. */
#ifndef NOTES_DB_MYSQL_HOSTS_H
#define NOTES_DB_MYSQL_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/secret.h"
#include "data/db.h"
#include "data/db_url.h"

#define DB_MYSQL_WAIT_FIRST_MS   100
#define DB_MYSQL_WAIT_MAX_MS     3000
#define DB_MYSQL_LOOK_AGAIN_MS   2000 /* on a server that takes no writes: for one that does */
#define DB_MYSQL_CAUSE_MAX_BYTES 512

struct db_mysql_hosts {
    struct arena arena; /* of url and tls_ca */
    struct db_url url;
    struct secret password;
    enum db_tls tls;
    const char *tls_ca;
    int64_t wait_ms;
    int64_t away_until_ms;
    int64_t look_again_at_ms; /* INT64_MAX: the server takes writes */
    bool is_maria;            /* what answered last: MariaDB, not MySQL */
    unsigned last_number;     /* of the last vain try */
    char cause[DB_MYSQL_CAUSE_MAX_BYTES];
};

/* NULL, with the reason in ctx, when the URL is wrong. Owns: the caller. */
struct db_mysql_hosts *db_mysql_hosts_new(struct ctx *ctx, const struct db_options *options);
void db_mysql_hosts_free(struct db_mysql_hosts *hosts);

/* A round without an answer was just made. */
bool db_mysql_hosts_are_away(const struct db_mysql_hosts *hosts);
/* The present server took no writes a while ago: is there another by now? */
bool db_mysql_hosts_look_again(const struct db_mysql_hosts *hosts);
void db_mysql_hosts_found(struct db_mysql_hosts *hosts, bool is_writable);
/* Nobody answered; the reason of the last one is in ctx. Returns ERR_UNAVAILABLE. */
enum err db_mysql_hosts_missed(struct ctx *ctx, struct db_mysql_hosts *hosts);

#endif

/* SPDX-License-Identifier: MIT
 *
 * How a MySQL connection comes about: host after host, TLS, a session as we need it; and what the
 * numbers of errors mean. Private to db_mysql.c. */
#ifndef NOTES_DB_MYSQL_CONNECT_H
#define NOTES_DB_MYSQL_CONNECT_H

#include <mysql.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db_mysql_hosts;
struct watched;

enum db_mysql_effect {
    EFFECT_STAYS,  /* the connection is good */
    EFFECT_UNDONE, /* others were in the way: the transaction did not happen and may run again */
    EFFECT_LOST,   /* the connection is gone, or useless on this server */
    EFFECT_MOVE,   /* the server takes no writes: look for another */
};

#define DB_MYSQL_LOST_NUMBER  2013 /* CR_SERVER_LOST */
#define DB_MYSQL_PARSE_NUMBER 1064 /* ER_PARSE_ERROR */

struct db_mysql_code {
    unsigned number;
    enum err err;
    enum db_mysql_effect effect;
    const char *name;
    bool is_quiet; /* its message quotes values */
};

/* Prepares the library. Once, before anything else. */
void db_mysql_start(void);

struct db_mysql_code db_mysql_code(unsigned number);

/* The statement, watched until then. False: it failed. */
MUST_CHECK bool
db_mysql_plain(MYSQL *handle, struct watched *watched, int64_t until_ms, const char *sql);

/* Several statements, each with what it answers, to the last one. Watched by the caller. */
MUST_CHECK bool db_mysql_script(MYSQL *handle, const char *sql);

/* The first server that takes writes, else the first that answers; fails at once shortly after a
 * vain round. NULL, with the reason in ctx. `watched` has its socket. Owns: the caller,
 * watch_hang_up and mysql_close. */
MYSQL *db_mysql_connect(struct ctx *ctx, struct db_mysql_hosts *hosts, struct watched *watched);

/* Would it be vain to try again: a wrong name, password or database? */
bool db_mysql_is_settled(const struct db_mysql_hosts *hosts);

/* Was that it, or TLS or its certificate? */
bool db_mysql_is_refused(const struct db_mysql_hosts *hosts);

#endif

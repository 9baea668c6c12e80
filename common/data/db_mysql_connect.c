/* SPDX-License-Identifier: MIT
 *
 * Depends on: mysql.h, db_mysql_hosts.h, deadline_watch.h. The library's own time limit covers a
 * server that accepts and says nothing; it counts whole seconds. */
#include "data/db_mysql_connect.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/test_hook.h"
#include "base/text.h"
#include "data/db_driver.h"
#include "data/db_mysql_codes.h"
#include "data/db_mysql_hosts.h"
#include "data/db_mysql_statement.h"
#include "data/deadline_watch.h"
#include "data/keep_alive.h"

#define CONNECT_MAX_S    5
#define SIGN_IN_MAX_S    10
#define READ_BACKSTOP_S  (24 * 3600) /* of work without a deadline: a migration may take hours */
#define KEEP_IDLE_S      60
#define KEEP_EVERY_S     15
#define KEEP_TRIES_COUNT 4
#define NO_TLS_NUMBER    2026 /* CR_SSL_CONNECTION_ERROR */
#define MS_PER_S         1000

static const struct db_mysql_code codes[] = {
#define CODE_ROW(number, name, meaning, effect) \
    {number, ERR_##meaning, EFFECT_##effect, #name, number == 1062 || number == 1586},
    MYSQL_CODE_TABLE(CODE_ROW)
#undef CODE_ROW
#define QUIET_ROW(number, name) {number, ERR_INTERNAL, EFFECT_STAYS, #name, true},
        MYSQL_QUIET_TABLE(QUIET_ROW)
#undef QUIET_ROW
};

static const char session_sql[] =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION,"
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO', time_zone = '+00:00',"
    " autocommit = 1";
static const char isolation_sql[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
static const char is_read_only_sql[] = "SELECT @@global.read_only";

/* Of the library, but in none of its headers: calls back after whatever is read or written. */
int ma_pvio_register_callback(
    db_mysql_flag is_on,
    void (*see)(int mode, MYSQL *handle, const unsigned char *bytes, size_t size_bytes));

/* The sign-in that this thread is at. */
static _Thread_local struct {
    struct watched *watched; /* NULL: none */
    bool needs_tls;
    bool is_ended; /* the server has no TLS, which is needed */
} sign_in_now;

/* The library's time limit counts for each read, so that a server that trickles would hold us: as
 * soon as there is a socket, it is cut when the time has come.
 *
 * Where TLS is asked for, the library's caching_sha2_password takes it for given and sends the
 * password as it is, to a server without TLS too. It must encrypt it itself then, as for everybody
 * who does not ask for TLS; or, where TLS is needed, nothing more is said. Comes after the server's
 * greeting, before a password. */
static void see_sign_in(int mode, MYSQL *handle, const unsigned char *bytes, size_t size_bytes)
{
    (void)mode;
    (void)bytes;
    (void)size_bytes;
    if (sign_in_now.watched)
        watch_socket(sign_in_now.watched, handle->net.fd);
    if (!handle->server_capabilities || handle->server_capabilities & CLIENT_SSL)
        return;
    handle->options.use_ssl = 0;
    if (sign_in_now.watched && sign_in_now.needs_tls) {
        sign_in_now.is_ended = true;
        watch_hang_up(sign_in_now.watched);
    }
}

void db_mysql_start(void)
{
    if (mysql_library_init(0, NULL, NULL) || ma_pvio_register_callback(1, see_sign_in))
        abort();
}

const char *db_mysql_library(void)
{
    return mysql_get_client_info();
}

static bool is_of_client(unsigned number)
{
    return (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
}

struct db_mysql_code db_mysql_code(unsigned number)
{
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++)
        if (codes[i].number == number)
            return codes[i];
    if (is_of_client(number))
        return (struct db_mysql_code){number, ERR_UNAVAILABLE, EFFECT_LOST, "connection", false};
    return (struct db_mysql_code){number, ERR_INTERNAL, EFFECT_STAYS, "error", false};
}

bool db_mysql_is_settled(const struct db_mysql_hosts *hosts)
{
    enum db_mysql_effect effect = db_mysql_code(hosts->last_number).effect;
    bool is_busy = hosts->last_number == 1040 || hosts->last_number == 1053;
    return !is_of_client(hosts->last_number) && !is_busy && effect == EFFECT_LOST;
}

bool db_mysql_is_refused(const struct db_mysql_hosts *hosts)
{
    return hosts->last_number == NO_TLS_NUMBER || db_mysql_is_settled(hosts);
}

bool db_mysql_plain(MYSQL *handle, struct watched *watched, int64_t until_ms, const char *sql)
{
    watch_begin(watched, until_ms);
    int failed = mysql_real_query(handle, sql, strlen(sql));
    TEST_HOOK("database.answered");
    return !watch_end(watched) && !failed;
}

bool db_mysql_script(MYSQL *handle, const char *sql)
{
    int status = mysql_real_query(handle, sql, strlen(sql));
    while (status == 0) {
        MYSQL_RES *result = mysql_store_result(handle);
        if (result)
            mysql_free_result(result);
        status = mysql_next_result(handle);
    }
    return status < 0; /* there is no more */
}

/* A server may name the way to sign in: one that hands it the password is not among ours. Oracle's
 * library has that one switched off. */
static void set_ways_to_sign_in(MYSQL *handle)
{
#ifdef MARIADB_PACKAGE_VERSION_ID
    mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH,
                  "mysql_native_password,caching_sha2_password,client_ed25519");
#else
    (void)handle;
#endif
}

static void set_options(MYSQL *handle, const struct ctx *ctx)
{
    int64_t left_s = ctx_left_ms(ctx) / MS_PER_S;
    unsigned connect_s = left_s < 1 ? 1 : left_s > CONNECT_MAX_S ? CONNECT_MAX_S : (unsigned)left_s;
    unsigned backstop_s = READ_BACKSTOP_S;
    unsigned protocol = MYSQL_PROTOCOL_TCP; /* "localhost" is no socket file */
    unsigned no_files = 0;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &backstop_s);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &backstop_s);
    mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_files);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    set_ways_to_sign_in(handle);
}

static void set_tls(MYSQL *handle, const struct db_mysql_hosts *hosts)
{
    db_mysql_flag is_on = 1;
    db_mysql_flag is_verified = hosts->tls == DB_TLS_VERIFY;
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &is_on);
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_verified);
    if (hosts->tls_ca)
        mysql_options(handle, MYSQL_OPT_SSL_CA, hosts->tls_ca);
}

static void note_failure(struct ctx *ctx,
                         struct db_mysql_hosts *hosts,
                         const struct db_host *host,
                         MYSQL *handle)
{
    struct db_mysql_code code = db_mysql_code(mysql_errno(handle));
    hosts->last_number = code.number;
    ctx_forgive(ctx); /* the last host's reason is told */
    const char *text = mysql_error(handle);
    const char *tail = code.number == DB_MYSQL_LOST_NUMBER ? strstr(text, ", system error") : NULL;
    int text_size = tail ? (int)(tail - text) : (int)strlen(text); /* what follows is by chance */
    (void)ctx_fail(ctx, ERR_UNAVAILABLE, "%s:%u: %s (%u): %.*s", host->name, host->port, code.name,
                   code.number, text_size, text);
}

static void refuse_clear(struct ctx *ctx, struct db_mysql_hosts *hosts, const struct db_host *host)
{
    hosts->last_number = NO_TLS_NUMBER;
    ctx_forgive(ctx);
    (void)ctx_fail(ctx, ERR_UNAVAILABLE,
                   "%s:%u: the server has no TLS, which DATABASE_TLS asks for", host->name,
                   host->port);
}

/* Nothing but a descriptor was missing: what else is tried must not think that it was TLS. */
static void refuse_unwatched(struct ctx *ctx, struct db_mysql_hosts *hosts)
{
    hosts->last_number = DB_MYSQL_LOST_NUMBER;
    ctx_forgive(ctx);
    (void)ctx_fail(ctx, ERR_UNAVAILABLE, "no descriptor is left to watch a connection by");
}

static void hang_up(struct watched *watched, MYSQL *handle)
{
    mysql_close(handle);
    watch_hang_up(watched);
}

static MYSQL *
sign_in(struct ctx *ctx, struct db_mysql_hosts *hosts, const struct db_host *host, bool has_tls)
{
    MYSQL *handle = mysql_init(NULL);
    if (!handle) {
        (void)ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
        return NULL;
    }
    set_options(handle, ctx);
    if (has_tls)
        set_tls(handle, hosts);
    const char *password = secret_is_set(&hosts->password) ? hosts->password.text : "";
    sign_in_now.needs_tls = hosts->tls != DB_TLS_PREFER;
    sign_in_now.is_ended = false;
    bool is_in = mysql_real_connect(handle, host->name, hosts->url.user, password,
                                    hosts->url.database, host->port, NULL, CLIENT_FOUND_ROWS);
    bool is_safe = is_in && (hosts->tls == DB_TLS_PREFER || mysql_get_ssl_cipher(handle));
    int socket = sign_in_now.watched->socket;
    if (is_safe && socket >= 0) {
        /* A server that is gone without a word is noticed also without a deadline. */
        keep_alive(socket, KEEP_IDLE_S, KEEP_EVERY_S, KEEP_TRIES_COUNT);
        return handle;
    }
    if ((is_in && !is_safe) || sign_in_now.is_ended) /* the library's own "enforce" lets it pass */
        refuse_clear(ctx, hosts, host);
    else if (is_safe)
        refuse_unwatched(ctx, hosts);
    else
        note_failure(ctx, hosts, host, handle);
    hang_up(sign_in_now.watched, handle);
    return NULL;
}

/* A session as we need it. Is the server one that takes writes? */
static bool start_session(struct ctx *ctx,
                          struct db_mysql_hosts *hosts,
                          struct watched *watched,
                          MYSQL *handle,
                          bool *out_is_writable)
{
    static const char *const STEPS[] = {session_sql, isolation_sql, is_read_only_sql};
    for (size_t i = 0; i < ARRAY_COUNT(STEPS); i++)
        if (!db_mysql_plain(handle, watched, ctx->deadline_ms, STEPS[i]))
            return false;
    MYSQL_RES *result = mysql_store_result(handle);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    *out_is_writable = row && row[0] && (text_equals(row[0], "0") || text_equals(row[0], "OFF"));
    if (result)
        mysql_free_result(result);
    hosts->is_maria = strstr(mysql_get_server_info(handle), "MariaDB") != NULL;
    return true;
}

/* In the clear when that is allowed and the server has no TLS; not when something else is wrong. */
static MYSQL *sign_in_in_time(struct ctx *ctx,
                              struct db_mysql_hosts *hosts,
                              struct watched *watched,
                              const struct db_host *host)
{
    int64_t latest_ms = clock_monotonic_ms() + (int64_t)SIGN_IN_MAX_S * MS_PER_S;
    watch_begin(watched, ctx->deadline_ms < latest_ms ? ctx->deadline_ms : latest_ms);
    sign_in_now.watched = watched;
    MYSQL *handle = sign_in(ctx, hosts, host, true);
    if (!handle && hosts->tls == DB_TLS_PREFER && hosts->last_number == NO_TLS_NUMBER)
        handle = sign_in(ctx, hosts, host, false);
    sign_in_now.watched = NULL;
    if (!handle)
        watch_end_in_vain(watched);
    else if (watch_end(watched))
        hang_up(watched, TAKE(handle));
    return handle;
}

static MYSQL *connect_host(struct ctx *ctx,
                           struct db_mysql_hosts *hosts,
                           struct watched *watched,
                           const struct db_host *host,
                           bool *out_is_writable)
{
    MYSQL *handle = sign_in_in_time(ctx, hosts, watched, host);
    if (!handle || start_session(ctx, hosts, watched, handle, out_is_writable))
        return handle;
    note_failure(ctx, hosts, host, handle);
    hang_up(watched, handle);
    return NULL;
}

/* A server that takes no writes is better than none: reading goes on. */
MYSQL *db_mysql_connect(struct ctx *ctx, struct db_mysql_hosts *hosts, struct watched *watched)
{
    const struct db_host *reader = NULL;
    MYSQL *handle = NULL;
    bool is_writable = false;
    bool is_away = db_mysql_hosts_are_away(hosts);
    for (size_t i = 0; !is_away && i < hosts->url.hosts_count && ctx_left_ms(ctx) > 0; i++) {
        const struct db_host *host = &hosts->url.hosts[i];
        handle = connect_host(ctx, hosts, watched, host, &is_writable);
        if (handle && (is_writable || hosts->url.hosts_count == 1))
            break;
        if (!handle)
            continue;
        reader = reader ? reader : host;
        hang_up(watched, TAKE(handle));
    }
    if (!handle && reader)
        handle = connect_host(ctx, hosts, watched, reader, &is_writable);
    if (!handle) {
        (void)db_mysql_hosts_missed(ctx, hosts);
        return NULL;
    }
    ctx_forgive(ctx); /* hosts that did not answer before this one */
    db_mysql_hosts_found(hosts, is_writable);
    return handle;
}

/* SPDX-License-Identifier: MIT
 *
 * Depends on: db_url.h, secret.h, clock.h. */
#include "data/db_mysql_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"

struct db_mysql_hosts *db_mysql_hosts_new(struct ctx *ctx, const struct db_options *options)
{
    struct db_mysql_hosts *hosts = calloc(1, sizeof(*hosts));
    if (!hosts)
        abort();
    arena_init(&hosts->arena);
    const char *fault = db_url_parse(&hosts->arena, options->url, &hosts->url);
    if (fault) {
        (void)ctx_fail(ctx, ERR_UNAVAILABLE, "the database's URL %s", fault);
        db_mysql_hosts_free(hosts);
        return NULL;
    }
    const char *password = hosts->url.password ? hosts->url.password : options->password;
    if (password)
        hosts->password = secret_new(password, strlen(password));
    hosts->tls = options->tls;
    hosts->tls_ca = options->tls_ca ? arena_text(&hosts->arena, options->tls_ca) : NULL;
    hosts->look_again_at_ms = INT64_MAX;
    return hosts;
}

void db_mysql_hosts_free(struct db_mysql_hosts *hosts)
{
    if (!hosts)
        return;
    secret_done(&hosts->password);
    arena_done(&hosts->arena);
    free(hosts);
}

bool db_mysql_hosts_are_away(const struct db_mysql_hosts *hosts)
{
    return clock_monotonic_ms() < hosts->away_until_ms;
}

bool db_mysql_hosts_look_again(const struct db_mysql_hosts *hosts)
{
    return clock_monotonic_ms() >= hosts->look_again_at_ms;
}

void db_mysql_hosts_found(struct db_mysql_hosts *hosts, bool is_writable)
{
    hosts->wait_ms = 0;
    hosts->away_until_ms = 0;
    hosts->look_again_at_ms =
        is_writable ? INT64_MAX : clock_monotonic_ms() + DB_MYSQL_LOOK_AGAIN_MS;
}

enum err db_mysql_hosts_missed(struct ctx *ctx, struct db_mysql_hosts *hosts)
{
    if (!db_mysql_hosts_are_away(hosts)) {
        int64_t wait_ms = hosts->wait_ms ? hosts->wait_ms * 2 : DB_MYSQL_WAIT_FIRST_MS;
        hosts->wait_ms = wait_ms < DB_MYSQL_WAIT_MAX_MS ? wait_ms : DB_MYSQL_WAIT_MAX_MS;
        hosts->away_until_ms = clock_monotonic_ms() + hosts->wait_ms;
        (void)snprintf(hosts->cause, sizeof(hosts->cause), "%s", ctx->why.text);
    }
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_UNAVAILABLE, "the database can't be reached: %s", hosts->cause);
}

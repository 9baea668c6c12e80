/* SPDX-License-Identifier: MIT
 *
 * What is noted of a session in a real Redis: times go forward only, and with them the record's
 * life; a record that is gone stays gone. All of it is allowed to who may do no more than
 * docker/redis.sh says. */
#include "redis_bench.h"

#include "app.h"
#include "base/clock.h"
#include "config.h"
#include "session/session.h"
#include "session/session_store.h"

#define IDLE_S 7200

static const struct config config = {
    .session_idle_s = IDLE_S, .session_absolute_s = 86400, .redis = {.options = {.is_set = true}}};
static const struct app app = {.config = &config, .site = {.id = "a-site"}};
static const char RECORD[] =
    "notes:a-site:session:0700000000000000000000000000000000000000000000000000000000000000";

/* Of `me`, last used so long ago. */
static struct session add(struct bench *bench, int64_t now_ms, int64_t unused_s)
{
    struct session session = {.digest = {7}, .username = "me", .user_etag = "etag"};
    bench->ctx.redis = bench->redis;
    assert_int_equal(session_insert(&bench->ctx, &app, &session, now_ms - unused_s * 1000), ERR_OK);
    return session;
}

static struct session stored(struct bench *bench)
{
    struct session session = {.digest = {7}};
    assert_int_equal(session_fill(&bench->ctx, &app, &session), ERR_OK);
    return session;
}

static int64_t life_ms(struct bench *bench)
{
    return answer_to(bench, arena_format(&bench->ctx.arena, "PTTL %s", RECORD)).integer;
}

static void what_was_read_before_takes_no_later_use_back(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t now_ms = clock_unix_ms();
    struct session looked_at = add(bench, now_ms, 3600);
    struct session used = looked_at;
    used.used_unix_ms = now_ms - 10;
    used.checked_unix_ms = now_ms - 20;
    assert_int_equal(session_touch(&bench->ctx, &app, &used, now_ms), ERR_OK);
    looked_at.checked_unix_ms = now_ms - 30;
    assert_int_equal(session_touch(&bench->ctx, &app, &looked_at, now_ms), ERR_OK);
    assert_int_equal(stored(bench).used_unix_ms, now_ms - 10);
    assert_int_equal(stored(bench).checked_unix_ms, now_ms - 20);
    assert_true(life_ms(bench) > (int64_t)IDLE_S * 1000 / 2);
    looked_at.checked_unix_ms = now_ms;
    assert_int_equal(session_touch(&bench->ctx, &app, &looked_at, now_ms), ERR_OK);
    assert_int_equal(stored(bench).used_unix_ms, now_ms - 10);
    assert_int_equal(stored(bench).checked_unix_ms, now_ms);
    assert_int_equal(stored(bench).created_unix_ms, looked_at.created_unix_ms);
    assert_string_equal(stored(bench).username, "me");
    assert_string_equal(stored(bench).user_etag, "etag");
    assert_true(life_ms(bench) > (int64_t)IDLE_S * 1000 / 2);
}

static void a_use_renews_the_life_of_the_record(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t now_ms = clock_unix_ms();
    struct session session = add(bench, now_ms, 3600);
    answer_to(bench, arena_format(&bench->ctx.arena, "PEXPIRE %s 60000", RECORD));
    session.used_unix_ms = now_ms;
    assert_int_equal(session_touch(&bench->ctx, &app, &session, now_ms), ERR_OK);
    assert_true(life_ms(bench) > (int64_t)IDLE_S * 1000 / 2);
}

static void a_check_in_the_future_gives_way(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t now_ms = clock_unix_ms();
    struct session checked = add(bench, now_ms, -1000);
    checked.checked_unix_ms = now_ms;
    assert_int_equal(session_touch(&bench->ctx, &app, &checked, now_ms), ERR_OK);
    assert_int_equal(stored(bench).checked_unix_ms, now_ms);
    assert_true(stored(bench).used_unix_ms > now_ms);
}

static void what_is_gone_or_foreign_is_left_alone(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t now_ms = clock_unix_ms();
    struct session session = add(bench, now_ms, 100);
    assert_int_equal(session_delete(&bench->ctx, &app, &session), ERR_OK);
    session.used_unix_ms = now_ms;
    assert_int_equal(session_touch(&bench->ctx, &app, &session, now_ms), ERR_OK);
    assert_int_equal(answer_to(bench, arena_format(&bench->ctx.arena, "EXISTS %s", RECORD)).integer,
                     0);
    answer_to(bench, arena_format(&bench->ctx.arena, "SET %s another", RECORD));
    assert_int_equal(session_touch(&bench->ctx, &app, &session, now_ms), ERR_OK);
    assert_text(answer_to(bench, arena_format(&bench->ctx.arena, "GET %s", RECORD)), "another");
}

/* The commands that its line allows; NULL: where it is was not said. */
static const char *rules_of_containers(struct ctx *ctx)
{
    const char *source = getenv("NOTES_SOURCE"); /* the build says it */
    static char text[8192];
    if (!source)
        return NULL;
    FILE *file = fopen(arena_format(&ctx->arena, "%s/docker/redis.sh", source), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    char *rules = strstr(text, "-@all ");
    assert_non_null(rules);
    rules[strcspn(rules, "'\n")] = '\0';
    return rules;
}

/* What others did meanwhile stays, too, which is a command of its own (SET with KEEPTTL). */
static void what_the_containers_allow_is_enough(void **state)
{
    struct bench *bench = bench_of(state);
    struct ctx *ctx = &bench->ctx;
    const char *rules = rules_of_containers(ctx);
    if (!rules) {
        print_message("# skipped: NOTES_SOURCE is not set\n");
        skip();
    }
    redis_server_tell(&bench->server, arena_format(&ctx->arena,
                                                   "ACL SETUSER default reset on nopass '~notes:*'"
                                                   " '&notes:*' $(printf '%%s' '%s')",
                                                   rules));
    assert_error(bench, "GET another:name", ERR_UNAVAILABLE, "NOPERM");
    int64_t now_ms = clock_unix_ms();
    struct session looked_at = add(bench, now_ms, 3600);
    struct session used = looked_at;
    struct session_list list = {0};
    used.used_unix_ms = now_ms - 10;
    assert_int_equal(session_touch(ctx, &app, &used, now_ms), ERR_OK);
    assert_int_equal(session_touch(ctx, &app, &looked_at, now_ms), ERR_OK);
    assert_int_equal(stored(bench).used_unix_ms, now_ms - 10);
    assert_int_equal(session_list(ctx, &app, "me", NULL, &list), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(session_delete_all(ctx, &app, &list), ERR_OK);
    assert_int_equal(session_fill(ctx, &app, &used), ERR_NOT_FOUND);
    assert_int_equal(session_list(ctx, &app, "me", NULL, &list), ERR_OK);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_REDIS(what_was_read_before_takes_no_later_use_back),
        UNIT_REDIS(a_use_renews_the_life_of_the_record),
        UNIT_REDIS(a_check_in_the_future_gives_way),
        UNIT_REDIS(what_is_gone_or_foreign_is_left_alone),
        UNIT_REDIS(what_the_containers_allow_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

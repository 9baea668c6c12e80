/* SPDX-License-Identifier: MIT
 *
 * What a kept page counts in its cache: its parts and the strangers' plain answer from the start,
 * the packed answer as soon as there is one. That answers are right: http/test_page_cache.py. */
#include "page/shared_page.h"

#include "app.h"
#include "base/cache.h"
#include "base/ctx.h"
#include "config.h"
#include "http/http_message.h"
#include "http/http_server.h"
#include "unit.h"

#define CACHE_BYTES    ((size_t)16 * 1024 * 1024)
#define TEXT_BYTES     ((size_t)6000)
#define TEXT_MAX_BYTES 8192

static struct config config;

struct world {
    struct app app;
    struct ctx ctx;
    struct shared_page *page; /* is kept */
};

static int world_new(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    struct parts parts;
    world->app.config = &config;
    trust_gain(&world->app.trust);
    world->app.pages = cache_new(CACHE_BYTES, &world->app.trust);
    ctx_init(&world->ctx, NULL, 1000);
    parts_init(&parts, &world->ctx.arena, 0, TEXT_MAX_BYTES);
    for (size_t i = 0; i < TEXT_BYTES; i++)
        strbuf_add_char(&parts.text, (char)('a' + i * i % 23));
    const struct cache_ticket ticket = shared_page_begin(&world->app, "k");
    const struct page_state page_state = {.revision = 1, .part = ""};
    world->page = shared_page_keep(&world->app, &ticket, "k", &parts, page_state);
    assert_non_null(world->page);
    *state = world;
    return 0;
}

static int world_free(void **state)
{
    struct world *world = *state;
    shared_page_release(world->page);
    cache_free(world->app.pages);
    ctx_done(&world->ctx);
    free(world);
    return 0;
}

/* The answer that a stranger gets who takes packed ones. */
static const struct http_prepared *send_packed(struct world *world)
{
    const struct http_request rq = {.fields = {[HTTP_FIELD_ACCEPT_ENCODING] = "gzip"}};
    struct http_response rs = {0};
    enum err err = shared_page_send_kept(&world->app, &world->ctx, &rq, &rs, world->page);
    assert_int_equal(err, ERR_OK);
    assert_non_null(rs.prepared);
    assert_true(http_prepared_size_bytes(rs.prepared) < TEXT_BYTES);
    cached_release(rs.holds); /* the page and the cache hold it still */
    return rs.prepared;
}

static void the_packed_answer_is_counted_once(void **state)
{
    struct world *world = *state;
    size_t plain_bytes = cache_size_bytes(world->app.pages);
    assert_true(plain_bytes > 2 * TEXT_BYTES);
    const struct http_prepared *packed = send_packed(world);
    size_t both_bytes = cache_size_bytes(world->app.pages);
    assert_true(both_bytes > plain_bytes + http_prepared_size_bytes(packed));
    assert_ptr_equal(send_packed(world), packed);
    assert_int_equal(cache_size_bytes(world->app.pages), both_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_packed_answer_is_counted_once, world_new, world_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

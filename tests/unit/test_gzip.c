/* SPDX-License-Identifier: MIT
 *
 * What is packed is what comes out again; what would not get smaller is left alone. */
#include "http/gzip.h"

#include "base/arena.h"
#include "base/secret.h"

#include <zlib.h>

#include "unit.h"

#define TEXT_BYTES 40000

static int arena_new(void **state)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (!arena)
        return -1;
    arena_init(arena);
    *state = arena;
    return 0;
}

static int arena_free(void **state)
{
    arena_done(*state);
    free(*state);
    return 0;
}

static struct bytes some_text(struct arena *arena)
{
    static const char line[] = "<li><a href=\"/notes/view?key=a\" dir=\"auto\">A title</a></li>\n";
    unsigned char *text = arena_take(arena, TEXT_BYTES);
    for (size_t i = 0; i < TEXT_BYTES; i++)
        text[i] = (unsigned char)line[i % (sizeof(line) - 1)];
    return (struct bytes){.p = text, .n = TEXT_BYTES};
}

static void what_is_packed_comes_out_again(void **state)
{
    struct arena *arena = *state;
    const struct bytes text = some_text(arena);
    unsigned char *out = arena_take(arena, TEXT_BYTES + 1);
    struct bytes packed = {0};
    assert_true(gzip_pack(arena, text, &packed));
    assert_true(packed.n < text.n / 20);
    z_stream stream = {.avail_in = (uInt)packed.n, .next_out = out, .avail_out = TEXT_BYTES + 1};
    stream.next_in = (unsigned char *)(uintptr_t)packed.p;
    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK); /* gzip, and nothing else */
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, text.n);
    assert_memory_equal(out, text.p, text.n);
    (void)inflateEnd(&stream);
}

static void the_same_is_packed_the_same_way(void **state)
{
    struct arena *arena = *state;
    struct bytes first = {0};
    struct bytes second = {0};
    assert_true(gzip_pack(arena, some_text(arena), &first));
    assert_true(gzip_pack(arena, some_text(arena), &second));
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.p, second.p, first.n);
}

/* A client that reads slowly keeps the answer for long; small ones are not even counted. */
static void the_arena_keeps_no_more_than_what_was_packed(void **state)
{
    struct arena *arena = *state;
    const struct bytes text = some_text(arena);
    size_t before_bytes = arena->used_bytes;
    struct bytes packed = {0};
    assert_true(gzip_pack(arena, text, &packed));
    assert_in_range(arena->used_bytes - before_bytes, packed.n, packed.n + 16);
}

static void what_would_not_get_smaller_is_left(void **state)
{
    struct arena *arena = *state;
    unsigned char *noise = arena_take(arena, TEXT_BYTES);
    secret_random(noise, TEXT_BYTES);
    const struct bytes plains[] = {
        {.p = noise, .n = TEXT_BYTES},
        {.p = noise, .n = 1},
        {.p = (const unsigned char *)"", .n = 0},
        {.p = (const unsigned char *)"aaaaaaaa", .n = 8},
    };
    for (size_t i = 0; i < ARRAY_COUNT(plains); i++) {
        struct bytes packed = {.n = 7};
        assert_false(gzip_pack(arena, plains[i], &packed));
        assert_int_equal(packed.n, 7);
    }
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_new, arena_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(what_is_packed_comes_out_again),
        WITH_ARENA(the_same_is_packed_the_same_way),
        WITH_ARENA(the_arena_keeps_no_more_than_what_was_packed),
        WITH_ARENA(what_would_not_get_smaller_is_left),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}

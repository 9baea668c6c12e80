/* SPDX-License-Identifier: MIT
 *
 * The arena: alignment, zeroing, growth over blocks, wiping, and extension in place. */
#include "base/arena.h"

#include "unit.h"

#include <stdio.h>

static const size_t sizes_bytes[] = {0, 1, 15, 16, 17, 100, 1000, 4000, 4096, 5000, 20000, 300000};

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    struct arena *arena = *state;
    const unsigned char *before = NULL;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < ARRAY_COUNT(sizes_bytes); i++) {
            unsigned char *piece = arena_take(arena, sizes_bytes[i]);
            assert_int_equal((uintptr_t)piece % 16, 0);
            assert_ptr_not_equal(piece, before);
            for (size_t at = 0; at < sizes_bytes[i]; at++)
                assert_int_equal(piece[at], 0);
            memset(piece, 0xA5, sizes_bytes[i]);
            before = piece;
        }
    }
}

static void earlier_pieces_keep_their_bytes_while_later_ones_are_taken(void **state)
{
    struct arena *arena = *state;
    enum { PIECES_COUNT = 500 };
    char *pieces[PIECES_COUNT];
    for (int i = 0; i < PIECES_COUNT; i++)
        pieces[i] = arena_format(arena, "piece %d %*s", i, i % 7 == 0 ? 5000 : 10, "x");
    for (int i = 0; i < PIECES_COUNT; i++) {
        char start[32];
        (void)snprintf(start, sizeof(start), "piece %d ", i);
        assert_memory_equal(pieces[i], start, strlen(start));
        assert_int_equal(strlen(pieces[i]), strlen(start) + (i % 7 == 0 ? 5000 : 10));
    }
}

static void a_small_request_stays_in_the_first_block(void **state)
{
    struct arena *arena = *state;
    for (int i = 0; i < ARENA_FIRST_BLOCK_BYTES / 16; i++)
        (void)arena_take(arena, 16);
    assert_null(arena->blocks);
    assert_int_equal(arena->used_bytes, ARENA_FIRST_BLOCK_BYTES);
    (void)arena_take(arena, 1);
    assert_non_null(arena->blocks);
}

static void a_large_piece_leaves_the_current_block_in_use(void **state)
{
    struct arena *arena = *state;
    unsigned char *before = arena_take(arena, 16);
    (void)arena_take(arena, 100000);
    unsigned char *after = arena_take(arena, 16);
    assert_ptr_equal(after, before + 16);

    (void)arena_take(arena, 4080); /* opens a second block */
    before = arena_take(arena, 16);
    (void)arena_take(arena, 100000);
    after = arena_take(arena, 16);
    assert_ptr_equal(after, before + 16);
}

static void the_end_wipes_what_was_handed_out(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    (void)arena_text(&arena, "my password");
    (void)arena_take(&arena, 100000);
    arena_done(&arena);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(arena.first[i], 0);
    assert_null(arena.blocks);
    arena_done(&arena);
}

static void the_end_wipes_the_first_block_when_another_is_current(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    (void)arena_text(&arena, "my password");
    for (int i = 0; i < 100; i++)
        (void)arena_take(&arena, 1000);
    arena_done(&arena);
    for (size_t i = 0; i < ARENA_FIRST_BLOCK_BYTES; i++)
        assert_int_equal(arena.first[i], 0);
}

static void done_on_a_zeroed_arena_does_nothing(void **state)
{
    (void)state;
    static struct arena arena;
    arena_done(&arena);
    assert_null(arena.blocks);
}

static void the_last_piece_can_be_extended_in_place(void **state)
{
    struct arena *arena = *state;
    unsigned char *piece = arena_take(arena, 20);
    size_t used_bytes = arena->used_bytes;
    memset(piece, 0xA5, 20);
    assert_true(arena_extend(arena, piece, 20, 200));
    for (size_t i = 32; i < 200; i++)
        assert_int_equal(piece[i], 0);
    assert_int_equal(arena->used_bytes, used_bytes + 208 - 32);
    assert_ptr_equal(arena_take(arena, 1), piece + 208);
}

static void other_pieces_can_not_be_extended(void **state)
{
    struct arena *arena = *state;
    unsigned char *first = arena_take(arena, 20);
    unsigned char *last = arena_take(arena, 20);
    assert_false(arena_extend(arena, first, 20, 40));
    assert_false(arena_extend(arena, last, 20, 8));
    assert_false(arena_extend(arena, last, 20, 2 * ARENA_FIRST_BLOCK_BYTES));
    unsigned char *large = arena_take(arena, 50000);
    assert_false(arena_extend(arena, large, 50000, 50100));
    assert_ptr_equal(arena_take(arena, 1), last + 32);
}

static void what_is_kept_stays_and_the_rest_is_given_back(void **state)
{
    struct arena *arena = *state;
    const char *in_first = arena_text(arena, "in the first block");
    (void)arena_take(arena, 300000);
    char *large = arena_take(arena, 50000);
    memset(large, 'l', 50000);
    for (int i = 0; i < 100; i++)
        (void)arena_take(arena, 4000);
    const char *small = arena_text(arena, "in a shared block");
    for (int i = 0; i < 100; i++)
        (void)arena_take(arena, 4000);
    const void *const pieces[] = {in_first, NULL, large + 49999, "nothing of ours", small};
    arena_keep(arena, pieces, ARRAY_COUNT(pieces));
    assert_in_range(arena->used_bytes, 50000, 50000 + ARENA_FIRST_BLOCK_BYTES + 16384);
    assert_string_equal(in_first, "in the first block");
    assert_string_equal(small, "in a shared block");
    assert_int_equal(large[0], 'l');
    assert_int_equal(large[49999], 'l');
    assert_string_equal(arena_text(arena, "and it goes on"), "and it goes on");

    size_t used_bytes = arena->used_bytes;
    arena_keep(arena, pieces, ARRAY_COUNT(pieces));
    assert_true(arena->used_bytes < used_bytes); /* the block of what was taken last, the current */
    arena_keep(arena, NULL, 0);
    assert_null(arena->blocks);
    assert_int_equal(arena->used_bytes, ARENA_FIRST_BLOCK_BYTES);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(strlen(arena_format(arena, "%100d", i)), 100);
}

static void a_first_block_that_is_not_full_is_filled_on(void **state)
{
    struct arena *arena = *state;
    unsigned char *first = arena_take(arena, 16);
    (void)arena_take(arena, 50000);
    arena_keep(arena, NULL, 0);
    assert_null(arena->blocks);
    assert_int_equal(arena->used_bytes, 16);
    assert_ptr_equal(arena_take(arena, 16), first + 16);
}

static void texts_are_copied_with_their_end(void **state)
{
    struct arena *arena = *state;
    assert_null(arena_text(arena, NULL));
    assert_string_equal(arena_text(arena, ""), "");
    assert_string_equal(arena_text(arena, "täxt"), "täxt");
    assert_memory_equal(arena_text_copy(arena, "a\0b", 3), "a\0b\0", 4);
    assert_string_equal(arena_text_copy(arena, NULL, 0), "");
}

static void formats_of_any_length_are_whole(void **state)
{
    struct arena *arena = *state;
    for (int width = 0; width < 1000; width++) {
        const char *text = arena_format(arena, "%0*d", width, 7);
        assert_int_equal(strlen(text), width > 1 ? width : 1);
        assert_int_equal(text[strlen(text) - 1], '7');
    }
}

static void arrays_are_zeroed(void **state)
{
    const int *numbers = arena_take_array(*state, 1000, sizeof(*numbers));
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], 0);
    assert_non_null(arena_take_array(*state, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(pieces_are_zeroed_aligned_and_apart),
        UNIT_WITH_ARENA(earlier_pieces_keep_their_bytes_while_later_ones_are_taken),
        UNIT_WITH_ARENA(a_small_request_stays_in_the_first_block),
        UNIT_WITH_ARENA(a_large_piece_leaves_the_current_block_in_use),
        UNIT(the_end_wipes_what_was_handed_out),
        UNIT(the_end_wipes_the_first_block_when_another_is_current),
        UNIT(done_on_a_zeroed_arena_does_nothing),
        UNIT_WITH_ARENA(the_last_piece_can_be_extended_in_place),
        UNIT_WITH_ARENA(other_pieces_can_not_be_extended),
        UNIT_WITH_ARENA(what_is_kept_stays_and_the_rest_is_given_back),
        UNIT_WITH_ARENA(a_first_block_that_is_not_full_is_filled_on),
        UNIT_WITH_ARENA(texts_are_copied_with_their_end),
        UNIT_WITH_ARENA(formats_of_any_length_are_whole),
        UNIT_WITH_ARENA(arrays_are_zeroed),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}

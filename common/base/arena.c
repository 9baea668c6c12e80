/* SPDX-License-Identifier: MIT
 *
 * The bump allocator behind each request. The first block lies inside the struct, so that a
 * small request asks the heap for nothing; further ones are at least ARENA_BLOCK_BYTES. A piece
 * that would waste much of a block gets a block of its own, which is put behind the current one,
 * so that the current one goes on being filled. What was handed out is wiped at the end, and
 * only that: wiping the untouched rest would make it resident.
 * Depends on: arena.h, libsodium (sodium_memzero). */
#include "base/arena.h"

#include <sodium.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 16384
#define ARENA_LARGE_BYTES \
    4096 /* from here on a piece that does not fit gets a block of its own \
          */
#define ARENA_ALIGN_BYTES 16
#define FORMAT_TRY_BYTES  256

struct arena_block {
    struct arena_block *older;
    size_t used_bytes; /* right for all blocks but the current one, see settle_current */
    size_t size_bytes;
    _Alignas(ARENA_ALIGN_BYTES) unsigned char bytes[];
};

/* 0 would round to nothing; two calls must not give the same pointer. */
static size_t round_up(size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        abort();
    size_t at_least_one = size_bytes == 0 ? 1 : size_bytes;
    return (at_least_one + ARENA_ALIGN_BYTES - 1) & ~(size_t)(ARENA_ALIGN_BYTES - 1);
}

static bool is_current_first(const struct arena *arena)
{
    uintptr_t next = (uintptr_t)arena->next;
    uintptr_t first = (uintptr_t)arena->first;
    return next >= first && next <= first + ARENA_FIRST_BLOCK_BYTES;
}

/* Notes in the current block how much of it was handed out. */
static void settle_current(struct arena *arena)
{
    if (arena->blocks && !is_current_first(arena))
        arena->blocks->used_bytes = arena->blocks->size_bytes - arena->left_bytes;
}

/* Zeroed by calloc, which knows when the system's memory is zero already. */
static struct arena_block *block_new(size_t size_bytes)
{
    struct arena_block *block = calloc(1, sizeof(*block) + size_bytes);
    if (!block)
        abort();
    block->size_bytes = size_bytes;
    return block;
}

static void *take_large(struct arena *arena, size_t size_bytes)
{
    struct arena_block *block = block_new(size_bytes);
    block->used_bytes = size_bytes;
    if (arena->blocks && !is_current_first(arena)) {
        block->older = arena->blocks->older;
        arena->blocks->older = block;
    } else {
        block->older = arena->blocks;
        arena->blocks = block;
    }
    return block->bytes;
}

static void start_block(struct arena *arena)
{
    settle_current(arena);
    struct arena_block *block = block_new(ARENA_BLOCK_BYTES);
    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = block->bytes;
    arena->left_bytes = ARENA_BLOCK_BYTES;
}

void arena_init(struct arena *arena)
{
    arena->blocks = NULL;
    arena->next = arena->first;
    arena->left_bytes = ARENA_FIRST_BLOCK_BYTES;
    arena->used_bytes = 0;
}

static size_t first_used_bytes(const struct arena *arena)
{
    return ARENA_FIRST_BLOCK_BYTES - (is_current_first(arena) ? arena->left_bytes : 0);
}

/* Its use is settled. */
static void block_free(struct arena_block *block)
{
    sodium_memzero(block->bytes, block->used_bytes);
    free(block);
}

void arena_done(struct arena *arena)
{
    if (!arena->next)
        return;
    settle_current(arena);
    sodium_memzero(arena->first, first_used_bytes(arena));
    struct arena_block *block = arena->blocks;
    while (block) {
        struct arena_block *older = block->older;
        block_free(block);
        block = older;
    }
    arena->blocks = NULL;
    arena->next = NULL;
    arena->left_bytes = 0;
    arena->used_bytes = 0;
}

static bool holds_any(const struct arena_block *block, const void *const *pieces, size_t count)
{
    uintptr_t begin = (uintptr_t)block->bytes;
    bool is_held = false;
    for (size_t i = 0; i < count; i++) {
        uintptr_t piece = (uintptr_t)pieces[i];
        is_held = is_held || (piece >= begin && piece < begin + block->size_bytes);
    }
    return is_held;
}

/* Without its block, the current one, the arena goes on as when its first block is full. */
static void leave_current(struct arena *arena)
{
    arena->next = arena->first + ARENA_FIRST_BLOCK_BYTES;
    arena->left_bytes = 0;
}

void arena_keep(struct arena *arena, const void *const *pieces, size_t count)
{
    settle_current(arena);
    const struct arena_block *current = is_current_first(arena) ? NULL : arena->blocks;
    arena->used_bytes = first_used_bytes(arena);
    struct arena_block **at = &arena->blocks;
    while (*at) {
        struct arena_block *block = *at;
        if (holds_any(block, pieces, count)) {
            arena->used_bytes += block->used_bytes;
            at = &block->older;
            continue;
        }
        if (block == current)
            leave_current(arena);
        *at = block->older;
        block_free(block);
    }
}

void *arena_take(struct arena *arena, size_t size_bytes)
{
    size_t whole_bytes = round_up(size_bytes);
    arena->used_bytes += whole_bytes;
    if (whole_bytes > arena->left_bytes) {
        if (whole_bytes >= ARENA_LARGE_BYTES)
            return take_large(arena, whole_bytes);
        start_block(arena);
    }
    unsigned char *piece = arena->next;
    arena->next += whole_bytes;
    arena->left_bytes -= whole_bytes;
    memset(piece, 0, whole_bytes);
    return piece;
}

bool arena_extend(struct arena *arena, const void *piece, size_t old_bytes, size_t new_bytes)
{
    size_t old_whole_bytes = round_up(old_bytes);
    size_t new_whole_bytes = round_up(new_bytes);
    if ((uintptr_t)piece + old_whole_bytes != (uintptr_t)arena->next ||
        new_whole_bytes < old_whole_bytes || new_whole_bytes - old_whole_bytes > arena->left_bytes)
        return false;
    size_t more_bytes = new_whole_bytes - old_whole_bytes;
    memset(arena->next, 0, more_bytes);
    arena->next += more_bytes;
    arena->left_bytes -= more_bytes;
    arena->used_bytes += more_bytes;
    return true;
}

void *arena_take_array(struct arena *arena, size_t count, size_t item_bytes)
{
    if (item_bytes != 0 && count > SIZE_MAX / item_bytes)
        abort();
    return arena_take(arena, count * item_bytes);
}

char *arena_text_copy(struct arena *arena, const char *text, size_t size_bytes)
{
    char *copy = arena_take(arena, size_bytes + 1);
    if (size_bytes > 0)
        memcpy(copy, text, size_bytes);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return text ? arena_text_copy(arena, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *text = arena_format_list(arena, format, values);
    va_end(values);
    return text;
}

/* Most texts are short: the first try tells the size and is often the text itself. */
char *arena_format_list(struct arena *arena, const char *format, va_list values)
{
    UNCLEARED char try_text[FORMAT_TRY_BYTES];
    va_list again;
    va_copy(again, values);
    int size = vsnprintf(try_text, sizeof(try_text), format, values);
    if (size < 0)
        abort();
    size_t size_bytes = (size_t)size;
    char *text = arena_take(arena, size_bytes + 1);
    if (size_bytes < sizeof(try_text))
        memcpy(text, try_text, size_bytes + 1);
    else if (vsnprintf(text, size_bytes + 1, format, again) != size)
        abort();
    va_end(again);
    sodium_memzero(try_text, size_bytes < sizeof(try_text) ? size_bytes : sizeof(try_text));
    return text;
}

/* SPDX-License-Identifier: MIT
 *
 * Memory that lives as long as its owner, usually one request: taken in order, given back all at
 * once. Order of calls: arena_init, any number of arena_take/arena_text, arena_done. There is no
 * release of single pieces; arena_keep gives back most of what is not needed any more. Memory is
 * zeroed when handed out and wiped at the end, because passwords pass through it. Out of memory
 * aborts: inputs are bounded, and the service is started again. */
#ifndef NOTES_ARENA_H
#define NOTES_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define ARENA_FIRST_BLOCK_BYTES 4096

struct arena_block; /* a further block, from the heap */

struct arena {
    struct arena_block *blocks; /* newest first */
    unsigned char *next;        /* free space of the current block */
    size_t left_bytes;
    size_t used_bytes; /* handed out, less what arena_keep gave back: goes to the access log */
    _Alignas(16) unsigned char first[ARENA_FIRST_BLOCK_BYTES];
};

/* The storage is the caller's and must not move afterwards. */
void arena_init(struct arena *arena);

/* Wipes all used bytes and frees further blocks. Does nothing on a zeroed arena. */
void arena_done(struct arena *arena);

/* Wipes and frees the further blocks that hold none of these pieces; NULL and what is not the
 * arena's are none. What lies in the others stays, wanted or not: small pieces share a block. */
void arena_keep(struct arena *arena, const void *const *pieces, size_t count);

/* Zeroed, aligned for any type, never NULL. Size 0 gives a valid pointer. */
void *arena_take(struct arena *arena, size_t size_bytes);

/* Makes the piece that was taken last larger where it lies. False, and nothing is changed, when it
 * is not the last one or there is no room. Units: old_bytes as it was taken or last extended. For
 * text that grows (strbuf). */
MUST_CHECK bool
arena_extend(struct arena *arena, const void *piece, size_t old_bytes, size_t new_bytes);

/* For arrays: the product is checked. */
void *arena_take_array(struct arena *arena, size_t count, size_t item_bytes);

/* A copy that ends in NUL. `text` may hold any bytes. */
char *arena_text_copy(struct arena *arena, const char *text, size_t size_bytes);

/* A copy of a NUL-terminated text; NULL gives NULL. */
char *arena_text(struct arena *arena, const char *text);

/* A formatted text. */
char *arena_format(struct arena *arena, const char *format, ...) FORMAT(2, 3);
char *arena_format_list(struct arena *arena, const char *format, va_list values) FORMAT(2, 0);

#endif

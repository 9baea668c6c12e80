/* SPDX-License-Identifier: MIT
 *
 * One call of deflate into a buffer of the plain text's size: what does not fit is not smaller.
 * Only what was written of it goes into the arena, which keeps it until somebody has read it. Level
 * 1, because a page is packed while somebody waits for it; docs/PERFORMANCE.md has what more would
 * gain and cost. Depends on: zlib (included here only). */
#include "http/gzip.h"

#include "base/arena.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* it only reads what it packs */
#include <zlib.h>

#define LEVEL       1
#define WINDOW_BITS (14 + 16) /* 16 KB; 16: with the head and the end of gzip, not of zlib */
#define MEMORY      7         /* both one less than usual: half as much to take and to clear */

static bool deflate_all(struct bytes plain, unsigned char *room, size_t *out_packed_bytes)
{
    z_stream stream = {.next_in = plain.p, .avail_in = (uInt)plain.n};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    stream.next_out = room;
    stream.avail_out = (uInt)plain.n;
    bool is_packed = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out < plain.n;
    *out_packed_bytes = stream.total_out;
    (void)deflateEnd(&stream);
    return is_packed;
}

bool gzip_pack(struct arena *arena, struct bytes plain, struct bytes *out_packed)
{
    size_t packed_bytes = 0;
    unsigned char *room = plain.n <= UINT_MAX ? malloc(plain.n) : NULL;
    bool is_packed = room && deflate_all(plain, room, &packed_bytes);
    if (is_packed) {
        unsigned char *packed = arena_take(arena, packed_bytes);
        memcpy(packed, room, packed_bytes);
        *out_packed = (struct bytes){.p = packed, .n = packed_bytes};
    }
    free(room);
    return is_packed;
}

/* SPDX-License-Identifier: MIT
 *
 * One call of deflate into a buffer of the plain text's size: what does not fit is not smaller.
 * Level 1, because a page is packed while somebody waits for it; docs/PERFORMANCE.md has what more
 * would gain and cost. Depends on: zlib (included here only). */
#include "http/gzip.h"

#include "base/arena.h"

#include <limits.h>

#define ZLIB_CONST /* it only reads what it packs */
#include <zlib.h>

#define LEVEL       1
#define WINDOW_BITS (14 + 16) /* 16 KB; 16: with the head and the end of gzip, not of zlib */
#define MEMORY      7         /* both one less than usual: half as much to take and to clear */

bool gzip_pack(struct arena *arena, struct bytes plain, struct bytes *out_packed)
{
    z_stream stream = {0};
    if (plain.n > UINT_MAX ||
        deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    unsigned char *packed = arena_take(arena, plain.n);
    stream.next_in = plain.p;
    stream.avail_in = (uInt)plain.n;
    stream.next_out = packed;
    stream.avail_out = (uInt)plain.n;
    bool is_packed = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out < plain.n;
    if (is_packed)
        *out_packed = (struct bytes){.p = packed, .n = stream.total_out};
    (void)deflateEnd(&stream);
    return is_packed;
}

/* SPDX-License-Identifier: MIT
 *
 * The content coding "gzip" (RFC 9110 8.4.1.3) for answers that are made while the program runs;
 * assets are packed when it is built. Costs time (docs/PERFORMANCE.md) and, while it runs, some
 * 130 KB and as much as the text takes: for workers, not for event loops. Who calls it makes sure
 * that nothing secret is packed together with what others wrote: the length would tell about it. */
#ifndef NOTES_GZIP_H
#define NOTES_GZIP_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/cleanup.h"

struct arena;

/* Packs it into the arena, which holds no more than that of it. False: out of memory, or it would
 * not get smaller. The same bytes are packed the same way always. */
MUST_CHECK bool gzip_pack(struct arena *arena, struct bytes plain, struct bytes *out_packed);

#endif

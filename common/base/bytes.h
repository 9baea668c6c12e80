/* SPDX-License-Identifier: MIT
 *
 * Bytes of known length that need not be text: a request's body, an asset, a digest. */
#ifndef NOTES_BYTES_H
#define NOTES_BYTES_H

#include <stddef.h>

struct bytes {
    const unsigned char *p;
    size_t n;
};

#endif

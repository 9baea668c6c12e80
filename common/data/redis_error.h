/* SPDX-License-Identifier: MIT
 *
 * What an error that Redis answers means for the caller and for the connection. Pure. */
#ifndef NOTES_REDIS_ERROR_H
#define NOTES_REDIS_ERROR_H

#include <stdbool.h>

#include "base/err.h"

struct arena;

enum redis_effect {
    REDIS_EFFECT_STAYS, /* the connection is good */
    REDIS_EFFECT_LOST,  /* the connection is of no use, for now */
    REDIS_EFFECT_MOVE,  /* not a master, and nothing was done: ask who is */
};

struct redis_error {
    enum err err;
    enum redis_effect effect;
    const char *meaning; /* for people, NULL: the text says enough */
};

struct redis_error redis_error_of(const char *text);

/* Is this its code, the first word? */
bool redis_error_is(const char *text, const char *code);

/* For the log: up to the first quote, because what is quoted may be a value. */
const char *redis_error_shown(struct arena *arena, const char *text);

#endif

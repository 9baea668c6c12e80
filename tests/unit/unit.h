/* SPDX-License-Identifier: MIT
 *
 * What every unit test needs: cmocka with the headers that it wants before it, and an arena per
 * test. Names of tests are sentences about behaviour. */
#ifndef NOTES_UNIT_H
#define NOTES_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/arena.h"
#include "base/cleanup.h"

/* Setup and teardown: *state is a fresh arena. */
static inline int unit_arena_new(void **state)
{
    struct arena *arena = malloc(sizeof(*arena));
    if (!arena)
        return -1;
    arena_init(arena);
    *state = arena;
    return 0;
}

static inline int unit_arena_free(void **state)
{
    arena_done(*state);
    free(*state);
    return 0;
}

/* A row of the list that main() runs. */
#define UNIT(test)            cmocka_unit_test(test)
#define UNIT_WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, unit_arena_new, unit_arena_free)

#endif

/* SPDX-License-Identifier: MIT
 *
 * A ctx per test, for modules that work on a request's memory. */
#ifndef NOTES_HTTP_FIXTURE_H
#define NOTES_HTTP_FIXTURE_H

#include "base/bytes.h"
#include "base/ctx.h"
#include "base/secret.h"

#include "unit.h"

static inline int ctx_setup(void **state)
{
    struct ctx *ctx = malloc(sizeof(*ctx));
    if (!ctx || !secret_start())
        return -1;
    ctx_init(ctx, NULL, 10000);
    *state = ctx;
    return 0;
}

static inline int ctx_teardown(void **state)
{
    ctx_done(*state);
    free(*state);
    return 0;
}

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

#define UNIT_WITH_CTX(test) cmocka_unit_test_setup_teardown(test, ctx_setup, ctx_teardown)

#endif

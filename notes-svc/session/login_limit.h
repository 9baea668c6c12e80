/* SPDX-License-Identifier: MIT
 *
 * How many failed logins one address may have (LOGIN_FAILURES_PER_MIN): a token bucket that all
 * processes share in Redis where one is configured, and one of this process besides, which decides
 * alone while Redis is away. Take before the try, give back when it was none that counts.
 * Source: rate.h. */
#ifndef NOTES_LOGIN_LIMIT_H
#define NOTES_LOGIN_LIMIT_H

#include <stdint.h>

#include "base/cleanup.h"

struct app;
struct ctx;

/* Returns 0, or the seconds until there is one again (nothing is taken then). `address` is what
 * address_limit_key made. */
int64_t login_limit_take(struct app *app, struct ctx *ctx, const char *address);
void login_limit_give_back(struct app *app, struct ctx *ctx, const char *address);

#endif

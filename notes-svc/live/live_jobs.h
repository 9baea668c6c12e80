/* SPDX-License-Identifier: MIT
 *
 * What the hub has done on workers: a room's state, revisions of rooms, an event of a client, a
 * session looked at. See hub.h, struct hub_options. */
#ifndef NOTES_LIVE_JOBS_H
#define NOTES_LIVE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "live/hub.h"

enum err live_read(
    struct app *app, struct ctx *ctx, const char *key, int64_t known, struct hub_state *out_state);
enum err live_confirm(struct app *app,
                      struct ctx *ctx,
                      const char *const *keys,
                      size_t count,
                      int64_t *out_revisions);
enum err live_serve(struct app *app, struct ctx *ctx, const struct hub_call *call);
enum err live_check(struct app *app,
                    struct ctx *ctx,
                    const unsigned char digest[SECRET_DIGEST_BYTES],
                    bool *out_is_alive);

#endif

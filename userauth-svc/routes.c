/* SPDX-License-Identifier: MIT
 *
 * One row per route: who may call it, where it runs, what body it takes. A row that does not state
 * its protection stops the start. What may hash a password runs on the slow lane, so that logins
 * can't starve lookups. Depends on: the features' handlers. */
#include "routes.h"

#include "app.h"
#include "auth/auth_handlers.h"
#include "base/ctx.h"
#include "identity/identity_handlers.h"
#include "service/health.h"
#include "user/user_handlers.h"

#define JSON_BODY_MAX_BYTES ((size_t)65536)
#define HEALTH_ROUTES_COUNT 2

static enum err live_handle(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs)
{
    (void)app;
    (void)rq;
    return health_live(ctx, rs);
}

static enum err ready_handle(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    (void)rq;
    return health_ready(ctx, &app->health, rs);
}

/* clang-format off */
static const struct route ROUTES[] = {
    {.method = HTTP_POST, .pattern = "/create-user", .protection = PROTECTION_API_KEY, .lane = LANE_SLOW,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = user_create_handle},
    {.method = HTTP_POST, .pattern = "/update-user/:username", .protection = PROTECTION_API_KEY, .lane = LANE_SLOW,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = user_update_handle},
    {.method = HTTP_POST, .pattern = "/find-or-create", .protection = PROTECTION_API_KEY, .lane = LANE_SLOW,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = identity_find_or_create_handle},
    {.method = HTTP_GET, .pattern = "/find/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .fetch = user_find_fetch, .handler = user_find_handle},
    {.method = HTTP_DELETE, .pattern = "/destroy/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .handler = user_destroy_handle},
    {.method = HTTP_POST, .pattern = "/disable/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .handler = user_disable_handle},
    {.method = HTTP_POST, .pattern = "/enable/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .handler = user_enable_handle},
    {.method = HTTP_POST, .pattern = "/revoke/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .handler = user_revoke_handle},
    {.method = HTTP_GET, .pattern = "/identities/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .handler = identity_list_handle},
    {.method = HTTP_POST, .pattern = "/link-identity/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = identity_link_handle},
    {.method = HTTP_POST, .pattern = "/unlink-identity/:username", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = identity_unlink_handle},
    {.method = HTTP_POST, .pattern = "/password-check", .protection = PROTECTION_API_KEY, .lane = LANE_SLOW,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = password_check_handle},
    {.method = HTTP_POST, .pattern = "/change-password", .protection = PROTECTION_API_KEY, .lane = LANE_SLOW,
     .body_type = BODY_JSON, .body_max_bytes = JSON_BODY_MAX_BYTES, .handler = password_change_handle},
    {.method = HTTP_GET, .pattern = "/list", .protection = PROTECTION_API_KEY, .lane = LANE_WORKER,
     .handler = user_list_handle},
    /* The last HEALTH_ROUTES_COUNT are there while a start lasts, too. */
    {.method = HTTP_GET, .pattern = "/healthz", .protection = PROTECTION_NONE, .lane = LANE_LOOP,
     .handler = live_handle},
    {.method = HTTP_GET, .pattern = "/readyz", .protection = PROTECTION_NONE, .lane = LANE_LOOP,
     .handler = ready_handle},
};
/* clang-format on */

const struct router routes = {.routes = ROUTES, .count = ARRAY_COUNT(ROUTES)};
const struct router routes_of_health = {
    .routes = ROUTES + ARRAY_COUNT(ROUTES) - HEALTH_ROUTES_COUNT, .count = HEALTH_ROUTES_COUNT};

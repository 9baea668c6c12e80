/* SPDX-License-Identifier: MIT
 *
 * One row per route: who may call it, where it runs and whether a cache is asked before, what body
 * it takes. A row that does not state
 * its protection stops the start. Depends on: the features' handlers. */
#include "routes.h"

#include "app.h"
#include "base/ctx.h"
#include "comment/comment_handlers.h"
#include "live/live_handlers.h"
#include "note/note_handlers.h"
#include "page/asset_handlers.h"
#include "provider/provider_handlers.h"
#include "session/account_handlers.h"
#include "session/login_handlers.h"
#include "session/session_admin_handlers.h"

/* A note's text is up to 1 MiB with LF as line end. A form sends each as "%0D%0A": six bytes for
 * one, at worst. */
#define SAVE_BODY_MAX_BYTES ((size_t)6 * 1024 * 1024 + 65536)
#define FORM_BODY_MAX_BYTES ((size_t)65536)

#define PROVIDER_ROUTES_COUNT 5
#define HEALTH_ROUTES_COUNT   2

static enum err alive_handle(struct app *app,
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
    {.method = HTTP_GET, .pattern = "/", .protection = PROTECTION_VIEWER, .lane = LANE_WORKER,
     .cached = note_home_cached, .handler = note_home_handle},
    {.method = HTTP_GET, .pattern = "/notes/view", .protection = PROTECTION_VIEWER, .lane = LANE_WORKER,
     .cached = note_view_cached, .handler = note_view_handle},
    {.method = HTTP_GET, .pattern = "/notes/add", .protection = PROTECTION_SESSION, .lane = LANE_WORKER,
     .handler = note_add_handle},
    {.method = HTTP_GET, .pattern = "/notes/edit", .protection = PROTECTION_SESSION, .lane = LANE_WORKER,
     .handler = note_edit_handle},
    {.method = HTTP_POST, .pattern = "/notes/save", .protection = PROTECTION_SESSION, .lane = LANE_WRITER,
     .body_type = BODY_FORM, .body_max_bytes = SAVE_BODY_MAX_BYTES, .handler = note_save_handle},
    {.method = HTTP_GET, .pattern = "/notes/destroy", .protection = PROTECTION_SESSION, .lane = LANE_WORKER,
     .handler = note_destroy_handle},
    {.method = HTTP_POST, .pattern = "/notes/destroy/confirm", .protection = PROTECTION_SESSION, .lane = LANE_WRITER,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = note_destroy_confirm_handle},
    {.method = HTTP_POST, .pattern = "/notes/comment", .protection = PROTECTION_SESSION, .lane = LANE_WRITER,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = comment_create_handle},
    {.method = HTTP_POST, .pattern = "/notes/comment/destroy", .protection = PROTECTION_SESSION, .lane = LANE_WRITER,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = comment_destroy_handle},
    {.method = HTTP_GET, .pattern = "/users/login", .protection = PROTECTION_VIEWER, .lane = LANE_WORKER,
     .handler = login_page_handle},
    {.method = HTTP_POST, .pattern = "/users/login", .protection = PROTECTION_NONE, .lane = LANE_SLOW,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = login_handle},
    /* May ask a provider where to go on. */
    {.method = HTTP_GET, .pattern = "/users/logout", .protection = PROTECTION_VIEWER, .lane = LANE_SLOW,
     .handler = logout_handle},
    {.method = HTTP_POST, .pattern = "/users/logout", .protection = PROTECTION_VIEWER, .lane = LANE_WORKER,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = logout_handle},
    {.method = HTTP_GET, .pattern = "/users/account", .protection = PROTECTION_SESSION, .lane = LANE_WORKER,
     .handler = account_page_handle},
    {.method = HTTP_POST, .pattern = "/users/account/password", .protection = PROTECTION_SESSION, .lane = LANE_SLOW,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = account_password_handle},
    {.method = HTTP_POST, .pattern = "/users/account/sessions/end", .protection = PROTECTION_SESSION, .lane = LANE_WRITER,
     .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES, .handler = account_session_end_handle},
    {.method = HTTP_POST, .pattern = "/users/account/sessions/end-others", .protection = PROTECTION_SESSION,
     .lane = LANE_WRITER, .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES,
     .handler = account_others_end_handle},
    /* For userauth-cli. */
    {.method = HTTP_GET, .pattern = "/users/sessions", .protection = PROTECTION_SERVICE_KEY, .lane = LANE_WORKER,
     .handler = session_admin_list_handle},
    {.method = HTTP_DELETE, .pattern = "/users/sessions/:id", .protection = PROTECTION_SERVICE_KEY, .lane = LANE_WRITER,
     .handler = session_admin_end_handle},
    {.method = HTTP_GET, .pattern = "/socket.io/", .protection = PROTECTION_VIEWER, .lane = LANE_WORKER,
     .handler = live_handle},
    /* Changes nothing: a client that tries another transport is told so. */
    {.method = HTTP_POST, .pattern = "/socket.io/", .protection = PROTECTION_NONE, .lane = LANE_WORKER,
     .handler = live_handle},
    {.method = HTTP_GET, .pattern = "/assets/:name", .protection = PROTECTION_NONE, .lane = LANE_LOOP,
     .handler = asset_handle},
    {.method = HTTP_GET, .pattern = "/favicon.ico", .protection = PROTECTION_NONE, .lane = LANE_LOOP,
     .handler = favicon_handle},
    /* These HEALTH_ROUTES_COUNT are there while a start lasts, too. */
    {.method = HTTP_GET, .pattern = "/healthz", .protection = PROTECTION_NONE, .lane = LANE_LOOP,
     .handler = alive_handle},
    {.method = HTTP_GET, .pattern = "/readyz", .protection = PROTECTION_NONE, .lane = LANE_LOOP,
     .handler = ready_handle},
    /* The last PROVIDER_ROUTES_COUNT are there only when a provider is configured. */
    {.method = HTTP_GET, .pattern = "/users/auth/:provider", .protection = PROTECTION_VIEWER, .lane = LANE_SLOW,
     .handler = provider_begin_handle},
    {.method = HTTP_GET, .pattern = "/users/auth/:provider/callback", .protection = PROTECTION_VIEWER,
     .lane = LANE_SLOW, .handler = provider_callback_handle},
    {.method = HTTP_GET, .pattern = "/users/account/identities/link", .protection = PROTECTION_SESSION,
     .lane = LANE_WORKER, .handler = provider_link_page_handle},
    {.method = HTTP_POST, .pattern = "/users/account/identities/link", .protection = PROTECTION_SESSION,
     .lane = LANE_SLOW, .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES,
     .handler = provider_link_handle},
    {.method = HTTP_POST, .pattern = "/users/account/identities/unlink", .protection = PROTECTION_SESSION,
     .lane = LANE_SLOW, .body_type = BODY_FORM, .body_max_bytes = FORM_BODY_MAX_BYTES,
     .handler = provider_unlink_handle},
};
/* clang-format on */

const struct router routes = {.routes = ROUTES, .count = ARRAY_COUNT(ROUTES)};
const struct router routes_without_providers = {
    .routes = ROUTES, .count = ARRAY_COUNT(ROUTES) - PROVIDER_ROUTES_COUNT};

const struct router routes_of_health = {.routes = ROUTES + ARRAY_COUNT(ROUTES) -
                                                  PROVIDER_ROUTES_COUNT - HEALTH_ROUTES_COUNT,
                                        .count = HEALTH_ROUTES_COUNT};

const struct route routes_unrouted = {
    .method = HTTP_GET, .pattern = "-", .protection = PROTECTION_VIEWER, .lane = LANE_WORKER};

/* SPDX-License-Identifier: MIT
 *
 * The router on a table with every form of pattern: no path is answered by two rows (a table in
 * reverse order finds the same), HEAD finds what GET finds, Allow agrees with what is found,
 * parameters are UTF-8 and not empty. The first byte chooses the method, the rest is the path. */
#include "http/router.h"

#include "base/ctx.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

static enum err
handle(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)ctx;
    (void)rq;
    (void)rs;
    return ERR_OK;
}

#define ROW(method_of, pattern_of)                                                 \
    {                                                                              \
        .method = method_of, .pattern = pattern_of, .protection = PROTECTION_NONE, \
        .lane = LANE_WORKER, .handler = handle                                     \
    }

static const struct route forward[] = {
    ROW(HTTP_GET, "/"),
    ROW(HTTP_GET, "/list"),
    ROW(HTTP_POST, "/list"),
    ROW(HTTP_GET, "/find/:username"),
    ROW(HTTP_DELETE, "/find/:username"),
    ROW(HTTP_POST, "/notes/comment"),
    ROW(HTTP_POST, "/notes/comment/destroy"),
    ROW(HTTP_GET, "/users/:name/notes/:key"),
    ROW(HTTP_GET, "/assets/*rest"),
};

#define ROUTES_COUNT ARRAY_COUNT(forward)

static const struct router *forward_router(void)
{
    static const struct router router = {.routes = forward, .count = ROUTES_COUNT};
    return &router;
}

static const struct router *reverse_router(void)
{
    static struct route reverse[ROUTES_COUNT];
    static const struct router router = {.routes = reverse, .count = ROUTES_COUNT};
    for (size_t i = 0; i < ROUTES_COUNT; i++)
        reverse[i] = forward[ROUTES_COUNT - 1 - i];
    return &router;
}

static void check_found(const struct http_request *rq, const struct http_request *other)
{
    FUZZ_REQUIRE(strcmp(rq->route->pattern, other->route->pattern) == 0);
    FUZZ_REQUIRE(rq->route->method == other->route->method);
    for (size_t i = 0; i < ROUTE_PARAMS_MAX_COUNT; i++) {
        FUZZ_REQUIRE((rq->params[i] != NULL) == (other->params[i] != NULL));
        if (!rq->params[i])
            continue;
        FUZZ_REQUIRE(strcmp(rq->params[i], other->params[i]) == 0);
        FUZZ_REQUIRE(rq->params[i][0] != '\0');
        FUZZ_REQUIRE(text_is_utf8(rq->params[i], strlen(rq->params[i])));
    }
}

/* Allow names the methods of a known path, and only those. */
static void check_allow(struct ctx *ctx, const char *path, enum http_method method, enum err err)
{
    const char *allow = router_allow(forward_router(), ctx, path);
    bool is_named = strstr(allow, http_method_name(method)) != NULL;
    FUZZ_REQUIRE((err == ERR_NOT_FOUND) == (allow[0] == '\0'));
    FUZZ_REQUIRE(err != ERR_METHOD || !is_named);
    FUZZ_REQUIRE(err != ERR_OK || is_named);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    FUZZ_REQUIRE(router_fault(forward_router()) == NULL);
    const char *path = arena_format(&ctx.arena, "/%s",
                                    arena_text_copy(&ctx.arena, (const char *)data + 1, size - 1));
    enum http_method method = (enum http_method)(data[0] % HTTP_OTHER);
    struct http_request rq = {.method = method};
    struct http_request other = {.method = method == HTTP_HEAD ? HTTP_GET : method};
    enum err err = router_find(forward_router(), &ctx, path, &rq);
    FUZZ_REQUIRE(router_find(reverse_router(), &ctx, path, &other) == err);
    FUZZ_REQUIRE(err == ERR_OK || err == ERR_NOT_FOUND || err == ERR_METHOD || err == ERR_INVALID);
    if (err == ERR_OK)
        check_found(&rq, &other);
    check_allow(&ctx, path, method, err);
    return 0;
}

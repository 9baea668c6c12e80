/* SPDX-License-Identifier: MIT
 *
 * Patterns and paths are compared segment by segment, in place. Literal segments match byte for
 * byte, so that a path has one spelling; tables are short, so they are searched in order.
 * Depends on: router.h, ctx.h, parse.h, strbuf.h. */
#include "http/router.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/strbuf.h"

#include <string.h>

#define ALLOW_MAX_BYTES 128
#define FAULT_MAX_BYTES 256

/* What a pattern's parameters took of a path, still encoded. */
struct captures {
    struct {
        const char *text;
        size_t size_bytes;
    } items[ROUTE_PARAMS_MAX_COUNT];
    size_t count;
};

static size_t segment_size(const char *segment)
{
    return strcspn(segment, "/");
}

static void capture(struct captures *captures, const char *text, size_t size_bytes)
{
    if (captures->count == ROUTE_PARAMS_MAX_COUNT)
        return;
    captures->items[captures->count].text = text;
    captures->items[captures->count].size_bytes = size_bytes;
    captures->count++;
}

/* Both begin with "/". A parameter takes at least one byte. */
static bool matches(const char *pattern, const char *path, struct captures *out_captures)
{
    struct captures captures = {.count = 0};
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        size_t pattern_bytes = segment_size(pattern);
        size_t path_bytes = segment_size(path);
        if (*pattern == '*') {
            capture(&captures, path, strlen(path));
            *out_captures = captures;
            return *path != '\0';
        }
        if (*pattern == ':') {
            if (path_bytes == 0)
                return false;
            capture(&captures, path, path_bytes);
        } else if (pattern_bytes != path_bytes || memcmp(pattern, path, path_bytes) != 0) {
            return false;
        }
        pattern += pattern_bytes;
        path += path_bytes;
    }
    *out_captures = captures;
    return *pattern == '\0' && *path == '\0';
}

static enum http_method table_method(enum http_method method)
{
    return method == HTTP_HEAD ? HTTP_GET : method;
}

enum err
router_find(const struct router *router, struct ctx *ctx, const char *path, struct http_request *rq)
{
    bool is_path_known = false;
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = &router->routes[i];
        struct captures captures;
        if (!matches(route->pattern, path, &captures))
            continue;
        is_path_known = true;
        if (route->method != table_method(rq->method))
            continue;
        char *params[ROUTE_PARAMS_MAX_COUNT] = {NULL};
        for (size_t p = 0; p < captures.count; p++) {
            if (!parse_percent(&ctx->arena, captures.items[p].text, captures.items[p].size_bytes,
                               false, &params[p]))
                return ctx_fail(ctx, ERR_INVALID, "the path is not percent-encoded UTF-8");
        }
        rq->route = route;
        for (size_t p = 0; p < ROUTE_PARAMS_MAX_COUNT; p++)
            rq->params[p] = params[p];
        return ERR_OK;
    }
    if (is_path_known)
        return ctx_fail(ctx, ERR_METHOD, "no such method on this path");
    return ctx_fail(ctx, ERR_NOT_FOUND, "no such path");
}

static void add_method(struct strbuf *allow, enum http_method method)
{
    if (allow->size_bytes > 0)
        strbuf_add(allow, ", ");
    strbuf_add(allow, http_method_name(method));
}

const char *router_allow(const struct router *router, struct ctx *ctx, const char *path)
{
    bool has[HTTP_OTHER + 1] = {false};
    for (size_t i = 0; i < router->count; i++) {
        struct captures captures;
        if (matches(router->routes[i].pattern, path, &captures))
            has[router->routes[i].method] = true;
    }
    has[HTTP_HEAD] = has[HTTP_GET];
    struct strbuf allow;
    strbuf_init(&allow, &ctx->arena, ALLOW_MAX_BYTES, ALLOW_MAX_BYTES);
    for (size_t method = 0; method < HTTP_OTHER; method++) {
        if (has[method])
            add_method(&allow, (enum http_method)method);
    }
    const char *text = "";
    return strbuf_text(&allow, &text) ? "" : text;
}

/* ---- faults of a table ---- */

static bool is_parameter_name(const char *name, size_t size_bytes)
{
    return size_bytes > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") >= size_bytes;
}

static const char *pattern_fault(const char *pattern)
{
    if (!pattern || pattern[0] != '/')
        return "its pattern does not begin with a slash";
    size_t params_count = 0;
    for (const char *at = pattern; *at == '/';) {
        at++;
        size_t size_bytes = segment_size(at);
        bool is_rest = *at == '*';
        if (*at == ':' || is_rest) {
            params_count++;
            if (!is_parameter_name(at + 1, size_bytes - 1))
                return "a parameter of its pattern has no name";
            if (is_rest && at[size_bytes] != '\0')
                return "a parameter that takes the rest is not at its pattern's end";
        } else if (strcspn(at, ":*?#%") < size_bytes) {
            return "its pattern has a special character inside a segment";
        }
        at += size_bytes;
    }
    return params_count > ROUTE_PARAMS_MAX_COUNT ? "its pattern has too many parameters" : NULL;
}

static const char *row_fault(const struct route *route)
{
    bool needs_io = route->protection == PROTECTION_VIEWER ||
                    route->protection == PROTECTION_SESSION ||
                    route->protection == PROTECTION_SERVICE_KEY;
    const char *fault = pattern_fault(route->pattern);
    if (fault)
        return fault;
    if (route->protection == PROTECTION_UNSTATED)
        return "its protection is not stated";
    if (route->lane == LANE_UNSTATED)
        return "its lane is not stated";
    if (route->lane == LANE_LARGE)
        return "which body is large is found out when it is there";
    if (!route->handler)
        return "it has no handler";
    if (route->method == HTTP_HEAD || route->method == HTTP_OTHER)
        return "its method can't have a row (HEAD comes with GET)";
    if (route->lane == LANE_LOOP && needs_io)
        return "its protection needs I/O, which the loop lane must not do";
    if (route->cached && (route->method != HTTP_GET || route->lane != LANE_WORKER ||
                          route->protection != PROTECTION_VIEWER))
        return "a cache can answer what everybody may read, before a worker";
    if (route->fetch && (route->method != HTTP_GET || route->lane == LANE_LOOP))
        return "only what several read on a lane can be fetched together";
    if (route->body_type != BODY_NONE && route->body_max_bytes == 0)
        return "it takes a body but states no limit";
    return NULL;
}

static bool is_parameter(const char *segment)
{
    return *segment == ':';
}

/* Is there a path that both patterns match? */
static bool overlap(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        a++;
        b++;
        size_t a_bytes = segment_size(a);
        size_t b_bytes = segment_size(b);
        if (*a == '*' || *b == '*')
            return *a != '\0' && *b != '\0';
        bool is_same = a_bytes == b_bytes && memcmp(a, b, a_bytes) == 0;
        bool fits = (is_parameter(a) && b_bytes > 0) || (is_parameter(b) && a_bytes > 0);
        if (!is_same && !fits)
            return false;
        a += a_bytes;
        b += b_bytes;
    }
    return *a == '\0' && *b == '\0';
}

static const char *fault_text(const struct route *route, const char *what)
{
    static char text[FAULT_MAX_BYTES]; /* asked for at start only, by one thread */
    (void)snprintf(text, sizeof(text), "route %s %s: %s", http_method_name(route->method),
                   route->pattern ? route->pattern : "(none)", what);
    return text;
}

const char *router_fault(const struct router *router)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = &router->routes[i];
        const char *fault = row_fault(route);
        if (fault)
            return fault_text(route, fault);
        for (size_t other = 0; other < i; other++) {
            if (router->routes[other].method == route->method &&
                overlap(router->routes[other].pattern, route->pattern))
                return fault_text(route, "another row answers the same paths");
        }
    }
    return NULL;
}

/* ---- for people ---- */

static const char *const protection_names[] = {
    [PROTECTION_UNSTATED] = "unstated", [PROTECTION_NONE] = "none",
    [PROTECTION_API_KEY] = "api-key",   [PROTECTION_VIEWER] = "viewer",
    [PROTECTION_SESSION] = "session",   [PROTECTION_SERVICE_KEY] = "service-key",
};

static const char *const lane_names[] = {
    [LANE_UNSTATED] = "unstated", [LANE_LOOP] = "loop", [LANE_WORKER] = "worker",
    [LANE_WRITER] = "writer",     [LANE_SLOW] = "slow", [LANE_LARGE] = "large",
};

void router_print(FILE *out, const struct router *router)
{
    (void)fputs("# METHOD PATTERN PROTECTION LANE BODY_MAX_BYTES\n", out);
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = &router->routes[i];
        size_t limit_bytes =
            route->body_type == BODY_NONE ? BODY_NONE_MAX_BYTES : route->body_max_bytes;
        (void)fprintf(out, "%s %s %s %s%s %zu\n", http_method_name(route->method), route->pattern,
                      protection_names[route->protection], route->cached ? "cache+" : "",
                      lane_names[route->lane], limit_bytes);
    }
}

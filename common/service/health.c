/* SPDX-License-Identifier: MIT
 *
 * The two health answers, made from a few atomic words so that they can be given on an event loop
 * at any time, also when every worker is stuck: that is when they are asked for. Depends on:
 * strbuf, http_message.h. */
#include "service/health.h"

#include <assert.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/http_message.h"

#define ANSWER_MAX_BYTES 1024

static const char *const state_names[] = {
    [HEALTH_STARTING] = "starting",
    [HEALTH_READY] = "ready",
    [HEALTH_DRAINING] = "draining",
};

static const char *const dependency_names[] = {
    [HEALTH_OK] = "ok",
    [HEALTH_LOST] = "lost",
    [HEALTH_REFUSED] = "refused",
};

bool health_note(struct health *health, size_t dependency, enum health_dependency state)
{
    assert(dependency < HEALTH_DEPENDENCIES_MAX_COUNT && health->names[dependency]);
    return atomic_exchange(&health->dependencies[dependency], (int)state) != (int)state;
}

void health_set_state(struct health *health, enum health_state state)
{
    atomic_store(&health->state, (int)state);
}

static void answer(struct http_response *rs, int status, const char *json)
{
    http_response_text(rs, status, "application/json", json);
    http_response_field(rs, "Cache-Control", "no-store");
}

enum err health_live(struct ctx *ctx, struct http_response *rs)
{
    (void)ctx;
    answer(rs, 200, "{\"status\":\"ok\"}");
    return ERR_OK;
}

static void add_dependencies(struct strbuf *json, const struct health *health)
{
    for (size_t i = 0; i < HEALTH_DEPENDENCIES_MAX_COUNT && health->names[i]; i++) {
        strbuf_add(json, i > 0 ? "," : "");
        strbuf_add_json(json, health->names[i]);
        strbuf_add(json, ":");
        strbuf_add_json(json, dependency_names[atomic_load(&health->dependencies[i])]);
    }
}

enum err health_ready(struct ctx *ctx, const struct health *health, struct http_response *rs)
{
    int state = atomic_load(&health->state);
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, ANSWER_MAX_BYTES);
    strbuf_format(&json, "{\"status\":\"%s\",\"dependencies\":{", state_names[state]);
    add_dependencies(&json, health);
    strbuf_add(&json, "}}");
    const char *text = NULL;
    enum err err = strbuf_text(&json, &text);
    if (err)
        return ctx_fail(ctx, ERR_INTERNAL, "the names of the dependencies are too long");
    answer(rs, state == HEALTH_READY ? 200 : 503, text);
    return ERR_OK;
}

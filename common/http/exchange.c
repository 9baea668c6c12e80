/* SPDX-License-Identifier: MIT
 *
 * Order of the answers: a malformed head at once; unknown path, wrong method when the body is read
 * and dropped; then, on the route's lane, what the guard says; then what is wrong with query or
 * body; then the handler. A body's fault waits for the guard because a stranger is told that he is
 * one, and nothing else. Depends on: exchange.h, connections.h, router.h, log.h, json_body.h. */
#include "http/exchange.h"

#include "base/address.h"
#include "base/arena.h"
#include "base/cache.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "http/connections.h"
#include "http/form.h"
#include "http/json_body.h"
#include "http/router.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX_BYTES ((size_t)16 * 1024) /* of a request, until its answer is sent */

/* ---- beginning and end ---- */

void exchange_host_init(struct exchange_host *host, const struct http_server_options *options)
{
    static const struct networks nobody = {.count = 0};
    host->options = *options;
    if (!options->trusted)
        host->options.trusted = &nobody;
    shares_init(&host->bodies, "bodies",
                options->bodies_max_bytes ? options->bodies_max_bytes : HTTP_BODIES_MAX_BYTES);
    shares_init(&host->answers, "answers",
                options->answers_max_bytes ? options->answers_max_bytes : HTTP_ANSWERS_MAX_BYTES);
}

void exchange_host_done(struct exchange_host *host)
{
    shares_done(&host->bodies);
    shares_done(&host->answers);
}

struct exchange *exchange_new(struct exchange_host *host,
                              struct connection *connection,
                              void *handle,
                              const char *target)
{
    struct exchange *exchange = malloc(sizeof(*exchange));
    if (!exchange)
        return NULL;
    memset(exchange, 0, offsetof(struct exchange, ctx));
    ctx_init(&exchange->ctx, host->options.log, host->options.request_deadline_ms);
    exchange->host = host;
    exchange->connection = connection;
    exchange->handle = handle;
    exchange->begun_ms = exchange->ctx.deadline_ms - host->options.request_deadline_ms;
    exchange->target_at = target;
    exchange->target_bytes = strlen(target);
    size_t kept_bytes = exchange->target_bytes <= HTTP_TARGET_MAX_BYTES ? exchange->target_bytes
                                                                        : HTTP_TARGET_MAX_BYTES + 1;
    exchange->target = arena_text_copy(&exchange->ctx.arena, target, kept_bytes);
    exchange->head.rq = &exchange->rq;
    exchange->rq.method = HTTP_OTHER;
    exchange->rq.target = "/";
    exchange->rq.path = "/";
    exchange->rq.client = connection->peer;
    return exchange;
}

/* That we start or drain the log says once: who looks after us asks every second. */
static bool is_health_check(const struct exchange *exchange)
{
    const struct route *route = exchange->rq.route;
    int status = exchange->rs.status;
    return route &&
           (text_equals(route->pattern, "/healthz") || text_equals(route->pattern, "/readyz")) &&
           (status < 400 || status == 503);
}

size_t exchange_answer_bytes(const struct exchange *exchange)
{
    const struct http_response *rs = &exchange->rs;
    if (exchange->rq.method == HTTP_HEAD || rs->status == 204 || rs->status == 304)
        return 0;
    return rs->prepared ? http_prepared_size_bytes(rs->prepared) : rs->body.n;
}

static void write_log(struct exchange *exchange, bool is_whole)
{
    struct ctx *ctx = &exchange->ctx;
    const struct http_request *rq = &exchange->rq;
    const struct ctx_why *why = &ctx->why;
    bool has_why = why->text[0] != '\0';
    int status =
        exchange->rs.prepared ? http_prepared_status(exchange->rs.prepared) : exchange->rs.status;
    int64_t arena_bytes = (int64_t)ctx->arena.used_bytes;
    const char *place = why->file ? arena_format(&ctx->arena, "%s:%d", why->file, why->line) : NULL;
    const struct log_field fields[] = {
        log_str("method", http_method_name(rq->method)),
        log_str("route", rq->route ? rq->route->pattern : "-"),
        log_i64("status", status),
        log_i64("ms", clock_monotonic_ms() - exchange->begun_ms),
        log_i64("bytes", (int64_t)exchange_answer_bytes(exchange)),
        log_str("user", ctx->user),
        log_str("peer", rq->client_text),
        log_str("err", exchange->outcome ? err_name(exchange->outcome) : NULL),
        log_str("why", has_why ? why->text : NULL),
        log_str("at", place),
        log_str("end", is_whole ? NULL : "cut"),
        log_i64("arena_bytes", arena_bytes),
    };
    log_event_write(ctx->log, ctx, is_health_check(exchange) ? LOG_DEBUG : LOG_INFO,
                    "http.request_done", fields, ARRAY_COUNT(fields));
}

static void drop_answer(struct exchange *exchange)
{
    if (exchange->rs.holds)
        cached_release(exchange->rs.holds);
    exchange->rs = (struct http_response){0};
}

/* What the log says of who was cut to make room for others. */
static void note_cut(struct exchange *exchange)
{
    bool is_body_cut = share_is_cut(&exchange->body.share);
    if (!is_body_cut && !share_is_cut(&exchange->answer))
        return;
    exchange->outcome = ctx_fail(&exchange->ctx, ERR_UNAVAILABLE,
                                 "cut for others: this address had most of what all %s may take",
                                 is_body_cut ? "bodies" : "answers");
}

void exchange_free(struct exchange *exchange, bool is_whole)
{
    note_cut(exchange);
    if (exchange->stage != EXCHANGE_HEAD)
        write_log(exchange, is_whole);
    const struct http_upgrade *upgrade = exchange->rs.upgrade;
    if (upgrade && !exchange->is_upgraded)
        upgrade->drop(upgrade->owner);
    drop_answer(exchange);
    http_body_done(&exchange->body);
    share_done(&exchange->answer);
    ctx_done(&exchange->ctx);
    if (exchange->is_counted)
        atomic_fetch_sub(&exchange->host->active_count, 1);
    free(exchange);
}

bool exchange_must_close(const struct exchange *exchange)
{
    return exchange->must_close || atomic_load(&exchange->host->is_draining);
}

/* ---- answers ---- */

/* All that the request took goes before its answer does, but for the answer and what the log tells:
 * who reads slowly would keep it for long. Most of a page's memory is what it was made of. */
static void forget_request(struct exchange *exchange)
{
    struct ctx *ctx = &exchange->ctx;
    struct http_request *rq = &exchange->rq;
    const struct http_response *rs = &exchange->rs;
    const void *pieces[HTTP_RESPONSE_FIELDS_MAX_COUNT + 3] = {rs->body.p, ctx->user, ctx->peer};
    for (size_t i = 0; i < rs->fields_count; i++)
        pieces[i + 3] = rs->fields[i].value;
    arena_keep(&ctx->arena, pieces, rs->fields_count + 3);
    *rq = (struct http_request){.method = rq->method,
                                .route = rq->route,
                                .client = rq->client,
                                .client_text = ctx->peer,
                                .target = "/",
                                .path = "/"};
    ctx->why.hint = NULL;
    ctx->why.field = NULL;
}

/* A client that reads slowly keeps what its answer takes for long: such answers share a limit. What
 * is small, as the answer to a save that is done, is never refused. */
static void count_answer(struct exchange *exchange)
{
    struct http_response *rs = &exchange->rs;
    if (rs->body.n <= HTTP_ANSWER_SMALL_BYTES)
        return;
    share_init(&exchange->answer, &exchange->host->answers, &exchange->rq.client,
               exchange->connection);
    if (share_take(&exchange->answer, exchange->ctx.arena.used_bytes))
        return;
    drop_answer(exchange);
    forget_request(exchange);
    exchange->must_close = true;
    exchange->outcome = ctx_fail(&exchange->ctx, ERR_UNAVAILABLE,
                                 "all answers under way together take more than %zu bytes",
                                 exchange->host->answers.max_bytes);
    http_response_text(rs, 503, "text/plain; charset=utf-8",
                       "The server is sending too much at once. Please try again in a moment.\n");
    http_response_field(rs, "Cache-Control", "no-store");
    http_response_field(rs, "Retry-After",
                        arena_format(&exchange->ctx.arena, "%d", HTTP_RETRY_AFTER_S));
}

static void add_standing_fields(struct exchange *exchange)
{
    const struct http_server_options *options = &exchange->host->options;
    struct http_response *rs = &exchange->rs;
    if (rs->has_plain_fields)
        return;
    if (!rs->has_no_request_id)
        http_response_field(rs, "X-Request-Id", exchange->ctx.request_id);
    if (options->decorate)
        options->decorate(options->app, &exchange->ctx, &exchange->rq, rs);
}

static bool is_within(const struct http_body *body, const void *at)
{
    uintptr_t begin = (uintptr_t)body->bytes;
    return (uintptr_t)at >= begin && (uintptr_t)at < begin + body->capacity_bytes;
}

/* The body has served when the answer is made, which may take long to be sent; unless the answer
 * was not copied from it. */
static void drop_body(struct exchange *exchange)
{
    const struct http_response *rs = &exchange->rs;
    bool is_used = is_within(&exchange->body, rs->body.p);
    for (size_t i = 0; i < rs->fields_count; i++)
        is_used = is_used || is_within(&exchange->body, rs->fields[i].value);
    if (is_used)
        return;
    http_body_done(&exchange->body);
    exchange->rq.body = (struct bytes){0};
}

static void complete_answer(struct exchange *exchange)
{
    struct http_response *rs = &exchange->rs;
    size_t used_bytes = exchange->ctx.arena.used_bytes;
    exchange->stage = EXCHANGE_ANSWERED;
    if (used_bytes > KEPT_MAX_BYTES && used_bytes / 2 > rs->body.n && !rs->upgrade)
        forget_request(exchange);
    if (!rs->prepared) {
        count_answer(exchange);
        if (rs->status == 0)
            rs->status = 200;
        add_standing_fields(exchange);
    }
    drop_body(exchange);
}

/* A client that is told to wait is told how long. */
static void set_wait(struct ctx *ctx, enum err err)
{
    if (ctx->retry_after_s > 0)
        return;
    if (err == ERR_UNAVAILABLE)
        ctx->retry_after_s = HTTP_RETRY_AFTER_S;
    else if (err == ERR_RATE_LIMITED)
        ctx->retry_after_s = 1;
}

static void add_error_fields(struct exchange *exchange, enum err err)
{
    struct http_response *rs = &exchange->rs;
    struct ctx *ctx = &exchange->ctx;
    if (err == ERR_METHOD)
        http_response_field(
            rs, "Allow",
            router_allow(&exchange->host->options.router, ctx, exchange->head.raw_path));
    bool must_wait = err == ERR_UNAVAILABLE || err == ERR_RATE_LIMITED;
    if (must_wait && !http_response_find(rs, "Retry-After"))
        http_response_field(rs, "Retry-After",
                            arena_format(&ctx->arena, "%lld", (long long)ctx->retry_after_s));
}

static void answer_error(struct exchange *exchange, enum err err)
{
    const struct http_server_options *options = &exchange->host->options;
    struct http_response *rs = &exchange->rs;
    exchange->outcome = err;
    drop_answer(exchange);
    set_wait(&exchange->ctx, err);
    if (options->render_error)
        options->render_error(options->app, &exchange->ctx, &exchange->rq, err, rs);
    else
        json_body_error(&exchange->ctx, err, rs);
    if (rs->status == 0)
        rs->status = err_status(err);
    add_error_fields(exchange, err);
    complete_answer(exchange);
}

/* ---- the head ---- */

/* Who asks, as trusted proxies say. Where a fault ended the reading, what they say may stand behind
 * it, and what was read may be the client's own. */
static void set_client(struct exchange *exchange)
{
    struct http_request *rq = &exchange->rq;
    const struct connection *connection = exchange->connection;
    const char *forwarded_proto = rq->fields[HTTP_FIELD_X_FORWARDED_PROTO];
    if (connection->is_trusted && exchange->head.is_whole) {
        rq->client = address_client(exchange->host->options.trusted, &connection->peer,
                                    rq->fields[HTTP_FIELD_X_FORWARDED_FOR]);
        rq->is_https = forwarded_proto && text_equals_nocase(forwarded_proto, "https");
    }
    char text[ADDRESS_TEXT_BYTES];
    address_text(&rq->client, text);
    rq->client_text = arena_text(&exchange->ctx.arena, text);
    exchange->ctx.peer = rq->client_text;
}

static size_t body_limit(const struct exchange *exchange)
{
    const struct route *route = exchange->rq.route;
    if (!route)
        return 0;
    return route->body_type == BODY_NONE ? BODY_NONE_MAX_BYTES : route->body_max_bytes;
}

/* What is read of a body at most, be it only to be dropped. */
static size_t drain_limit(const struct exchange *exchange)
{
    size_t limit_bytes = body_limit(exchange);
    return limit_bytes > HTTP_DRAIN_MAX_BYTES ? limit_bytes : HTTP_DRAIN_MAX_BYTES;
}

static bool has_wrong_type(struct exchange *exchange)
{
    const struct route *route = exchange->rq.route;
    if (!route || route->body_type == BODY_NONE)
        return false;
    const char *wanted =
        route->body_type == BODY_JSON ? "application/json" : "application/x-www-form-urlencoded";
    if (!http_content_type_is(&exchange->ctx, &exchange->rq, wanted))
        return false;
    ctx_forgive(&exchange->ctx); /* told after the guard, see request_fault */
    return true;
}

static void read_query(struct exchange *exchange)
{
    const char *query = exchange->head.raw_query;
    struct bytes text = {.p = (const unsigned char *)query, .n = strlen(query)};
    if (!form_parse(&exchange->ctx, text, &exchange->rq.query))
        return;
    exchange->is_query_bad = true;
    ctx_forgive(&exchange->ctx);
}

/* A body that will not be taken is not asked for: too large even to be dropped, or the client waits
 * for leave. */
static bool is_settled(const struct exchange *exchange)
{
    const struct http_framing *framing = &exchange->head.framing;
    bool has_body = framing->is_chunked || framing->declared_bytes > 0;
    if (framing->declared_bytes > (int64_t)drain_limit(exchange))
        return true;
    return has_body && framing->expects_continue &&
           (exchange->verdict || exchange->is_over || exchange->is_type_wrong);
}

/* A page for an unknown path still wants to know who asks: the guard runs first, where the service
 * has a row for that. Only for methods that change nothing, so that 405 comes before a refusal. */
static void postpone_verdict(struct exchange *exchange)
{
    const struct route *unrouted = exchange->host->options.unrouted;
    bool is_unrouted = exchange->verdict == ERR_NOT_FOUND || exchange->verdict == ERR_METHOD;
    if (!unrouted || !is_unrouted || http_method_is_unsafe(exchange->rq.method))
        return;
    exchange->rq.route = unrouted;
    exchange->late_verdict = exchange->verdict;
    exchange->verdict = ERR_OK;
}

enum exchange_next exchange_head(struct exchange *exchange, enum err head_err)
{
    struct ctx *ctx = &exchange->ctx;
    exchange->stage = EXCHANGE_BODY;
    exchange->is_counted = true;
    atomic_fetch_add(&exchange->host->active_count, 1);
    set_client(exchange);
    exchange->verdict = head_err;
    if (head_err) {
        exchange->must_close = true;
        return exchange_arrived(exchange);
    }
    exchange->verdict =
        router_find(&exchange->host->options.router, ctx, exchange->head.raw_path, &exchange->rq);
    postpone_verdict(exchange);
    const struct route *route = exchange->rq.route;
    size_t keep_max_bytes = route && route->body_type != BODY_NONE ? route->body_max_bytes : 0;
    http_body_init(&exchange->body, &exchange->host->bodies, &exchange->rq.client,
                   exchange->connection, keep_max_bytes);
    read_query(exchange);
    exchange->is_type_wrong = has_wrong_type(exchange);
    exchange->is_over = exchange->head.framing.declared_bytes > (int64_t)body_limit(exchange);
    if (!is_settled(exchange))
        return EXCHANGE_READ;
    exchange->must_close = true;
    exchange->rq.has_body = true;
    return exchange_arrived(exchange);
}

/* ---- the body ---- */

enum exchange_next exchange_body(struct exchange *exchange, const void *bytes, size_t size_bytes)
{
    http_body_add(&exchange->body, bytes, size_bytes);
    size_t total_bytes = exchange->body.total_bytes;
    exchange->is_over = exchange->is_over || total_bytes > body_limit(exchange);
    if (total_bytes <= drain_limit(exchange))
        return EXCHANGE_READ;
    exchange->outcome = ctx_fail(&exchange->ctx, ERR_TOO_LARGE,
                                 "the body does not end after %zu bytes", total_bytes);
    return EXCHANGE_CLOSE;
}

/* What guard and handler see of it. A type that the route does not read is not shown. */
static void show_body(struct exchange *exchange)
{
    struct http_request *rq = &exchange->rq;
    const struct http_body *body = &exchange->body;
    rq->has_body = rq->has_body || body->total_bytes > 0;
    exchange->is_type_wrong = exchange->is_type_wrong && rq->has_body;
    rq->is_faulty = exchange->late_verdict || exchange->is_query_bad || exchange->is_over ||
                    body->is_without_room || exchange->is_type_wrong;
    if (exchange->is_type_wrong || body->size_bytes == 0)
        return;
    rq->body = (struct bytes){.p = body->bytes, .n = body->size_bytes};
    bool is_cut = exchange->is_over || body->is_without_room;
    if (is_cut && rq->route->body_type == BODY_FORM)
        rq->body = http_body_whole_chars(rq->body, rq->body.n);
}

/* ---- guard and handler ---- */

static enum err request_fault(struct exchange *exchange)
{
    struct ctx *ctx = &exchange->ctx;
    if (exchange->late_verdict)
        return exchange->late_verdict;
    if (exchange->is_query_bad)
        return ctx_fail(ctx, ERR_INVALID, "the query is not a form in UTF-8");
    if (exchange->is_over)
        return ctx_fail(ctx, ERR_TOO_LARGE, "the body is larger than %zu bytes",
                        body_limit(exchange));
    if (exchange->body.is_without_room)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "all bodies together are larger than %zu bytes",
                        exchange->host->bodies.max_bytes);
    if (exchange->is_type_wrong)
        return ctx_fail(ctx, ERR_MEDIA_TYPE, "the body's type is not what the route reads");
    return ERR_OK;
}

/* May the handler run? If not, the answer is made, or *out_err says what it will be. */
static bool admit(struct exchange *exchange, enum err *out_err)
{
    const struct http_server_options *options = &exchange->host->options;
    struct http_request *rq = &exchange->rq;
    struct http_response *rs = &exchange->rs;
    enum err err = options->guard ? options->guard(options->app, &exchange->ctx, rq, rs) : ERR_OK;
    bool is_answered = rs->status != 0; /* by the guard */
    if (is_answered)
        exchange->outcome = err;
    *out_err = is_answered ? ERR_OK : err ? err : request_fault(exchange);
    return !is_answered && !*out_err;
}

static void finish(struct exchange *exchange, enum err err)
{
    if (err)
        answer_error(exchange, err);
    else
        complete_answer(exchange);
}

static enum err handle(struct exchange *exchange)
{
    return exchange->rq.route->handler(exchange->host->options.app, &exchange->ctx, &exchange->rq,
                                       &exchange->rs);
}

static void run(struct exchange *exchange)
{
    enum err err = ERR_OK;
    if (admit(exchange, &err))
        err = handle(exchange);
    finish(exchange, err);
}

/* Without I/O, on the loop. What was found out about the viewer is forgotten again: on its lane the
 * guard asks anew. */
static bool run_cached(struct exchange *exchange)
{
    const struct http_server_options *options = &exchange->host->options;
    struct http_request *rq = &exchange->rq;
    if (!rq->route->cached || !options->recall || rq->is_faulty)
        return false;
    if (options->recall(options->app, &exchange->ctx, rq) &&
        rq->route->cached(options->app, &exchange->ctx, rq, &exchange->rs)) {
        complete_answer(exchange);
        return true;
    }
    drop_answer(exchange);
    rq->session = NULL;
    exchange->ctx.user = NULL;
    return false;
}

/* ---- on a lane ---- */

void lane_lend(struct ctx *ctx, const void *local)
{
    const struct lane_local *lane = local;
    ctx->db = lane ? lane->db : NULL;
    ctx->http = lane ? lane->http : NULL;
    ctx->redis = lane ? lane->redis : NULL;
}

/* After resume the loop may free the exchange at any moment. */
static void give_back(struct exchange *exchange)
{
    struct exchange_host *host = exchange->host;
    host->resume(exchange->handle);
    atomic_fetch_sub(&host->suspended_count, 1);
}

static void job_run(struct job *job, void *local)
{
    struct exchange *exchange = (struct exchange *)(void *)job;
    lane_lend(&exchange->ctx, local);
    run(exchange);
    lane_lend(&exchange->ctx, NULL);
    give_back(exchange);
}

static void finish_on_lane(struct exchange *exchange, enum err err)
{
    finish(exchange, err);
    lane_lend(&exchange->ctx, NULL);
    give_back(exchange);
}

/* Requests for one route whose handlers read the same: it is read once for those that may. Each is
 * on its way as soon as it is done. */
static void job_run_all(struct job *job, void *local)
{
    struct exchange *admitted[WORKERS_TOGETHER_MAX_COUNT];
    struct fetch items[WORKERS_TOGETHER_MAX_COUNT];
    size_t count = 0;
    while (job) {
        struct exchange *exchange = (struct exchange *)(void *)job;
        enum err err = ERR_OK;
        job = job->next;
        lane_lend(&exchange->ctx, local);
        if (admit(exchange, &err)) {
            items[count] = (struct fetch){.ctx = &exchange->ctx, .rq = &exchange->rq};
            admitted[count++] = exchange;
        } else {
            finish_on_lane(exchange, err);
        }
    }
    if (count > 1)
        items[0].rq->route->fetch(admitted[0]->host->options.app, items, count);
    for (size_t i = 0; i < count; i++)
        finish_on_lane(admitted[i], handle(admitted[i]));
}

static void job_expire(struct job *job)
{
    struct exchange *exchange = (struct exchange *)(void *)job;
    answer_error(exchange, ctx_fail(&exchange->ctx, ERR_UNAVAILABLE,
                                    "waited in the queue until the deadline"));
    give_back(exchange);
}

static bool is_for_large_lane(const struct exchange *exchange)
{
    return exchange->body.size_bytes > HTTP_BODY_LARGE_BYTES &&
           exchange->rq.route->lane != LANE_SLOW && exchange->host->options.lanes[LANE_LARGE];
}

static struct workers *lane_of(const struct exchange *exchange)
{
    struct workers *const *lanes = exchange->host->options.lanes;
    enum lane lane = exchange->rq.route->lane;
    return lanes[is_for_large_lane(exchange) ? LANE_LARGE : lane];
}

static void answer_full(struct exchange *exchange)
{
    answer_error(exchange, ctx_fail(&exchange->ctx, ERR_UNAVAILABLE,
                                    "the queue is full, or has enough of this address"));
}

void exchange_submit(struct exchange *exchange)
{
    const struct route *route = exchange->rq.route;
    exchange->job = (struct job){
        .deadline_ms = exchange->ctx.deadline_ms,
        .run = job_run,
        .expire = job_expire,
        .kind = route->fetch ? route : NULL,
        .owner = address_limit_number(&exchange->rq.client),
        .run_all = job_run_all,
    };
    if (workers_submit(lane_of(exchange), &exchange->job))
        return;
    answer_full(exchange);
    give_back(exchange);
}

/* Counted first, then asked: who sets is_closing and then finds nobody counted may stop the loops.
 */
static bool may_suspend(struct exchange_host *host)
{
    atomic_fetch_add(&host->suspended_count, 1);
    if (!atomic_load(&host->is_closing))
        return true;
    atomic_fetch_sub(&host->suspended_count, 1);
    return false;
}

enum exchange_next exchange_arrived(struct exchange *exchange)
{
    struct ctx *ctx = &exchange->ctx;
    if (!connection_arrived(exchange->connection)) {
        if (!share_is_cut(&exchange->body.share))
            exchange->outcome = ctx_fail(ctx, ERR_TIMEOUT, "the request took too long to arrive");
        return EXCHANGE_CLOSE;
    }
    ctx->deadline_ms = clock_monotonic_ms() + exchange->host->options.request_deadline_ms;
    if (exchange->verdict) {
        answer_error(exchange, exchange->verdict);
        return EXCHANGE_SEND;
    }
    show_body(exchange);
    if (exchange->rq.route->lane == LANE_LOOP) {
        run(exchange);
        return EXCHANGE_SEND;
    }
    if (run_cached(exchange))
        return EXCHANGE_SEND;
    if (!workers_have_room(lane_of(exchange))) {
        answer_full(exchange); /* at once: to suspend and resume would cost more than the answer */
        return EXCHANGE_SEND;
    }
    if (is_for_large_lane(exchange) && !share_stay(&exchange->body.share)) {
        answer_error(exchange, ctx_fail(ctx, ERR_UNAVAILABLE,
                                        "this address has many large bodies waiting already"));
        return EXCHANGE_SEND;
    }
    if (!may_suspend(exchange->host)) {
        exchange->outcome = ctx_fail(ctx, ERR_UNAVAILABLE, "the server ends");
        return EXCHANGE_CLOSE;
    }
    exchange->stage = EXCHANGE_ON_LANE;
    return EXCHANGE_SUSPEND;
}

/* SPDX-License-Identifier: MIT
 *
 * The handshake. A page of another site could open a socket with the browser's cookie, so its
 * Origin is refused; a program that is no browser sends none. The session was read by the guard.
 * Depends on: websocket.h, engineio.h, hub.h, places.h. */
#include "live/live_handlers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "app.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "guard.h"
#include "http/form.h"
#include "http/http_message.h"
#include "http/websocket.h"
#include "live/engineio.h"
#include "live/hub.h"
#include "live/places.h"
#include "session/session.h"

#define JSON_TYPE         "application/json"
#define WEBSOCKET_VERSION "13" /* RFC 6455 */
#define ADDRESS_WAIT_S    10
#define TOO_MANY_SOCKETS  "{\"code\":4,\"message\":\"Too many sockets\"}"

/* ---- is it one? ---- */

/* Is a word in a list like "keep-alive, Upgrade"? */
static bool has_word(const char *list, const char *word)
{
    size_t word_chars = strlen(word);
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", \t");
        size_t chars = strcspn(at, ", \t");
        if (chars == word_chars && strncasecmp(at, word, chars) == 0)
            return true;
        at += chars;
    }
    return false;
}

static bool is_upgrade(struct ctx *ctx, const struct http_request *rq, char *out_accept)
{
    const char *key = rq->fields[HTTP_FIELD_SEC_WEBSOCKET_KEY];
    const char *version = rq->fields[HTTP_FIELD_SEC_WEBSOCKET_VERSION];
    return has_word(rq->fields[HTTP_FIELD_CONNECTION], "upgrade") &&
           has_word(rq->fields[HTTP_FIELD_UPGRADE], "websocket") && version &&
           text_equals(version, WEBSOCKET_VERSION) && key &&
           websocket_accept(&ctx->arena, key, out_accept);
}

/* `key` is the note's, for clients that don't say it when they connect; NULL when absent. */
static enum err read_query(struct ctx *ctx,
                           const struct http_request *rq,
                           struct engineio_query *query,
                           const char **out_key)
{
    enum err err = form_text(ctx, &rq->query, "transport", &query->transport);
    if (err || (err = form_text(ctx, &rq->query, "EIO", &query->version)) ||
        (err = form_text(ctx, &rq->query, "sid", &query->sid)))
        return err;
    err = form_text(ctx, &rq->query, "key", out_key);
    if (!err && *out_key && !**out_key)
        *out_key = NULL;
    return err;
}

static void refuse(struct http_response *rs, int status, const char *json)
{
    http_response_text(rs, status, JSON_TYPE, json);
    http_response_field(rs, "Cache-Control", "no-store");
}

/* ---- the socket ---- */

struct arrival {
    struct http_upgrade upgrade;
    struct app *app;
    struct hub_newcomer newcomer;
};

static void take(void *owner, int fd, struct bytes extra)
{
    struct arrival *arrival = owner;
    hub_admit(arrival->app->hub, fd, extra, &arrival->newcomer);
}

static void drop(void *owner)
{
    struct arrival *arrival = owner;
    places_give(arrival->app->places, arrival->newcomer.place);
}

static void answer_upgrade(struct http_response *rs, struct arrival *arrival, const char *accept)
{
    arrival->upgrade = (struct http_upgrade){.owner = arrival, .take = take, .drop = drop};
    rs->upgrade = &arrival->upgrade;
    http_response_field(rs, "Upgrade", "websocket");
    http_response_field(rs, "Sec-WebSocket-Accept", accept);
    rs->status = 101;
    rs->has_plain_fields = true;
}

/* Who comes in. While sessions can't be read it is taken for one: it gives no right, as each event
 * reads it anew, and the next look ends the socket if it was none. */
static struct arrival *
make_arrival(struct app *app, struct ctx *ctx, const struct http_request *rq, const char *key)
{
    struct arrival *arrival = arena_take(&ctx->arena, sizeof(*arrival));
    const struct session *session =
        rq->is_session_unknown ? session_from_cookie(ctx, app->config, rq) : rq->session;
    arrival->app = app;
    arrival->newcomer.key = key;
    arrival->newcomer.peer = rq->client_text;
    arrival->newcomer.owner = address_limit_number(&rq->client);
    if (session) {
        arrival->newcomer.is_signed_in = true;
        memcpy(arrival->newcomer.digest, session->digest, SECRET_DIGEST_BYTES);
    }
    arrival->newcomer.place =
        places_take(app->places, &rq->client, session ? session->digest : NULL);
    return arrival;
}

static void refuse_place(struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    log_warn(ctx, "live.socket_refused", log_str("peer", rq->client_text));
    http_response_field(rs, "Retry-After", arena_format(&ctx->arena, "%d", ADDRESS_WAIT_S));
    refuse(rs, 429, TOO_MANY_SOCKETS);
}

static void refuse_fault(struct http_response *rs, enum engineio_fault fault)
{
    if (fault == ENGINEIO_BAD_REQUEST)
        http_response_field(rs, "Sec-WebSocket-Version", WEBSOCKET_VERSION);
    refuse(rs, 400, engineio_fault_json(fault));
}

enum err live_handle(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs)
{
    char *accept = arena_take(&ctx->arena, WEBSOCKET_ACCEPT_BYTES);
    struct engineio_query query = {.is_get = rq->method == HTTP_GET,
                                   .is_upgrade = is_upgrade(ctx, rq, accept)};
    enum engineio_fault fault = ENGINEIO_BAD_REQUEST;
    const char *key = NULL;
    if (!read_query(ctx, rq, &query, &key))
        fault = engineio_check(&query);
    ctx_forgive(ctx);
    if (fault == ENGINEIO_FINE && !guard_is_from_here(app, ctx, rq)) {
        log_warn(ctx, "live.origin_refused", log_str("origin", rq->fields[HTTP_FIELD_ORIGIN]),
                 log_str("peer", rq->client_text));
        refuse(rs, 403, engineio_fault_json(ENGINEIO_FORBIDDEN));
        return ERR_OK;
    }
    if (fault != ENGINEIO_FINE) {
        refuse_fault(rs, fault);
        return ERR_OK;
    }
    struct arrival *arrival = make_arrival(app, ctx, rq, key);
    if (arrival->newcomer.place)
        answer_upgrade(rs, arrival, accept);
    else
        refuse_place(ctx, rq, rs);
    return ERR_OK;
}

/* SPDX-License-Identifier: MIT
 *
 * What a client says, packet by packet: connecting to namespaces, events, acknowledgements. An
 * event that needs the database becomes a job on the worker lane; until its answer is sent, nothing
 * more of this client is read. Who it is is never taken from what it says. Depends on: hub_parts.h,
 * engineio.h, socketio.h, live_wire.h. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "http/http_server.h"
#include "live/hub_parts.h"
#include "live/socketio.h"
#include "note/note.h"

#define SID_BYTES     15
#define KEY_MAX_BYTES ((size_t)4 * NOTE_KEY_MAX_CHARS)

static void open_gate(struct client *client)
{
    timer_stop(&client->gate);
}

void protocol_open(struct hub *hub, struct client *client)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, hub->options.log, HUB_JOB_DEADLINE_MS);
    client_send_text(
        hub, client,
        engineio_open(&ctx.arena, secret_token(&ctx.arena, SID_BYTES), &hub->options.times));
}

/* ---- namespaces ---- */

static bool is_connected(const struct client *client, const char *name_space)
{
    return (client->is_in_root && text_equals(name_space, "/")) ||
           (client->is_in_home && text_equals(name_space, LIVE_HOME)) ||
           (client->is_in_notes && text_equals(name_space, LIVE_NOTES));
}

static bool *connection_flag(struct client *client, const char *name_space)
{
    if (text_equals(name_space, "/"))
        return &client->is_in_root;
    if (text_equals(name_space, LIVE_HOME))
        return &client->is_in_home;
    return text_equals(name_space, LIVE_NOTES) ? &client->is_in_notes : NULL;
}

/* A key that no note can have makes no room: it would be kept, and asked for again and again. */
static void enter(struct hub *hub,
                  struct client *client,
                  struct ctx *ctx,
                  const struct live_auth *auth,
                  bool is_home)
{
    const char *key = auth->key ? auth->key : client->query_key;
    if (is_home)
        room_join(hub, &client->home, HUB_HOME, auth->revision);
    else if (key && strlen(key) > KEY_MAX_BYTES)
        client_send_text(hub, client, live_wire_destroyed(ctx, key));
    else if (key)
        room_join(hub, &client->notes, key, auth->revision);
}

/* False: the connection is to be closed. */
static bool connect_client(struct hub *hub,
                           struct client *client,
                           struct ctx *ctx,
                           const struct socketio_packet *packet)
{
    struct live_auth auth;
    bool *is_in = connection_flag(client, packet->name_space);
    if (!live_wire_auth(ctx, packet->json, &auth) || (is_in && *is_in))
        return false;
    if (!is_in) {
        client_send_text(hub, client, live_wire_refused(ctx, packet->name_space));
        return true;
    }
    *is_in = true;
    open_gate(client);
    client_send_text(
        hub, client,
        live_wire_connected(ctx, packet->name_space, secret_token(&ctx->arena, SID_BYTES)));
    if (!client->is_closing && is_in != &client->is_in_root)
        enter(hub, client, ctx, &auth, is_in == &client->is_in_home);
    return true;
}

static bool
disconnect_client(struct hub *hub, struct client *client, const struct socketio_packet *packet)
{
    bool *is_in = connection_flag(client, packet->name_space);
    if (!is_in || !*is_in)
        return false;
    *is_in = false;
    if (is_in == &client->is_in_home)
        room_leave(hub, &client->home);
    if (is_in == &client->is_in_notes)
        room_leave(hub, &client->notes);
    return true;
}

/* ---- events ---- */

/* An event on its way over a worker. Texts are its own. */
struct call_job {
    struct job job;
    struct mail mail;
    struct hub *hub;
    struct client *client;
    struct hub_call call;
    char *key;
    char *message;
    bool has_id;
    int64_t id;
    enum err err;
    struct frame *answer; /* NULL: none is wanted */
};

static void free_call(struct call_job *call)
{
    frame_release(call->answer);
    free(call->key);
    free(call->message);
    free(call);
}

static const char *answer_text(struct ctx *ctx, int64_t id, enum err err)
{
    return err ? live_wire_error(ctx, LIVE_NOTES, id, err) : live_wire_ok(ctx, LIVE_NOTES, id);
}

static void run_call(struct job *job, void *local)
{
    struct call_job *call = OWNER_OF(job, struct call_job, job);
    const struct hub_options *options = &call->hub->options;
    struct ctx ctx;
    ctx_init(&ctx, options->log, HUB_JOB_DEADLINE_MS);
    lane_lend(&ctx, local);
    ctx.peer = call->call.peer;
    call->err = options->serve(options->app, &ctx, &call->call);
    if (call->has_id)
        call->answer = frame_text(answer_text(&ctx, call->id, call->err));
    ctx_done(&ctx);
    hub_post(call->hub, &call->mail);
}

static void expire_call(struct job *job)
{
    struct call_job *call = OWNER_OF(job, struct call_job, job);
    struct ctx ctx;
    ctx_init(&ctx, call->hub->options.log, HUB_JOB_DEADLINE_MS);
    call->err = ERR_UNAVAILABLE;
    if (call->has_id)
        call->answer = frame_text(answer_text(&ctx, call->id, call->err));
    ctx_done(&ctx);
    hub_post(call->hub, &call->mail);
}

static void deliver_call(struct hub *hub, struct mail *mail)
{
    struct call_job *call = OWNER_OF(mail, struct call_job, mail);
    struct client *client = call->client;
    client->has_call = false;
    client_resume_later(hub, client);
    if (!client->is_closing && call->answer)
        client_send(hub, client, call->answer);
    bool is_snapshot = call->call.kind == LIVE_EVENT_SNAPSHOT;
    if (!client->is_closing && is_snapshot && !call->err && client->notes.room)
        room_ask(hub, &client->notes);
    free_call(call);
}

static void answer(struct hub *hub,
                   struct client *client,
                   struct ctx *ctx,
                   const struct socketio_packet *packet,
                   enum err err)
{
    if (!packet->has_id)
        return;
    const char *text = err ? live_wire_error(ctx, packet->name_space, packet->id, err)
                           : live_wire_ok(ctx, packet->name_space, packet->id);
    client_send_text(hub, client, text);
}

static char *copy_of(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        abort();
    return copy;
}

static struct call_job *make_call(struct hub *hub,
                                  struct client *client,
                                  const struct live_event *event,
                                  const struct socketio_packet *packet)
{
    struct call_job *call = calloc(1, sizeof(*call));
    if (!call)
        abort();
    call->job = (struct job){.deadline_ms = hub->now_ms + HUB_JOB_DEADLINE_MS,
                             .run = run_call,
                             .expire = expire_call,
                             .owner = client->owner};
    call->mail.deliver = deliver_call;
    call->hub = hub;
    call->client = client;
    call->key = copy_of(client->notes.room->key);
    call->message = copy_of(event->message);
    call->has_id = packet->has_id;
    call->id = packet->id;
    call->call = (struct hub_call){.kind = event->kind,
                                   .key = call->key,
                                   .peer = client->peer, /* the client outlives its call */
                                   .message = call->message,
                                   .id = event->id};
    memcpy(call->call.digest, client->digest, sizeof(call->call.digest));
    return call;
}

static void submit(struct hub *hub,
                   struct client *client,
                   struct ctx *ctx,
                   const struct live_event *event,
                   const struct socketio_packet *packet)
{
    struct call_job *call = make_call(hub, client, event, packet);
    client->has_call = workers_submit(hub->options.writers, &call->job);
    if (client->has_call)
        return;
    free_call(call);
    answer(hub, client, ctx, packet, ERR_UNAVAILABLE);
}

/* Strangers may listen, and so may ask for what there is to see. */
static void serve_stranger(struct hub *hub,
                           struct client *client,
                           struct ctx *ctx,
                           const struct live_event *event,
                           const struct socketio_packet *packet)
{
    bool is_snapshot = event->kind == LIVE_EVENT_SNAPSHOT;
    if (!is_snapshot && !client->is_refusal_logged) {
        log_warn(ctx, "live.event_refused", log_str("peer", client->peer));
        client->is_refusal_logged = true; /* one line a socket: events cost a stranger nothing */
    }
    answer(hub, client, ctx, packet, is_snapshot ? ERR_OK : ERR_UNAUTHENTICATED);
    if (is_snapshot && client->notes.room)
        room_ask(hub, &client->notes);
}

static bool take_event(struct hub *hub,
                       struct client *client,
                       struct ctx *ctx,
                       const struct socketio_packet *packet)
{
    struct live_event event;
    if (!is_connected(client, packet->name_space) || !live_wire_event(ctx, packet->json, &event))
        return false;
    bool is_ours = text_equals(packet->name_space, LIVE_NOTES) && event.kind != LIVE_EVENT_UNKNOWN;
    if (!is_ours)
        answer(hub, client, ctx, packet, ERR_INVALID);
    else if (!client->notes.room)
        answer(hub, client, ctx, packet, ERR_NOT_FOUND);
    else if (client->is_signed_in)
        submit(hub, client, ctx, &event, packet);
    else
        serve_stranger(hub, client, ctx, &event, packet);
    return true;
}

/* ---- packets ---- */

static bool take_packet(struct hub *hub, struct client *client, struct ctx *ctx, const char *text)
{
    struct socketio_packet packet;
    if (!socketio_read(&ctx->arena, text, &packet))
        return false;
    switch (packet.type) {
    case SOCKETIO_CONNECT:
        return connect_client(hub, client, ctx, &packet);
    case SOCKETIO_DISCONNECT:
        return disconnect_client(hub, client, &packet);
    case SOCKETIO_EVENT:
        return take_event(hub, client, ctx, &packet);
    case SOCKETIO_ACK:
        break;
    }
    /* We ask for none: a late one of another life is no harm. */
    return is_connected(client, packet.name_space) && packet.has_id &&
           live_wire_is_array(packet.json);
}

void protocol_receive(struct hub *hub, struct client *client, const char *text)
{
    CLEANUP(ctx_done) struct ctx ctx;
    const char *rest = NULL;
    bool is_fine = true;
    ctx_init(&ctx, hub->options.log, HUB_JOB_DEADLINE_MS);
    switch (engineio_read(text, &rest)) {
    case ENGINEIO_CLOSE:
        client_end(hub, client, WEBSOCKET_NORMAL);
        break;
    case ENGINEIO_PONG:
        client_on_pong(hub, client);
        break;
    case ENGINEIO_MESSAGE:
        is_fine = take_packet(hub, client, &ctx, rest);
        break;
    case ENGINEIO_NOOP:
        break;
    case ENGINEIO_BAD:
        is_fine = false;
        break;
    }
    if (!is_fine)
        client_end(hub, client, WEBSOCKET_PROTOCOL_ERROR);
}

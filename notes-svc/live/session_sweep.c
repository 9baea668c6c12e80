/* SPDX-License-Identifier: MIT
 *
 * Sockets by session: those of a session that has ended are closed, and every check_every_ms the
 * sessions of all signed-in sockets are read again on a worker, a batch at a time, so that one
 * whose user was destroyed is found out. Depends on: hub_parts.h. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "http/http_server.h"
#include "live/hub_parts.h"

/* ---- the index ---- */

/* A digest is random already. */
struct client **session_bucket(struct hub *hub, const unsigned char *digest)
{
    size_t place = ((size_t)digest[0] << 8) | digest[1];
    return &hub->sessions[place & (SESSION_BUCKETS_COUNT - 1)];
}

static bool is_of(const struct client *client, const unsigned char *digest)
{
    return memcmp(client->digest, digest, SECRET_DIGEST_BYTES) == 0;
}

void sessions_add(struct hub *hub, struct client *client)
{
    struct client **bucket = session_bucket(hub, client->digest);
    client->next_of_session = *bucket;
    client->previous_of_session = NULL;
    if (*bucket)
        (*bucket)->previous_of_session = client;
    *bucket = client;
}

/* The sweep is amid this bucket: whether it passed that one is not known, so that another may be
 * looked at twice rather than not at all. */
static void pass_one_less(struct hub *hub, const struct client *client)
{
    struct session_sweep *sweep = &hub->sweep;
    if (sweep->passed_count > 0 &&
        session_bucket(hub, client->digest) == &hub->sessions[sweep->bucket])
        sweep->passed_count--;
}

void sessions_remove(struct hub *hub, struct client *client)
{
    if (client->previous_of_session)
        client->previous_of_session->next_of_session = client->next_of_session;
    else
        *session_bucket(hub, client->digest) = client->next_of_session;
    if (client->next_of_session)
        client->next_of_session->previous_of_session = client->previous_of_session;
    pass_one_less(hub, client);
}

void sessions_end(struct hub *hub, const unsigned char *digest)
{
    struct client *client = *session_bucket(hub, digest);
    while (client) {
        struct client *next = client->next_of_session; /* client_end takes it out */
        if (is_of(client, digest))
            client_end(hub, client, WEBSOCKET_POLICY);
        client = next;
    }
}

struct ended_session {
    struct mail mail;
    unsigned char digest[SECRET_DIGEST_BYTES];
};

static void deliver_end(struct hub *hub, struct mail *mail)
{
    struct ended_session *ended = OWNER_OF(mail, struct ended_session, mail);
    sessions_end(hub, ended->digest);
    free(ended);
}

void hub_end_session(struct hub *hub, const unsigned char digest[SECRET_DIGEST_BYTES])
{
    struct ended_session *ended = malloc(sizeof(*ended));
    if (!ended)
        abort();
    ended->mail.deliver = deliver_end;
    memcpy(ended->digest, digest, SECRET_DIGEST_BYTES);
    hub_post(hub, &ended->mail);
}

/* ---- the sweep ---- */

static void run_sweep(struct job *job, void *local)
{
    struct session_sweep *sweep = OWNER_OF(job, struct session_sweep, job);
    const struct hub_options *options = &sweep->hub->options;
    int64_t end_ms = clock_monotonic_ms() + HUB_JOB_DEADLINE_MS;
    for (size_t i = 0; i < sweep->count; i++) {
        int64_t left_ms = end_ms - clock_monotonic_ms();
        bool is_alive = true;
        sweep->is_over[i] = false;
        if (left_ms <= 0)
            continue; /* it is looked at in the next sweep */
        struct ctx ctx;
        ctx_init(&ctx, options->log, left_ms);
        lane_lend(&ctx, local);
        enum err err = options->check(options->app, &ctx, sweep->digests[i], &is_alive);
        sweep->is_over[i] = !err && !is_alive;
        ctx_done(&ctx);
    }
    hub_post(sweep->hub, &sweep->mail);
}

static void expire_sweep(struct job *job)
{
    struct session_sweep *sweep = OWNER_OF(job, struct session_sweep, job);
    sweep->count = 0;
    hub_post(sweep->hub, &sweep->mail);
}

static bool is_listed(const struct session_sweep *sweep, size_t from, const unsigned char *digest)
{
    for (size_t i = from; i < sweep->count; i++)
        if (memcmp(sweep->digests[i], digest, SECRET_DIGEST_BYTES) == 0)
            return true;
    return false;
}

/* The sessions of the bucket from where the batch before ended, each once. False: there is no room
 * for the rest, with which the next batch begins. A socket that comes meanwhile comes first, so
 * that another is looked at twice rather than not at all. */
static bool list_bucket(struct session_sweep *sweep, const struct client *first)
{
    size_t from = sweep->count;
    size_t at = 0;
    for (const struct client *client = first; client; client = client->next_of_session, at++) {
        if (at < sweep->passed_count || is_listed(sweep, from, client->digest))
            continue;
        if (sweep->count == HUB_CHECK_COUNT) {
            sweep->passed_count = at;
            return false;
        }
        memcpy(sweep->digests[sweep->count++], client->digest, SECRET_DIGEST_BYTES);
    }
    sweep->passed_count = 0;
    return true;
}

static void list_batch(struct hub *hub)
{
    struct session_sweep *sweep = &hub->sweep;
    sweep->count = 0;
    while (sweep->bucket < SESSION_BUCKETS_COUNT &&
           list_bucket(sweep, hub->sessions[sweep->bucket]))
        sweep->bucket++;
}

static void deliver_sweep(struct hub *hub, struct mail *mail)
{
    struct session_sweep *sweep = &hub->sweep;
    (void)mail;
    sweep->is_running = false;
    for (size_t i = 0; i < sweep->count; i++)
        if (sweep->is_over[i])
            sessions_end(hub, sweep->digests[i]);
}

void sessions_sweep(struct hub *hub)
{
    struct session_sweep *sweep = &hub->sweep;
    bool is_whole = sweep->bucket == SESSION_BUCKETS_COUNT;
    if (sweep->is_running || hub_is_stopping(hub) || (is_whole && hub->now_ms < sweep->at_ms))
        return;
    if (is_whole || sweep->at_ms == 0) {
        sweep->bucket = 0;
        sweep->passed_count = 0;
        sweep->at_ms = hub->now_ms + hub->options.check_every_ms;
    }
    size_t first_bucket = sweep->bucket;
    size_t passed_count = sweep->passed_count;
    list_batch(hub);
    if (sweep->count == 0)
        return;
    sweep->hub = hub;
    sweep->mail.deliver = deliver_sweep;
    sweep->job = (struct job){
        .deadline_ms = hub->now_ms + HUB_JOB_DEADLINE_MS, .run = run_sweep, .expire = expire_sweep};
    sweep->is_running = workers_submit(hub->options.workers, &sweep->job);
    if (!sweep->is_running) { /* the lane is full: at the next turn */
        sweep->bucket = first_bucket;
        sweep->passed_count = passed_count;
    }
}

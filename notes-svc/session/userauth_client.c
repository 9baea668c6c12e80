/* SPDX-License-Identifier: MIT
 *
 * Requests to userauth-svc with the service's key. Source: models/users-superagent.mjs of the Node
 * original. Depends on: http_client.h, userauth_wire.h. */
#include "session/userauth_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "base/thread.h"
#include "config.h"
#include "http/http_client.h"
#include "provider/provider.h"
#include "session/service_key.h"
#include "session/userauth_wire.h"

#define URL_MAX_BYTES 2048

struct userauth_client {
    const struct config *config;
    pthread_mutex_t lock; /* of the next four */
    pthread_cond_t has_turn;
    int64_t rest_until_ms; /* monotonic */
    int asking_count;
    bool is_down; /* the last check or look failed */

    atomic_bool is_key_accepted; /* by the last answer; false: not known, or it was refused */
};

struct userauth_client *userauth_client_new(const struct config *config)
{
    struct userauth_client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->config = config;
    (void)pthread_mutex_init(&client->lock, NULL);
    condition_start(&client->has_turn);
    return client;
}

void userauth_client_free(struct userauth_client *client)
{
    if (!client)
        return;
    (void)pthread_cond_destroy(&client->has_turn);
    (void)pthread_mutex_destroy(&client->lock);
    free(client);
}

/* ---- turns: who may check a session now ---- */

static bool is_free_locked(const struct userauth_client *client)
{
    return client->asking_count < (client->is_down ? 1 : USERAUTH_ETAGS_MAX_COUNT);
}

static void wait_for_turn_locked(struct userauth_client *client, int64_t until_ms)
{
    bool has_time = true;
    while (!client->is_down && !is_free_locked(client) && has_time)
        has_time = condition_wait_until(&client->has_turn, &client->lock, until_ms);
}

enum turn { TURN_TAKEN, TURN_OF_OTHERS, TURN_WHILE_AWAY };

/* Waits while others have it, until then at most. TURN_TAKEN: end_turn must follow. */
static enum turn take_turn(struct userauth_client *client, int64_t until_ms)
{
    enum turn turn = TURN_OF_OTHERS;
    (void)pthread_mutex_lock(&client->lock);
    wait_for_turn_locked(client, until_ms);
    bool is_free = is_free_locked(client);
    if (clock_monotonic_ms() < client->rest_until_ms || (client->is_down && !is_free))
        turn = TURN_WHILE_AWAY;
    else if (is_free)
        turn = TURN_TAKEN;
    client->asking_count += turn == TURN_TAKEN;
    (void)pthread_mutex_unlock(&client->lock);
    return turn;
}

static void note_outcome_locked(struct userauth_client *client, enum err err)
{
    client->is_down = err != ERR_OK;
    client->rest_until_ms = err ? clock_monotonic_ms() + USERAUTH_REST_MS : 0;
    (void)pthread_cond_broadcast(&client->has_turn);
}

static void note_outcome(struct userauth_client *client, enum err err)
{
    (void)pthread_mutex_lock(&client->lock);
    note_outcome_locked(client, err);
    (void)pthread_mutex_unlock(&client->lock);
}

/* Without an outcome the turn goes to the next one, and nothing was learned of the service. */
static void end_turn(struct userauth_client *client, bool has_outcome, enum err err)
{
    (void)pthread_mutex_lock(&client->lock);
    client->asking_count--;
    if (has_outcome)
        note_outcome_locked(client, err);
    (void)pthread_cond_broadcast(&client->has_turn);
    (void)pthread_mutex_unlock(&client->lock);
}

/* ---- calls ---- */

/* "<base>/<word>/<username>", the name percent-encoded. */
static enum err url_of(struct ctx *ctx,
                       const struct userauth_client *client,
                       const char *word,
                       const char *username,
                       const char **out_url)
{
    struct strbuf url;
    strbuf_init(&url, &ctx->arena, 128, URL_MAX_BYTES);
    strbuf_add(&url, client->config->user_service_url);
    if (url.size_bytes && url.text[url.size_bytes - 1] != '/')
        strbuf_add_char(&url, '/');
    strbuf_add(&url, word);
    if (username) {
        strbuf_add_char(&url, '/');
        strbuf_add_url(&url, username);
    }
    return strbuf_text(&url, out_url);
}

/* A 5xx may come from before the key was looked at, from a proxy, or from a service whose start
 * still lasts and whose health is fine: what is known of the key is then to be found out anew. */
static void note_key(struct userauth_client *client, int status)
{
    atomic_store(&client->is_key_accepted, status < 500 && status != 401);
}

/* Adds the key and calls. Errors: ERR_UNAUTHENTICATED there is no key, or it is refused. */
static enum err call_with_key(struct ctx *ctx,
                              struct userauth_client *client,
                              const struct http_call *wanted,
                              struct http_answer *out)
{
    const struct config *config = client->config;
    CLEANUP(secret_done) struct secret storage = {0};
    struct http_call request = *wanted;
    request.basic_user = config->user_service_id;
    if (service_key_get(ctx, config, &storage, &request.basic_password)) {
        atomic_store(&client->is_key_accepted, false);
        return ERR_UNAUTHENTICATED;
    }
    enum err err = http_call(ctx, ctx->http, &request, out);
    if (err)
        return err;
    note_key(client, out->status);
    if (out->status == 401)
        return ctx_fail(ctx, ERR_UNAUTHENTICATED, "userauth-svc refuses our API key \"%s\"",
                        config->user_service_id);
    return ERR_OK;
}

/* A refused key is our side's fault: for the user the service is just not there. */
static enum err call(struct ctx *ctx,
                     struct userauth_client *client,
                     const struct http_call *request,
                     struct http_answer *out)
{
    enum err err = call_with_key(ctx, client, request, out);
    if (err)
        return err == ERR_UNAUTHENTICATED ? ERR_UNAVAILABLE : err;
    if (out->status >= 500)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d", out->status);
    return ERR_OK;
}

/* What an answer to password-check says. One that is none must neither sign anybody in nor call a
 * password wrong. */
static enum err
read_verdict(struct ctx *ctx, const struct http_answer *answer, struct userauth_check *out_check)
{
    struct userauth_check check = {.verdict = USERAUTH_WRONG};
    bool is_right = false;
    enum err err = ERR_OK;
    switch (answer->status) {
    case 200:
        err = userauth_wire_checked(ctx, answer->body, &is_right, &check.username);
        check.etag = answer->etag ? answer->etag : "";
        check.verdict = is_right ? USERAUTH_RIGHT : USERAUTH_WRONG;
        break;
    case 400: /* a name or password that nobody can have */
        break;
    case 429:
        check.verdict = USERAUTH_WAIT;
        check.wait_s = answer->retry_after_s;
        break;
    default:
        err = ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d to password-check",
                       answer->status);
    }
    if (!err)
        *out_check = check;
    return err;
}

enum err userauth_password_check(struct ctx *ctx,
                                 struct userauth_client *client,
                                 const char *username,
                                 const char *password,
                                 const char *device,
                                 struct userauth_check *out_check)
{
    struct http_call request = {.method = "POST", .timeout_ms = USERAUTH_TIMEOUT_MS};
    struct http_answer answer = {0};
    enum err err = url_of(ctx, client, "password-check", NULL, &request.url);
    if (err || (err = userauth_wire_check(ctx, username, password, device, &request.json_body)))
        return err;
    if ((err = call(ctx, client, &request, &answer)))
        return err;
    return read_verdict(ctx, &answer, out_check);
}

/* A refusal that is not about the new password is about an old one, or a name, that nobody can
 * have. */
static enum err
read_change(struct ctx *ctx, const struct http_answer *answer, struct userauth_change *out_change)
{
    struct userauth_change change = {.verdict = USERAUTH_OLD_WRONG};
    bool is_changed = false;
    enum err err = ERR_OK;
    switch (answer->status) {
    case 200:
        err = userauth_wire_changed(ctx, answer->body, &is_changed, &change.username);
        if (!err && is_changed && !answer->etag)
            err = ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: change-password without an ETag");
        change.etag = answer->etag;
        change.verdict = is_changed ? USERAUTH_CHANGED : USERAUTH_OLD_WRONG;
        break;
    case 400:
        change.refusal = userauth_wire_refusal(ctx, answer->body);
        change.verdict = change.refusal ? USERAUTH_NEW_REFUSED : USERAUTH_OLD_WRONG;
        break;
    case 429:
        change.verdict = USERAUTH_CHANGE_WAIT;
        change.wait_s = answer->retry_after_s;
        break;
    default:
        err = ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d to change-password",
                       answer->status);
    }
    if (!err)
        *out_change = change;
    return err;
}

enum err userauth_change_password(struct ctx *ctx,
                                  struct userauth_client *client,
                                  const char *username,
                                  const struct userauth_passwords *passwords,
                                  const char *device,
                                  struct userauth_change *out_change)
{
    struct http_call request = {.method = "POST", .timeout_ms = USERAUTH_TIMEOUT_MS};
    struct http_answer answer = {0};
    enum err err = url_of(ctx, client, "change-password", NULL, &request.url);
    if (err || (err = userauth_wire_change(ctx, username, passwords->old, passwords->new, device,
                                           &request.json_body)))
        return err;
    if ((err = call(ctx, client, &request, &answer)))
        return err;
    return read_change(ctx, &answer, out_change);
}

/* The body of a 404 that userauth-svc itself sent: somebody else's must not end sessions. */
static bool is_empty_object(struct bytes body)
{
    return body.n >= 2 && text_starts_with((const char *)body.p, "{}");
}

/* For an answer to a check: a request has at least as much for its turn before. */
static int64_t etag_timeout_ms(const struct userauth_client *client)
{
    int64_t half_ms = client->config->service.request_deadline_ms / 2;
    return half_ms < USERAUTH_ETAG_TIMEOUT_MS ? half_ms : USERAUTH_ETAG_TIMEOUT_MS;
}

/* A look at a user, in its turn. That the service is away is told by a call that failed before its
 * request's deadline or had all of its time: who is late himself must not make others believe so.
 */
static enum err call_in_turn(struct ctx *ctx,
                             struct userauth_client *client,
                             const struct http_call *request,
                             int64_t turn_until_ms,
                             struct http_answer *out_answer,
                             bool *out_is_away)
{
    enum turn turn = take_turn(client, turn_until_ms);
    *out_is_away = turn == TURN_WHILE_AWAY;
    if (turn == TURN_WHILE_AWAY)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc did not answer a moment ago");
    if (turn == TURN_OF_OTHERS)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "others asked userauth-svc until it was too late");
    bool is_short = ctx_left_ms(ctx) < request->timeout_ms;
    enum err err = call(ctx, client, request, out_answer);
    bool is_late = is_short && ctx_left_ms(ctx) == 0;
    end_turn(client, !err || !is_late, err);
    *out_is_away = err && !is_late;
    return err;
}

enum err userauth_etag(struct ctx *ctx,
                       struct userauth_client *client,
                       const char *username,
                       bool can_wait,
                       const char **out_etag,
                       bool *out_is_away)
{
    struct http_call request = {.method = "GET", .timeout_ms = etag_timeout_ms(client)};
    struct http_answer answer = {0};
    int64_t latest_ms = ctx->deadline_ms - request.timeout_ms;
    int64_t soon_ms = clock_monotonic_ms() + USERAUTH_TURN_WAIT_MS;
    int64_t turn_until_ms = !can_wait ? 0 : latest_ms < soon_ms ? latest_ms : soon_ms;
    enum err err = url_of(ctx, client, "find", username, &request.url);
    if (err || (err = call_in_turn(ctx, client, &request, turn_until_ms, &answer, out_is_away)))
        return err;
    if (answer.status == 404 && is_empty_object(answer.body))
        return ERR_NOT_FOUND;
    *out_is_away = answer.status != 200 || !answer.etag;
    if (*out_is_away)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d to find", answer.status);
    *out_etag = answer.etag;
    return ERR_OK;
}

/* ---- identities ---- */

/* Which refusal of a status this is. Errors: ERR_UNAVAILABLE none that we know. */
struct refusal {
    int status;
    const char *code;
    int verdict;
};

static enum err read_refusal(struct ctx *ctx,
                             const struct http_answer *answer,
                             const struct refusal *refusals,
                             size_t count,
                             int *out_verdict)
{
    const char *code = userauth_wire_code(ctx, answer->body);
    for (size_t i = 0; i < count; i++)
        if (refusals[i].status == answer->status && text_equals(refusals[i].code, code)) {
            *out_verdict = refusals[i].verdict;
            return ERR_OK;
        }
    return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d to a question about identities",
                    answer->status);
}

enum err userauth_find_or_create(struct ctx *ctx,
                                 struct userauth_client *client,
                                 const struct provider_person *person,
                                 struct userauth_find *out_find)
{
    static const struct refusal REFUSALS[] = {{403, "UserDisabled", USERAUTH_DISABLED},
                                              {409, "NoFreeName", USERAUTH_NO_NAME}};
    struct http_call request = {.method = "POST", .timeout_ms = USERAUTH_TIMEOUT_MS};
    struct http_answer answer = {0};
    struct userauth_find find = {.verdict = USERAUTH_FOUND};
    int verdict = USERAUTH_FOUND;
    enum err err = url_of(ctx, client, "find-or-create", NULL, &request.url);
    if (err || (err = userauth_wire_person(ctx, person, &request.json_body)) ||
        (err = call(ctx, client, &request, &answer)))
        return err;
    if (answer.status != 200)
        err = read_refusal(ctx, &answer, REFUSALS, ARRAY_COUNT(REFUSALS), &verdict);
    else if (!answer.etag)
        err = ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: find-or-create without an ETag");
    else
        err = userauth_wire_found(ctx, answer.body, &find.username);
    if (err)
        return err;
    find.verdict = (enum userauth_find_verdict)verdict;
    find.etag = answer.etag;
    *out_find = find;
    return ERR_OK;
}

enum err userauth_identities(struct ctx *ctx,
                             struct userauth_client *client,
                             const char *username,
                             struct userauth_identities *out_identities)
{
    struct http_call request = {.method = "GET", .timeout_ms = etag_timeout_ms(client)};
    struct http_answer answer = {0};
    bool is_away = false;
    int64_t turn_until_ms = clock_monotonic_ms() + request.timeout_ms;
    enum err err = url_of(ctx, client, "identities", username, &request.url);
    if (err || (err = call_in_turn(ctx, client, &request, turn_until_ms, &answer, &is_away)))
        return err;
    if (answer.status != 200)
        return ctx_fail(ctx, answer.status == 404 ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                        "userauth-svc: status %d to identities", answer.status);
    return userauth_wire_identities(ctx, answer.body, out_identities);
}

/* What If-Match says. Without a tag of ours: one that nobody has, as no field would match all. */
static const char *precondition(const struct userauth_account *account)
{
    return *account->etag ? account->etag : "\"\"";
}

enum err userauth_link(struct ctx *ctx,
                       struct userauth_client *client,
                       const struct userauth_account *account,
                       const struct provider_person *person,
                       enum userauth_link_verdict *out_verdict)
{
    static const struct refusal REFUSALS[] = {{409, "IdentityTaken", USERAUTH_LINK_TAKEN},
                                              {409, "TooManyIdentities", USERAUTH_LINK_TOO_MANY},
                                              {412, "PreconditionFailed", USERAUTH_LINK_STALE},
                                              {404, "ResourceNotFound", USERAUTH_LINK_STALE}};
    struct http_call request = {
        .method = "POST", .timeout_ms = USERAUTH_TIMEOUT_MS, .if_match = precondition(account)};
    struct http_answer answer = {0};
    int verdict = USERAUTH_LINKED;
    enum err err = url_of(ctx, client, "link-identity", account->username, &request.url);
    if (err ||
        (err = userauth_wire_identity(ctx, person->provider, person->issuer, person->subject,
                                      &request.json_body)) ||
        (err = call(ctx, client, &request, &answer)))
        return err;
    if (answer.status != 200)
        err = read_refusal(ctx, &answer, REFUSALS, ARRAY_COUNT(REFUSALS), &verdict);
    if (!err)
        *out_verdict = (enum userauth_link_verdict)verdict;
    return err;
}

enum err userauth_unlink(struct ctx *ctx,
                         struct userauth_client *client,
                         const struct userauth_account *account,
                         const char *issuer,
                         const char *subject,
                         enum userauth_link_verdict *out_verdict)
{
    static const struct refusal REFUSALS[] = {{404, "IdentityNotLinked", USERAUTH_LINK_UNKNOWN},
                                              {400, "InvalidArgument", USERAUTH_LINK_UNKNOWN},
                                              {409, "LastIdentity", USERAUTH_LINK_LAST},
                                              {412, "PreconditionFailed", USERAUTH_LINK_STALE},
                                              {404, "ResourceNotFound", USERAUTH_LINK_STALE}};
    struct http_call request = {
        .method = "POST", .timeout_ms = USERAUTH_TIMEOUT_MS, .if_match = precondition(account)};
    struct http_answer answer = {0};
    int verdict = USERAUTH_LINKED;
    enum err err = url_of(ctx, client, "unlink-identity", account->username, &request.url);
    if (err || (err = userauth_wire_identity(ctx, NULL, issuer, subject, &request.json_body)) ||
        (err = call(ctx, client, &request, &answer)))
        return err;
    if (answer.status != 200)
        err = read_refusal(ctx, &answer, REFUSALS, ARRAY_COUNT(REFUSALS), &verdict);
    if (!err)
        *out_verdict = (enum userauth_link_verdict)verdict;
    return err;
}

static enum err look_at_health(struct ctx *ctx, struct userauth_client *client)
{
    struct http_call request = {.method = "GET", .timeout_ms = USERAUTH_TIMEOUT_MS};
    struct http_answer answer = {0};
    enum err err = url_of(ctx, client, "healthz", NULL, &request.url);
    if (err || (err = http_call(ctx, ctx->http, &request, &answer)))
        return err;
    if (answer.status != 200)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d to healthz", answer.status);
    return ERR_OK;
}

/* Any answer but 401 and 5xx accepts it, so the user may be one whom nobody knows. */
static enum err try_key(struct ctx *ctx, struct userauth_client *client)
{
    struct http_call request = {.method = "GET", .timeout_ms = USERAUTH_TIMEOUT_MS};
    struct http_answer answer = {0};
    enum err err = url_of(ctx, client, "find", client->config->user_service_id, &request.url);
    if (err || (err = call_with_key(ctx, client, &request, &answer)))
        return err;
    if (answer.status >= 500)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: status %d to find", answer.status);
    return ERR_OK;
}

/* Its health needs no key. So the key is tried when no call since the service was away has told,
 * and as long as it is refused. */
enum err userauth_ping(struct ctx *ctx, struct userauth_client *client)
{
    enum err err = look_at_health(ctx, client);
    if (err)
        atomic_store(&client->is_key_accepted, false);
    else if (!atomic_load(&client->is_key_accepted))
        err = try_key(ctx, client);
    note_outcome(client, err);
    return err;
}

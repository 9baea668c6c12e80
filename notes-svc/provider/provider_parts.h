/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share and nobody else sees: the process's state, a sign-in under
 * way, and what a kind of provider does. */
#ifndef NOTES_PROVIDER_PARTS_H
#define NOTES_PROVIDER_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider/provider.h"

struct http_answer;
struct secret;

#define PROVIDER_ANSWER_MAX_BYTES ((size_t)256 * 1024)
#define PROVIDER_TURNS_MAX_COUNT  2 /* requests that wait for one provider at once; see turn_take */
#define PROVIDER_REST_MS          2000 /* after a failure to reach one, it is left alone */
#define PROVIDER_TOKEN_MAX_BYTES  1024 /* OAuth 1.0a: of a token, a secret, a verifier */
#define PROVIDER_CODE_MAX_BYTES   4096 /* OpenID Connect: of an authorization code */

/* An answer that is good for a while. */
struct provider_kept {
    char *text; /* NULL: none */
    size_t size_bytes;
    int64_t until_ms; /* monotonic */
};

struct providers {
    const struct config *config;
    const struct site *site;
    char *authorities;        /* the system's and PROVIDER_CA_FILE's; NULL: the system's */
    int turns_max_count;      /* of all providers together */
    int turns_each_max_count; /* of one */
    pthread_mutex_t lock;     /* of all below */
    int turns_count[PROVIDER_COUNT];
    int64_t rest_until_ms[PROVIDER_COUNT]; /* monotonic */
    struct provider_kept discovery;
    struct provider_kept keys;
    int64_t keys_anew_from_ms; /* monotonic: until then they are not fetched for an unknown key */
};

/* What of a sign-in under way comes back in the cookie. */
struct provider_journey {
    const char *state;  /* Twitter: the request token */
    const char *nonce;  /* OpenID Connect */
    const char *secret; /* PKCE verifier; Twitter: the request token's secret */
};

/* What the browser brought back. */
struct provider_proof {
    const char *code;  /* Twitter: the verifier */
    bool names_issuer; /* RFC 9207; it is the right one */
};

/* What a kind of provider does. `look` reads what the browser brought back and asks nobody; `fetch`
 * asks who it is. */
struct provider_kind {
    enum provider_failure (*begin)(struct ctx *ctx,
                                   struct providers *providers,
                                   struct provider_journey *out_journey,
                                   const char **out_location);
    enum provider_failure (*look)(struct ctx *ctx,
                                  struct providers *providers,
                                  const struct form *query,
                                  const struct provider_journey *journey,
                                  struct provider_proof *out_proof);
    enum provider_failure (*fetch)(struct ctx *ctx,
                                   struct providers *providers,
                                   const struct provider_journey *journey,
                                   const struct provider_proof *proof,
                                   struct provider_person *out_who);
};

extern const struct provider_kind provider_twitter;
extern const struct provider_kind provider_oidc;

/* One request to a provider. */
struct provider_call {
    const char *method;
    const char *url;
    const char *authorization; /* NULL: none, or of the next two */
    const char *basic_user;
    const struct secret *basic_password;
    const char *form_body;
};

/* PROVIDER_OK: an answer with a status below 500, which the caller looks at. */
MUST_CHECK enum provider_failure provider_call(struct ctx *ctx,
                                               const struct providers *providers,
                                               const struct provider_call *call,
                                               struct http_answer *out_answer);

/* Notes why, for the log, and returns the failure. */
#define provider_fail(ctx, failure, ...) \
    ((void)ctx_fail((ctx), ERR_UNAVAILABLE, __VA_ARGS__), (failure))

/* Is the other side's clock, as the answer's Date has it, far from ours? */
bool provider_clock_differs(const struct http_answer *answer);

/* May this request wait for that provider now? PROVIDER_OK: turn_end must follow. */
MUST_CHECK enum provider_failure
provider_turn_take(struct ctx *ctx, struct providers *providers, enum provider_which which);
void provider_turn_end(struct providers *providers,
                       enum provider_which which,
                       enum provider_failure failure);

/* A name or the like of theirs, fit to be shown and kept: cut, control characters are spaces. NULL
 * gives "". */
const char *provider_foreign_text(struct ctx *ctx, const char *text);

/* The address of a picture, "" when it is no https one. `url` may be NULL. */
const char *provider_foreign_photo(const char *url);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Sign-in at somebody else's: Twitter (OAuth 1.0a) and one OpenID Connect provider. A sign-in is
 * two requests of a browser: provider_begin sends it away with a sealed cookie, provider_finish
 * takes it back with the cookie and the provider's query. Nothing of a sign-in under way is kept
 * here, so any process of the site may finish what another one began. Blocking: the slow lane only.
 *
 * Who somebody is, is the pair of issuer and subject; all else of a person is what the provider
 * says of him: foreign text, cut and without control characters, but never to be trusted.
 * Sources: RFC 5849 (OAuth 1.0), OpenID Connect Core 1.0, Discovery 1.0 and RP-Initiated Logout
 * 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer). */
#ifndef NOTES_PROVIDER_H
#define NOTES_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct config;
struct ctx;
struct form;
struct providers;
struct site;

#define PROVIDER_NEXT_MAX_BYTES    2048 /* a longer place to return to is forgotten */
#define PROVIDER_BOUND_MAX_BYTES   128
#define PROVIDER_NAME_MAX_CHARS    64 /* each of a person's names */
#define PROVIDER_ISSUER_MAX_BYTES  255
#define PROVIDER_SUBJECT_MAX_BYTES 255
#define PROVIDER_EMAIL_MAX_BYTES   254  /* RFC 5321 4.5.3.1.3 */
#define PROVIDER_PHOTO_MAX_BYTES   1024 /* of its address */
#define PROVIDER_FLOW_MAX_AGE_S    600  /* of a cookie: from setting out to coming back */

enum provider_which { PROVIDER_TWITTER, PROVIDER_OIDC, PROVIDER_COUNT };

enum provider_purpose { PROVIDER_SIGN_IN, PROVIDER_LINK };

/* Why somebody does not come back as a person. More is in ctx->why, for the log only. */
enum provider_failure {
    PROVIDER_OK,
    PROVIDER_DECLINED,    /* he said no there, or the provider did */
    PROVIDER_STATE,       /* nothing was begun in this browser, it is too long ago, or done */
    PROVIDER_UNREACHABLE, /* no connection, no certificate that holds, or a status of 500 or more */
    PROVIDER_SLOW,        /* no whole answer in time */
    PROVIDER_NOT_VALID,   /* an answer that is none, is too large, or does not pass a check */
    PROVIDER_CLOCK,       /* their clock and ours differ too much */
    PROVIDER_DOMAIN,      /* no verified e-mail address of OIDC_ALLOWED_DOMAINS */
    PROVIDER_BUSY,        /* others wait for the provider, or it did not answer a moment ago */
};

/* All texts are there; "" is unknown, but issuer and subject never are. */
struct provider_person {
    const char *provider; /* "twitter", "oidc" */
    const char *issuer;   /* "twitter", or OIDC_ISSUER */
    const char *subject;  /* never changes, unlike all below; ASCII */
    const char *username; /* wished for: nobody has made it fit our rules */
    const char *given_name;
    const char *family_name;
    const char *middle_name;
    const char *email;      /* verified by the provider, or "" */
    const char *photo;      /* https address of a picture */
    const char *shown_name; /* for pages: what he calls himself there */
};

/* What is known when somebody sets out, and again when he comes back. */
struct provider_flow {
    enum provider_purpose purpose;
    const char *next; /* path of this site to go to afterwards, "" for none; checked again when used
                          by who set it */
    const char *bound; /* PROVIDER_LINK: what the session is known by, compared by the caller; "" */
};

struct provider_departure {
    const char *location; /* for a 302 */
    const char *cookie;   /* value, for PROVIDER_FLOW_MAX_AGE_S; replaces one that is there */
};

struct provider_arrival {
    bool is_flow_known;         /* the cookie is one of ours, even if all else fails */
    struct provider_flow flow;  /* when is_flow_known */
    struct provider_person who; /* on PROVIDER_OK */
};

/* *out_providers is NULL when nothing is configured. `config` and `site` must outlive it.
 * Errors: ERR_UNAVAILABLE out of memory, or PROVIDER_CA_FILE can't be used: a line for people in
 * ctx->why.text. Owns: the caller, who calls providers_free. */
MUST_CHECK enum err providers_new(struct ctx *ctx,
                                  const struct config *config,
                                  const struct site *site,
                                  struct providers **out_providers);
void providers_free(struct providers *providers);

/* Of all these, `providers` may be NULL: then no provider is there. */
bool provider_is_set(const struct providers *providers, enum provider_which which);

/* "Twitter", or OIDC_NAME: for pages, to be escaped. */
const char *provider_name(const struct providers *providers, enum provider_which which);

/* "twitter", "oidc": of paths, logs and struct provider_person. */
const char *provider_word(enum provider_which which);

/* The name of who is known by this issuer: NULL when it is none of those configured now. */
const char *provider_name_of_issuer(const struct providers *providers, const char *issuer);

/* Asks the provider for a sign-in. The provider must be set. */
MUST_CHECK enum provider_failure provider_begin(struct ctx *ctx,
                                                struct providers *providers,
                                                enum provider_which which,
                                                const struct provider_flow *flow,
                                                struct provider_departure *out_departure);

/* Takes back who was sent away. `cookie` may be NULL. Whatever comes out, the cookie is to be
 * removed. out_arrival is written on failures too: is_flow_known and flow. */
MUST_CHECK enum provider_failure provider_finish(struct ctx *ctx,
                                                 struct providers *providers,
                                                 enum provider_which which,
                                                 const struct form *query,
                                                 const char *cookie,
                                                 struct provider_arrival *out_arrival);

/* Where a browser goes to end its session at the OpenID Connect provider as well, and from there to
 * our first page; NULL when the provider offers none or can't be asked now. Asks at most once an
 * hour. `providers` may be NULL. */
const char *provider_logout_url(struct ctx *ctx, struct providers *providers);

/* An identity that waits for its owner's word (a cookie's value, good for PROVIDER_FLOW_MAX_AGE_S),
 * and back. `bound` is what the session is known by: for another one it can't be opened. */
MUST_CHECK enum err provider_pending_seal(struct ctx *ctx,
                                          const struct providers *providers,
                                          const struct provider_person *person,
                                          const char *bound,
                                          const char **out_cookie);
/* False: none, too old, not ours, or another session's. `cookie` may be NULL. Of the person,
 * provider, issuer, subject and shown_name are kept. */
MUST_CHECK bool provider_pending_open(struct ctx *ctx,
                                      const struct providers *providers,
                                      const char *cookie,
                                      const char *bound,
                                      struct provider_person *out_person);

#endif

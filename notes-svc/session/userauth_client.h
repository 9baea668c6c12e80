/* SPDX-License-Identifier: MIT
 *
 * Calls to userauth-svc, the only place where the two services meet. Blocking: lanes only.
 * The API key is service_key.h's. */
#ifndef NOTES_USERAUTH_CLIENT_H
#define NOTES_USERAUTH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct config;
struct ctx;
struct provider_person;
struct userauth_client;

#define USERAUTH_TIMEOUT_MS 5000

/* Checks of sessions run on the worker lane, where everybody reads: a user service that hangs may
 * hold few threads, and not for long. */
#define USERAUTH_ETAG_TIMEOUT_MS 1000 /* half of REQUEST_DEADLINE_MS where that is less */
/* Longer than an answer may take: who waits for his turn learns by then that there is none. */
#define USERAUTH_TURN_WAIT_MS    1500
#define USERAUTH_ETAGS_MAX_COUNT 2 /* at once, others wait for their turn; 1 after a failure */
#define USERAUTH_REST_MS \
    2000 /* after a failed check of a session, the service is left alone for so long */

enum userauth_verdict { USERAUTH_RIGHT, USERAUTH_WRONG, USERAUTH_WAIT };

struct userauth_check {
    enum userauth_verdict verdict;
    const char *username; /* USERAUTH_RIGHT: in the stored spelling */
    const char *etag;     /* USERAUTH_RIGHT: of account and password */
    int64_t wait_s;       /* USERAUTH_WAIT */
};

enum userauth_change_verdict {
    USERAUTH_CHANGED,
    USERAUTH_OLD_WRONG,
    USERAUTH_NEW_REFUSED,
    USERAUTH_CHANGE_WAIT
};

struct userauth_change {
    enum userauth_change_verdict verdict;
    const char *username; /* USERAUTH_CHANGED: in the stored spelling */
    const char *etag;     /* USERAUTH_CHANGED: of account and new password */
    const char *refusal;  /* USERAUTH_NEW_REFUSED: why, for people; foreign text */
    int64_t wait_s;       /* USERAUTH_CHANGE_WAIT */
};

/* What somebody typed to change his password. */
struct userauth_passwords {
    const char *old;
    const char *new;
};

#define USERAUTH_IDENTITIES_MAX_COUNT 100 /* read of an answer; a user has far fewer */

/* Who signs in at a provider. */
enum userauth_find_verdict { USERAUTH_FOUND, USERAUTH_DISABLED, USERAUTH_NO_NAME };

struct userauth_find {
    enum userauth_find_verdict verdict;
    const char *username; /* USERAUTH_FOUND: in the stored spelling */
    const char *etag;     /* USERAUTH_FOUND: of account and password */
};

/* An account at a provider by which a user signs in. */
struct userauth_identity {
    const char *provider; /* "twitter", "oidc" */
    const char *issuer;
    const char *subject;
    const char *created_iso;
};

struct userauth_identities {
    bool has_password;
    const struct userauth_identity *items;
    size_t count;
};

enum userauth_link_verdict {
    USERAUTH_LINKED,        /* or unlinked */
    USERAUTH_LINK_TAKEN,    /* another user has it */
    USERAUTH_LINK_TOO_MANY, /* the user has as many as may be */
    USERAUTH_LINK_UNKNOWN,  /* unlinking: the user has no such one */
    USERAUTH_LINK_LAST,     /* unlinking: nobody could sign in as the user any more */
    USERAUTH_LINK_STALE,    /* the account is not the one of this entity tag any more, or is gone */
};

struct userauth_client *userauth_client_new(const struct config *config);
void userauth_client_free(struct userauth_client *client);

/* Errors: ERR_UNAVAILABLE not reachable, or it does not accept our key. */
MUST_CHECK enum err userauth_password_check(struct ctx *ctx,
                                            struct userauth_client *client,
                                            const char *username,
                                            const char *password,
                                            const char *device,
                                            struct userauth_check *out_check);

/* Changes the password of who knows the old one. Errors: as above. After ERR_UNAVAILABLE it may be
 * changed or not. */
MUST_CHECK enum err userauth_change_password(struct ctx *ctx,
                                             struct userauth_client *client,
                                             const char *username,
                                             const struct userauth_passwords *passwords,
                                             const char *device,
                                             struct userauth_change *out_change);

/* The user's present entity tag. While USERAUTH_ETAGS_MAX_COUNT others are asking, a caller that
 * can_wait waits for its turn, for USERAUTH_TURN_WAIT_MS at most and as long as its deadline
 * leaves time for the answer. After a failure nobody asks for USERAUTH_REST_MS, then one caller at
 * a time until the service answers.
 * Errors: ERR_NOT_FOUND no such user; ERR_UNAVAILABLE, and then *out_is_away says why: the service
 * gave no answer, now or a moment ago; or else there was no time to ask it, which says nothing of
 * it. */
MUST_CHECK enum err userauth_etag(struct ctx *ctx,
                                  struct userauth_client *client,
                                  const char *username,
                                  bool can_wait,
                                  const char **out_etag,
                                  bool *out_is_away);

/* The user who has this person's identity; a new one when nobody has it.
 * Errors: ERR_UNAVAILABLE not reachable; a new user may have been made. */
MUST_CHECK enum err userauth_find_or_create(struct ctx *ctx,
                                            struct userauth_client *client,
                                            const struct provider_person *person,
                                            struct userauth_find *out_find);

/* A user's identities. Runs on the worker lane, where everybody reads, and takes its turn as
 * userauth_etag does, but waits for it no longer than for the answer. Errors: ERR_NOT_FOUND no such
 * user; ERR_UNAVAILABLE no answer, or no turn. */
MUST_CHECK enum err userauth_identities(struct ctx *ctx,
                                        struct userauth_client *client,
                                        const char *username,
                                        struct userauth_identities *out_identities);

/* An account, and not another one that has its name later. */
struct userauth_account {
    const char *username;
    const char *etag;
};

/* Makes the person's identity one of the account's, which userauth-svc compares as it does so.
 * Errors: ERR_UNAVAILABLE not reachable: it may be linked or not. */
MUST_CHECK enum err userauth_link(struct ctx *ctx,
                                  struct userauth_client *client,
                                  const struct userauth_account *account,
                                  const struct provider_person *person,
                                  enum userauth_link_verdict *out_verdict);

/* And takes it away. Errors: ERR_UNAVAILABLE not reachable: it may be unlinked or not. */
MUST_CHECK enum err userauth_unlink(struct ctx *ctx,
                                    struct userauth_client *client,
                                    const struct userauth_account *account,
                                    const char *issuer,
                                    const char *subject,
                                    enum userauth_link_verdict *out_verdict);

/* Is it there, and does it accept our key? Errors: ERR_UNAUTHENTICATED there is no key, or it is
 * refused; ERR_UNAVAILABLE not reachable. */
MUST_CHECK enum err userauth_ping(struct ctx *ctx, struct userauth_client *client);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Does a session still hold? It is read from its store each time, ends by idleness and age, and its
 * user is asked for at userauth-svc now and then. Whoever ends a session closes its live sockets.
 * Depends on: session.h, session_store.h, userauth_client.h, hub.h. */
#ifndef NOTES_SESSION_CHECK_H
#define NOTES_SESSION_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct session;
struct session_list;

/* Does somebody do something with it, so that its idle life begins anew? */
enum session_use { SESSION_IS_USED, SESSION_IS_LOOKED_AT };

/* As user_check_s: no earlier answer will do. */
#define SESSION_USER_NOW                    ((int64_t)-1)
#define SESSION_CHECK_SOON_MS(user_check_s) ((user_check_s) * (int64_t)1000 / 2)

/* `session` has its digest; the rest is filled here. Its user is asked for when the last answer is
 * user_check_s old, and from SESSION_CHECK_SOON_MS on if nobody has to wait for it; while
 * userauth-svc is away, that one holds for USER_CHECK_GRACE_S, but for who wants an answer now.
 * Errors: ERR_UNAVAILABLE the session can't be read; or its user must be asked for and can't:
 * SESSION_USER_NOW while userauth-svc is away, or others asked until it was too late. */
MUST_CHECK enum err session_check(struct app *app,
                                  struct ctx *ctx,
                                  struct session *session,
                                  enum session_use use,
                                  int64_t user_check_s,
                                  bool *out_is_alive);

/* Signs it out. */
MUST_CHECK enum err session_end(struct app *app, struct ctx *ctx, const struct session *session);

/* Signs out one that was refused; `reason` is for the log. A failure is let pass: it is refused at
 * each later request again. */
void session_end_refused(struct app *app,
                         struct ctx *ctx,
                         const struct session *session,
                         const char *reason);

/* Signs these out, all or none; `reason` is for the log. */
MUST_CHECK enum err session_end_all(struct app *app,
                                    struct ctx *ctx,
                                    const struct session_list *list,
                                    const char *reason);

/* Signs all of the user out but `kept`, which may be NULL. */
MUST_CHECK enum err session_end_others(struct app *app,
                                       struct ctx *ctx,
                                       const char *username,
                                       const struct session *kept,
                                       const char *reason,
                                       size_t *out_count);

/* The user's sessions that hold, the last used first. Those of an earlier password, or of a user
 * who was disabled or signed out since, are signed out here, as nobody came back with them; while
 * userauth-svc can't tell, they stay in the list. `own` may be NULL, see session_list. */
MUST_CHECK enum err session_list_checked(struct app *app,
                                         struct ctx *ctx,
                                         const char *username,
                                         const struct session *own,
                                         struct session_list *out_list);

/* After a sign-in: signs `left` out, which this browser had before and which may be NULL, and where
 * there are more than SESSIONS_PER_USER of the user of `made`, those that were unused for longest.
 * Logins at the same moment may pass the limit by their number, until the next one. A failure is
 * logged, and undoes no login. */
void session_made(struct app *app,
                  struct ctx *ctx,
                  const struct session *made,
                  const struct session *left);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What the pages of one's own account show. Of views.h, which has the rules. */
#ifndef NOTES_VIEW_ACCOUNT_H
#define NOTES_VIEW_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "views/view_frame.h"

struct view_session {
    const char *handle; /* names it, and gives no right to it */
    const char *device;
    const char *address; /* at sign-in; NULL when unknown */
    const char *created_iso;
    const char *created_text;
    const char *used_iso;
    const char *used_text;
    bool is_own; /* of this browser */
};

/* An account at a provider by which one signs in. */
struct view_identity {
    const char *name;    /* of the provider; its issuer, when it is not in use here now */
    const char *issuer;  /* issuer and subject name it */
    const char *subject; /* whole, for forms */
    const char *shown_subject;
    const char *made_iso; /* when it was linked */
    const char *made_text;
    bool is_in_use; /* the provider is configured */
    bool is_last;   /* without it nobody could sign in as this user */
};

/* One's own account. Errors are of the form for a new password; NULL where nothing is wrong. */
struct view_account {
    struct view_frame frame;
    const char *notice; /* what was just done; NULL: nothing */
    const char *error;
    const char *error_in_old;
    const char *error_in_new;
    const char *error_in_again;
    const struct view_session *sessions; /* the last used first */
    size_t sessions_count;
    const struct view_session *more_sessions; /* the rest of a long list, folded away at first */
    size_t more_sessions_count;
    int64_t more_number; /* the same, to be shown */
    bool has_others;
    bool has_ways;              /* there are ways to sign in besides a password */
    bool is_identities_unknown; /* userauth-svc can't tell right now */
    bool has_password;          /* the user has one, or it is not known */
    const struct view_identity *identities;
    size_t identities_count;
    const struct view_way *new_ways; /* that could be linked */
    size_t new_ways_count;
};

/* Asks whether an account at a provider shall be a way to sign in. */
struct view_link {
    struct view_frame frame;
    const char *provider_name;
    const char *shown_name; /* of the account there */
};

#endif

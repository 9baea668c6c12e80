/* SPDX-License-Identifier: MIT
 *
 * What all pages show around their content. Of views.h, which has the rules. */
#ifndef NOTES_VIEW_FRAME_H
#define NOTES_VIEW_FRAME_H

#include <stdbool.h>
#include <stddef.h>

/* A way to sign in besides a password. */
struct view_way {
    const char *path;      /* where it begins */
    const char *link_path; /* the same for who is signed in, to link it */
    const char *word;      /* "twitter", "oidc" */
    const char *name;      /* for people */
};

/* What every page has around its content. */
struct view_frame {
    const char *title; /* of the document; the site's name is added by the template */
    const char *user;  /* name of who is signed in, NULL when nobody is */
    const char *csrf;  /* the session's form token, NULL when nobody is signed in */
    const char *page;  /* name of the page, for <body class> */
    bool is_at_login;  /* the current item of the menu */
    bool is_at_add;
    bool is_at_account;
    bool is_user_unknown; /* whether somebody is signed in can't be told right now */
    bool is_unknown_told; /* the content says so already */
    const struct view_way *ways;
    size_t ways_count;
};

#endif

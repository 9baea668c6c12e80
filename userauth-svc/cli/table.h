/* SPDX-License-Identifier: MIT
 *
 * Users, sessions and identities as people read them: one below the other with aligned columns, or
 * one user member by member. Depends on: cli_wire.h, output.h. */
#ifndef NOTES_CLI_TABLE_H
#define NOTES_CLI_TABLE_H

struct ctx;
struct shown_identities;
struct shown_sessions;
struct shown_user;
struct shown_users;
struct strbuf;

/* A head and one line per user; no blanks at the ends of lines. */
void table_add_users(struct ctx *ctx, struct strbuf *buf, const struct shown_users *users);

/* Likewise. */
void table_add_sessions(struct ctx *ctx, struct strbuf *buf, const struct shown_sessions *sessions);
void table_add_identities(struct ctx *ctx,
                          struct strbuf *buf,
                          const struct shown_identities *identities);

/* "username     me" and so on. */
void table_add_user(struct ctx *ctx, struct strbuf *buf, const struct shown_user *user);

#endif

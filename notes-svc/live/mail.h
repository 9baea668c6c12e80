/* SPDX-License-Identifier: MIT
 *
 * How other threads reach the hub's: a piece of mail is embedded in what it brings, and delivered
 * on the hub's thread in the order of posting. */
#ifndef NOTES_MAIL_H
#define NOTES_MAIL_H

#include <stdbool.h>
#include <stddef.h>

struct hub;

struct mail {
    struct mail *next;
    void (*deliver)(struct hub *hub, struct mail *mail); /* owns it */
};

void hub_post(struct hub *hub, struct mail *mail);
bool hub_is_stopping(struct hub *hub);

/* The struct that a timer or mail is part of. */
#define OWNER_OF(part, type, name) ((type *)(void *)((char *)(part)-offsetof(type, name)))

#endif

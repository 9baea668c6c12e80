/* SPDX-License-Identifier: MIT
 *
 * All routes of userauth-svc. `userauth-svc --print-routes` prints the table. */
#ifndef NOTES_ROUTES_H
#define NOTES_ROUTES_H

#include "http/router.h"

extern const struct router routes;

/* What needs nothing: answered while a start lasts, too. */
extern const struct router routes_of_health;

#endif

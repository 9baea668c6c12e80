/* SPDX-License-Identifier: MIT
 *
 * All routes of notes-svc. `notes-svc --print-routes` prints the table. */
#ifndef NOTES_ROUTES_H
#define NOTES_ROUTES_H

#include "http/router.h"

extern const struct router routes;

/* The same where no provider is configured: what belongs to providers is an unknown path. */
extern const struct router routes_without_providers;

/* What needs nothing: answered while a start lasts, too. */
extern const struct router routes_of_health;

/* Who asks for a page that does not exist? Its error page has the header of somebody who is signed
 * in. */
extern const struct route routes_unrouted;

#endif

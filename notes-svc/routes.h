/* SPDX-License-Identifier: MIT
 *
 * All routes of notes-svc. `notes-svc --print-routes` prints the table. */
#ifndef NOTES_ROUTES_H
#define NOTES_ROUTES_H

#include "http/router.h"

extern const struct router routes;

/* Who asks for a page that does not exist? Its error page has the header of somebody who is signed
 * in. */
extern const struct route routes_unrouted;

#endif

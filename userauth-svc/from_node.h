/* SPDX-License-Identifier: MIT
 *
 * `userauth-svc --from-node URL [--dry-run]`: brings over the Node version's users, passwords
 * included, as sql/from-node/README.md says. It may run beside the service.
 * Depends on: service/from_node.h. */
#ifndef NOTES_USERS_FROM_NODE_H
#define NOTES_USERS_FROM_NODE_H

#include <stdbool.h>

/* Returns the exit code. */
int from_node(const void *storage, const char *url, bool is_dry);

#endif

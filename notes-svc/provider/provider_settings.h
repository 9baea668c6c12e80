/* SPDX-License-Identifier: MIT
 *
 * The checks of settings about providers. Depends on: config.h, provider_url.h. */
#ifndef NOTES_PROVIDER_SETTINGS_H
#define NOTES_PROVIDER_SETTINGS_H

#include <stdbool.h>

struct config;
struct env_faults;

#define PROVIDER_DOMAINS_MAX_COUNT   64
#define PROVIDER_SCOPES_MAX_BYTES    512
#define PROVIDER_CLIENT_ID_MAX_BYTES 255

/* Sets has_twitter and has_oidc. `public_origin` and `own_origin` are set, and so is
 * `twitter_callback_host` when it was given. */
void provider_settings_check(struct config *config, struct env_faults *faults);

/* Is this e-mail address of one of the domains of the list "example.org,example.net"? Case does not
 * matter; a subdomain is another domain. */
bool provider_settings_has_domain(const char *domains, const char *email);

#endif

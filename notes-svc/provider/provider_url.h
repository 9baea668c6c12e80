/* SPDX-License-Identifier: MIT
 *
 * Which addresses of providers may be used: https ones, and http ones of this machine, where tests
 * and trials run. Strict on purpose, so that curl can't read another host out of a text than was
 * looked at here. Pure. */
#ifndef NOTES_PROVIDER_URL_H
#define NOTES_PROVIDER_URL_H

#include <stdbool.h>

#define PROVIDER_URL_MAX_BYTES 2048

/* PROVIDER_URL_LOOPBACK is http to 127.0.0.0/8, ::1 or localhost; other http is PROVIDER_URL_BAD.
 */
enum provider_url_kind { PROVIDER_URL_BAD, PROVIDER_URL_LOOPBACK, PROVIDER_URL_HTTPS };

/* "https://host[:port][/path][?query]", visible ASCII, without a user, a fragment or "\". */
enum provider_url_kind provider_url_kind(const char *url);

/* May somebody at `issuer` (a good address) send us to `endpoint`? Not from https to http. */
bool provider_url_may_follow(const char *issuer, const char *endpoint);

/* localhost, 127.0.0.0/8 or ::1, without brackets. */
bool provider_url_is_loopback(const char *host);

#endif

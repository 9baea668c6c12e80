/* SPDX-License-Identifier: MIT
 *
 * A keyed digest of a purpose each. Device cookies are digests of the same key: of longer texts,
 * which begin with random bytes. Depends on: secret.h. */
#include "site.h"

#include <string.h>

#include "base/arena.h"

#define ID_PURPOSE       "name of the site"
#define BUS_PURPOSE      "messages of the site"
#define SESSION_PURPOSE  "sessions of the site"
#define RECORD_PURPOSE   "records of sessions"
#define PROVIDER_PURPOSE "sign-ins at providers"
#define ID_BYTES         12 /* SITE_ID_CHARS of base64url */

void site_init(struct site *out_site, struct bytes key)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    struct arena arena;
    arena_init(&arena);
    secret_digest(key, ID_PURPOSE, strlen(ID_PURPOSE), digest);
    (void)memcpy(out_site->id, secret_base64url(&arena, digest, ID_BYTES), sizeof(out_site->id));
    secret_digest(key, BUS_PURPOSE, strlen(BUS_PURPOSE), out_site->bus_key);
    secret_digest(key, SESSION_PURPOSE, strlen(SESSION_PURPOSE), out_site->session_key);
    secret_digest(key, RECORD_PURPOSE, strlen(RECORD_PURPOSE), out_site->record_key);
    secret_digest(key, PROVIDER_PURPOSE, strlen(PROVIDER_PURPOSE), out_site->provider_key);
    arena_done(&arena);
}

/* SPDX-License-Identifier: MIT
 *
 * Depends on: provider.h (what is configured), secret.h (the digest of the mark). */
#include "page/ways.h"

#include <string.h>

#include "base/arena.h"
#include "base/secret.h"

#define MARK_BYTES 6 /* 8 characters of base64url, after a dot */

static const char *const PATHS[] = {
    [PROVIDER_TWITTER] = "/users/auth/twitter",
    [PROVIDER_OIDC] = "/users/auth/oidc",
};
static const char *const LINK_PATHS[] = {
    [PROVIDER_TWITTER] = "/users/auth/twitter?link",
    [PROVIDER_OIDC] = "/users/auth/oidc?link",
};

static void make_mark(struct ways *ways)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    const struct bytes no_key = {.p = NULL, .n = 0};
    const char *shown = "";
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < ways->count; i++)
        shown = arena_format(&arena, "%s%s %s\n", shown, ways->items[i].path, ways->items[i].name);
    secret_digest(no_key, shown, strlen(shown), digest);
    const char *mark = arena_format(&arena, ".%s", secret_base64url(&arena, digest, MARK_BYTES));
    (void)memcpy(ways->mark, mark, sizeof(ways->mark));
    arena_done(&arena);
}

void ways_init(struct ways *out_ways, const struct providers *providers)
{
    struct ways ways = {0};
    for (enum provider_which which = 0; which < PROVIDER_COUNT; which++)
        if (provider_is_set(providers, which))
            ways.items[ways.count++] = (struct view_way){
                .path = PATHS[which],
                .link_path = LINK_PATHS[which],
                .word = provider_word(which),
                .name = provider_name(providers, which),
            };
    if (ways.count)
        make_mark(&ways);
    *out_ways = ways;
}

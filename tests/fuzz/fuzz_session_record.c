/* SPDX-License-Identifier: MIT
 *
 * A session's record: bytes that nobody of the site wrote are none, and whatever texts can be
 * written are read again. */
#include "session/session_record.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/text.h"
#include "session/session.h"
#include "site.h"

#include "fuzz.h"

#include <string.h>

static const struct site SITE = {.record_key = {1}};

/* The entity tag ends at the first NUL, the name at the second. */
static void try_texts(struct ctx *ctx, const uint8_t *data, size_t size)
{
    const char *etag = arena_text_copy(&ctx->arena, (const char *)data, size);
    size_t etag_bytes = strlen(etag);
    const char *name = etag_bytes < size ? etag + etag_bytes + 1 : "";
    const struct session session = {
        .username = name,
        .user_etag = etag,
        .created_unix_ms = (int64_t)size,
        .used_unix_ms = (int64_t)strlen(name),
        .checked_unix_ms = 0,
    };
    struct session read = {.username = NULL};
    struct bytes record;
    if (session_record_write(ctx, &SITE, &session, &record))
        return;
    if (session_record_read(ctx, &SITE, record, &read)) {
        FUZZ_REQUIRE(!text_is_utf8(etag, etag_bytes) || !text_is_utf8(name, strlen(name)));
        return;
    }
    FUZZ_REQUIRE(strcmp(read.username, name) == 0);
    FUZZ_REQUIRE(strcmp(read.user_etag, etag) == 0);
    FUZZ_REQUIRE(read.created_unix_ms == session.created_unix_ms);
    FUZZ_REQUIRE(read.used_unix_ms == session.used_unix_ms);
    FUZZ_REQUIRE(read.checked_unix_ms == session.checked_unix_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct session read = {.username = NULL};
    FUZZ_REQUIRE(session_record_read(&ctx, &SITE, (struct bytes){.p = data, .n = size}, &read));
    FUZZ_REQUIRE(read.username == NULL);
    ctx_forgive(&ctx);
    try_texts(&ctx, data, size);
    return 0;
}

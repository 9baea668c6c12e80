/* SPDX-License-Identifier: MIT
 *
 * A session's record: bytes that are read as one are written as the same bytes again, but for the
 * spelling of numbers. */
#include "session/session_record.h"

#include "base/ctx.h"
#include "session/session.h"

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct session read = {.username = NULL};
    struct session again = {.username = NULL};
    struct bytes record;
    if (session_record_read(&ctx, (struct bytes){.p = data, .n = size}, &read)) {
        FUZZ_REQUIRE(read.username == NULL);
        return 0;
    }
    FUZZ_REQUIRE(*read.username && *read.user_etag);
    FUZZ_REQUIRE(!session_record_write(&ctx, &read, &record));
    FUZZ_REQUIRE(!session_record_read(&ctx, record, &again));
    FUZZ_REQUIRE(strcmp(read.username, again.username) == 0);
    FUZZ_REQUIRE(strcmp(read.user_etag, again.user_etag) == 0);
    FUZZ_REQUIRE(read.created_unix_ms == again.created_unix_ms);
    FUZZ_REQUIRE(read.used_unix_ms == again.used_unix_ms);
    FUZZ_REQUIRE(read.checked_unix_ms == again.checked_unix_ms);
    return 0;
}

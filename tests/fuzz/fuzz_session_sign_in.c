/* SPDX-License-Identifier: MIT
 *
 * What is kept of a session's sign-in: any bytes give short texts without control characters or
 * none at all, and these are written and read as they are. */
#include "session/session_record.h"

#include "base/ctx.h"
#include "base/text.h"
#include "session/session.h"

#include "fuzz.h"

#include <string.h>

static void check_text(const char *text, const char *again)
{
    FUZZ_REQUIRE(!text == !again);
    if (!text)
        return;
    FUZZ_REQUIRE(*text && strlen(text) <= SESSION_SIGN_IN_MAX_BYTES);
    FUZZ_REQUIRE(text_is_utf8(text, strlen(text)) && !text_has_control(text, ""));
    FUZZ_REQUIRE(strcmp(text, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct session read = {.username = NULL};
    struct session again = {.username = NULL};
    session_sign_in_read(&ctx, (struct bytes){.p = data, .n = size}, &read);
    session_sign_in_read(&ctx, session_sign_in_write(&ctx, &read), &again);
    check_text(read.device, again.device);
    check_text(read.address, again.address);
    return 0;
}

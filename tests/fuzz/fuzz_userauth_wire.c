/* SPDX-License-Identifier: MIT
 *
 * Answers of userauth-svc, which somebody else may have given: what is read is whole, in UTF-8 and
 * within its limits, or it is no answer. And what goes there: any text arrives as it was. */
#include "session/userauth_wire.h"

#include "base/ctx.h"
#include "base/text.h"
#include "session/userauth_client.h"

#include "fuzz.h"

#include <string.h>

#define REFUSAL_MAX_CHARS 300

static void check_text(const char *text)
{
    FUZZ_REQUIRE(text != NULL && text_is_utf8(text, strlen(text)));
}

static void check_verdicts(struct ctx *ctx, struct bytes json)
{
    bool is_right = false;
    const char *username = NULL;
    enum err err = userauth_wire_checked(ctx, json, &is_right, &username);
    FUZZ_REQUIRE(err == ERR_OK || (err == ERR_UNAVAILABLE && !is_right && !username));
    if (!err)
        check_text(username);
    is_right = false;
    username = NULL;
    err = userauth_wire_changed(ctx, json, &is_right, &username);
    FUZZ_REQUIRE(err == ERR_OK || (err == ERR_UNAVAILABLE && !is_right && !username));
    if (!err)
        check_text(username);
    username = NULL;
    if (!userauth_wire_found(ctx, json, &username))
        check_text(username);
    FUZZ_REQUIRE(!username || *username);
}

static void check_identities(struct ctx *ctx, struct bytes json)
{
    struct userauth_identities identities = {.count = 0};
    if (userauth_wire_identities(ctx, json, &identities)) {
        FUZZ_REQUIRE(identities.count == 0 && !identities.items);
        return;
    }
    FUZZ_REQUIRE(identities.count <= USERAUTH_IDENTITIES_MAX_COUNT);
    for (size_t i = 0; i < identities.count; i++) {
        check_text(identities.items[i].provider);
        check_text(identities.items[i].issuer);
        check_text(identities.items[i].subject);
        check_text(identities.items[i].created_iso);
    }
}

static void check_refusal(struct ctx *ctx, struct bytes json)
{
    check_text(userauth_wire_code(ctx, json));
    const char *refusal = userauth_wire_refusal(ctx, json);
    if (!refusal)
        return;
    check_text(refusal);
    FUZZ_REQUIRE(*refusal && text_count_chars(refusal) <= REFUSAL_MAX_CHARS + 1);
    FUZZ_REQUIRE(!text_has_control(refusal, ""));
}

/* The verdict's reader reads what the question's writer writes, but for "check", which is put in
 * front. */
static void check_question(struct ctx *ctx, const char *text)
{
    const char *json = NULL;
    const char *username = NULL;
    bool is_right = false;
    if (!text_is_utf8(text, strlen(text)) || userauth_wire_check(ctx, text, text, text, &json))
        return;
    const char *answer = arena_format(&ctx->arena, "{\"check\":true,%s", json + 1);
    struct bytes bytes = {.p = (const unsigned char *)answer, .n = strlen(answer)};
    FUZZ_REQUIRE(!userauth_wire_checked(ctx, bytes, &is_right, &username));
    FUZZ_REQUIRE(is_right && strcmp(username, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct bytes json = {.p = data, .n = size};
    check_verdicts(&ctx, json);
    check_identities(&ctx, json);
    check_refusal(&ctx, json);
    check_question(&ctx, arena_text_copy(&ctx.arena, (const char *)data, size));
    return 0;
}

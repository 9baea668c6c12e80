/* SPDX-License-Identifier: MIT
 *
 * Cookies: a value that was read holds only what a cookie may hold and stands in the field; a
 * cookie that we set with any value, path or age can't add a second attribute, a second field or a
 * line. */
#include "http/cookie.h"

#include "base/ctx.h"
#include "http/http_message.h"

#include "fuzz.h"

#include <string.h>

#define NAME "notescookie.sid"

static void check_read(struct ctx *ctx, const char *field)
{
    struct http_request rq = {.fields = {[HTTP_FIELD_COOKIE] = field}};
    const char *value = cookie_get(ctx, &rq, NAME);
    if (!value)
        return;
    FUZZ_REQUIRE(strlen(value) <= COOKIE_VALUE_MAX_BYTES);
    FUZZ_REQUIRE(strstr(field, value) != NULL);
    for (const char *p = value; *p; p++)
        FUZZ_REQUIRE(*p > ' ' && *p < 0x7F && !strchr("\",;\\", *p));
}

static size_t count_char(const char *text, char c)
{
    size_t count = 0;
    for (const char *at = strchr(text, c); at; at = strchr(at + 1, c))
        count++;
    return count;
}

/* Path, HttpOnly, SameSite, Max-Age, Secure: five semicolons, whatever the value and the path are.
 */
static void check_write(struct ctx *ctx, const char *text)
{
    struct http_response rs = {.status = 200};
    struct cookie cookie = {
        .name = NAME,
        .value = text,
        .path = text,
        .max_age_s = 60,
        .is_secure = true,
    };
    cookie_set(ctx, &rs, &cookie);
    const char *field = http_response_find(&rs, "Set-Cookie");
    FUZZ_REQUIRE(rs.fields_count == 1 && field != NULL);
    FUZZ_REQUIRE(strncmp(field, NAME "=", strlen(NAME "=")) == 0);
    FUZZ_REQUIRE(count_char(field, ';') == 5);
    FUZZ_REQUIRE(strstr(field, "; HttpOnly") && strstr(field, "; Secure"));
    for (const char *p = field; *p; p++)
        FUZZ_REQUIRE(*p >= ' ' && *p < 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    const char *text = arena_text_copy(&ctx.arena, (const char *)data, size);
    check_read(&ctx, text);
    check_read(&ctx, arena_format(&ctx.arena, NAME "=%s", text));
    check_write(&ctx, text);
    return 0;
}

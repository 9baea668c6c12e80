/* SPDX-License-Identifier: MIT
 *
 * The head of a request: method, target and fields, a line each. What is taken has a path in UTF-8,
 * fields without ASCII's control characters, one length at most, and means the same with its fields
 * in any order. The address of the client comes from X-Forwarded-For only when a proxy is trusted.
 */
#include "http/http_head.h"

#include "base/ctx.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

#define LINES_MAX_COUNT 32

struct lines {
    char *items[LINES_MAX_COUNT];
    size_t count;
};

static struct lines split(char *text)
{
    struct lines lines = {.count = 0};
    for (char *at = text; at && lines.count < LINES_MAX_COUNT;) {
        char *end = strchr(at, '\n');
        lines.items[lines.count++] = at;
        if (end)
            *end++ = '\0';
        at = end;
    }
    return lines;
}

static enum err read_field(struct ctx *ctx, struct http_head *head, const char *line)
{
    size_t name_bytes = strcspn(line, ":");
    const char *name = arena_text_copy(&ctx->arena, line, name_bytes);
    const char *value = line + name_bytes + (line[name_bytes] == ':');
    return http_head_field(ctx, head, name, value, strlen(value));
}

/* The first line is the method, the second the target, which "1.0" or "1.1" may follow. */
static enum err
read_head(struct ctx *ctx, const struct lines *lines, bool is_reversed, struct http_head *head)
{
    if (lines->count < 2)
        return ERR_INVALID;
    char *target = arena_format(&ctx->arena, "%s", lines->items[1]);
    char *version = strrchr(target, ' ');
    head->is_http_1_1 = !version || strcmp(version, " 1.0") != 0;
    if (version)
        *version = '\0';
    enum err err = http_head_target(ctx, head, lines->items[0], target);
    for (size_t i = 2; i < lines->count && !err; i++)
        err = read_field(ctx, head, lines->items[is_reversed ? lines->count + 1 - i : i]);
    return err ? err : http_head_finish(ctx, head);
}

static void check_fields(const struct http_request *rq)
{
    for (size_t i = 0; i < HTTP_FIELD_COUNT; i++) {
        const char *value = rq->fields[i];
        if (!value)
            continue;
        FUZZ_REQUIRE(text_is_utf8(value, strlen(value)));
        for (const char *p = value; *p; p++)
            FUZZ_REQUIRE(((unsigned char)*p >= ' ' || *p == '\t') && *p != 0x7f);
    }
}

static void check_target(const struct http_head *head)
{
    const struct http_request *rq = head->rq;
    FUZZ_REQUIRE(rq->target[0] == '/' && rq->path[0] == '/' && head->raw_path[0] == '/');
    FUZZ_REQUIRE(text_is_utf8(rq->path, strlen(rq->path)));
    FUZZ_REQUIRE(!strpbrk(head->raw_path, "?# \t\r\n"));
    FUZZ_REQUIRE(!strpbrk(rq->target, " \t\r\n"));
}

static void check_host(const struct http_head *head)
{
    const char *host = head->rq->fields[HTTP_FIELD_HOST];
    FUZZ_REQUIRE(host || !head->is_http_1_1);
    FUZZ_REQUIRE(!host || (*host && !strpbrk(host, "/?#@\\, \t\"<>")));
}

static void check_framing(const struct http_framing *framing, bool is_http_1_1)
{
    FUZZ_REQUIRE(framing->declared_bytes >= -1);
    FUZZ_REQUIRE(!framing->is_chunked || (framing->declared_bytes == -1 && is_http_1_1));
}

static bool is_same_address(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void check_client(const char *forwarded_for)
{
    struct networks trusted;
    struct address proxy;
    struct address stranger;
    struct address again;
    FUZZ_REQUIRE(networks_parse("10.0.0.0/8, 127.0.0.1, fd00::/8", &trusted));
    FUZZ_REQUIRE(address_parse("127.0.0.1", &proxy) && address_parse("192.0.2.1", &stranger));
    struct address client = address_client(&trusted, &stranger, forwarded_for);
    FUZZ_REQUIRE(is_same_address(&client, &stranger));
    client = address_client(&trusted, &proxy, forwarded_for);
    char text[ADDRESS_TEXT_BYTES];
    address_text(&client, text);
    FUZZ_REQUIRE(address_parse(text, &again) && is_same_address(&client, &again));
    address_limit_key(&client, text);
    FUZZ_REQUIRE(text[0] != '\0' && strlen(text) < ADDRESS_TEXT_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    struct lines lines = split(arena_text_copy(&ctx.arena, (const char *)data, size));
    struct http_request rq = {.fields = {NULL}};
    struct http_request other_rq = {.fields = {NULL}};
    struct http_head head = {.rq = &rq};
    struct http_head other = {.rq = &other_rq};
    enum err err = read_head(&ctx, &lines, false, &head);
    FUZZ_REQUIRE(err == ERR_OK || err == ERR_INVALID || err == ERR_TARGET_TOO_LONG);
    check_fields(&rq);
    FUZZ_REQUIRE((read_head(&ctx, &lines, true, &other) == ERR_OK) == (err == ERR_OK));
    check_client(rq.fields[HTTP_FIELD_X_FORWARDED_FOR]);
    if (err)
        return 0;
    check_target(&head);
    check_host(&head);
    check_framing(&head.framing, head.is_http_1_1);
    FUZZ_REQUIRE(!strpbrk(ctx.request_id, " \t\"\\{}<>"));
    FUZZ_REQUIRE(head.framing.declared_bytes == other.framing.declared_bytes);
    FUZZ_REQUIRE(head.framing.is_chunked == other.framing.is_chunked);
    return 0;
}

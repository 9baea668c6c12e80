/* SPDX-License-Identifier: MIT
 *
 * Depends on: http_head.h, ctx.h, parse.h, text.h. Source: RFC 9112 sections 3 (target, Host), 5
 * (fields), 6 (framing); RFC 9110 5.6.2 (tokens). */
#include "http/http_head.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/text.h"
#include "http/http_server.h"

#include <string.h>
#include <strings.h>

#define TOKEN_MARKS      "!#$%&'*+.^_`|~" /* besides letters, digits, "-" */
#define DIGITS           "0123456789"
#define LETTERS          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define PORT_MAX_CHARS   5
#define SEPARATOR_BYTES  2  /* of lines that are joined: "; " and ", " */
#define LENGTH_MAX_CHARS 18 /* always fits an int64_t; no body is as large */

/* ---- characters ---- */

/* Asked for each field of each request: strspn would make a table of its own each time. */
static bool is_token_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')
        return true;
    return c != '\0' && strchr(TOKEN_MARKS, c) != NULL;
}

static bool is_token(const char *text)
{
    const char *at = text;
    while (is_token_char(*at))
        at++;
    return at > text && *at == '\0';
}

/* Visible ASCII, or bytes above it, which the percent decoder looks at. */
static bool is_target_text(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

/* Nothing below blank but the tab (RFC 9110 5.5). */
static bool is_field_value(const char *value, size_t value_bytes)
{
    for (size_t i = 0; i < value_bytes; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* "host", "host:port", "[v6]:port"; "" is no host. */
static bool is_host(const char *text)
{
    size_t host_bytes = 0;
    if (text[0] == '[') {
        host_bytes = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        if (host_bytes == 1 || text[host_bytes] != ']')
            return false;
        host_bytes++;
    } else {
        host_bytes = strspn(text, LETTERS DIGITS "-._~");
    }
    if (host_bytes == 0)
        return false;
    const char *rest = text + host_bytes;
    if (*rest == '\0')
        return true;
    size_t port_chars = strspn(rest + 1, DIGITS);
    return *rest == ':' && port_chars <= PORT_MAX_CHARS && rest[1 + port_chars] == '\0';
}

/* ---- request line ---- */

/* For "http://authority/path" the path, and the authority, which counts more than Host (RFC
 * 9112 3.2.2). */
static bool
strip_origin(struct ctx *ctx, const char *target, const char **out_path, const char **out_authority)
{
    size_t scheme_bytes = strncasecmp(target, "http://", 7) == 0    ? 7
                          : strncasecmp(target, "https://", 8) == 0 ? 8
                                                                    : 0;
    if (scheme_bytes == 0)
        return false;
    const char *authority = target + scheme_bytes;
    size_t authority_bytes = strcspn(authority, "/?");
    const char *rest = authority + authority_bytes;
    *out_authority = arena_text_copy(&ctx->arena, authority, authority_bytes);
    *out_path = *rest == '/' ? rest : arena_format(&ctx->arena, "/%s", rest);
    return true;
}

static size_t count_char(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == wanted;
    return count;
}

size_t http_head_pieces(const char *target)
{
    const char *query = strchr(target, '?');
    return query ? 1 + count_char(query, '&') : 0;
}

enum err
http_head_target(struct ctx *ctx, struct http_head *head, const char *method, const char *target)
{
    struct http_request *rq = head->rq;
    if (!is_token(method))
        return ctx_fail(ctx, ERR_INVALID, "the method is not a token");
    rq->method = http_method_parse(method);
    if (strlen(target) > HTTP_TARGET_MAX_BYTES)
        return ctx_fail(ctx, ERR_TARGET_TOO_LONG, "the target is longer than %d bytes",
                        HTTP_TARGET_MAX_BYTES);
    if (!is_target_text(target))
        return ctx_fail(ctx, ERR_INVALID, "the target has a blank or a control character");
    const char *path = target;
    if (target[0] != '/' && !strip_origin(ctx, target, &path, &head->authority))
        return ctx_fail(ctx, ERR_INVALID, "the target is neither a path nor an http URL");

    size_t path_bytes = strcspn(path, "?");
    head->raw_path = arena_text_copy(&ctx->arena, path, path_bytes);
    head->raw_query = path[path_bytes] == '?' ? path + path_bytes + 1 : "";
    rq->target = path;
    char *decoded = NULL;
    if (strchr(head->raw_path, '#') ||
        !parse_percent(&ctx->arena, path, path_bytes, false, &decoded))
        return ctx_fail(ctx, ERR_INVALID, "the path is not UTF-8 in percent-encoding");
    rq->path = decoded;
    if (count_char(head->raw_query, '&') > HTTP_QUERY_PIECES_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "the query has more than %d pieces",
                        HTTP_QUERY_PIECES_MAX_COUNT);
    return ERR_OK;
}

/* ---- fields ---- */

static bool find_field(const char *name, enum http_field_id *out_id)
{
    for (size_t i = 0; i < HTTP_FIELD_COUNT; i++) {
        if (text_equals_nocase(name, http_field_name((enum http_field_id)i))) {
            *out_id = (enum http_field_id)i;
            return true;
        }
    }
    return false;
}

static enum err take_expect(struct http_head *head, const char *value, size_t value_bytes)
{
    static const char wanted[] = "100-continue";
    if (value_bytes == sizeof(wanted) - 1 && strncasecmp(value, wanted, value_bytes) == 0)
        head->framing.expects_continue = true;
    return ERR_OK;
}

/* Fields that are lists may come in several lines, which mean the same as one (RFC 9110 5.3). They
 * are joined once, when all are there: to join each with what came before takes the square of what
 * was sent, and a client that never sends its body would keep that. */
struct http_line {
    struct http_line *next;
    enum http_field_id id;
    const char *text; /* the caller's */
    size_t size_bytes;
};

static void keep_line(struct ctx *ctx,
                      struct http_head *head,
                      enum http_field_id id,
                      const char *text,
                      size_t size_bytes)
{
    struct http_line *line = arena_take(&ctx->arena, sizeof(*line));
    *line = (struct http_line){.id = id, .text = text, .size_bytes = size_bytes};
    if (head->last_more)
        head->last_more->next = line;
    else
        head->first_more = line;
    head->last_more = line;
}

static size_t more_bytes(const struct http_head *head, enum http_field_id id)
{
    size_t size_bytes = 0;
    for (const struct http_line *line = head->first_more; line; line = line->next)
        size_bytes += line->id == id ? SEPARATOR_BYTES + line->size_bytes : 0;
    return size_bytes;
}

static void join_lines(struct ctx *ctx, struct http_head *head, enum http_field_id id)
{
    const char **slot = &head->rq->fields[id];
    size_t added_bytes = more_bytes(head, id);
    if (added_bytes == 0)
        return;
    size_t first_bytes = strlen(*slot);
    char *joined = arena_take(&ctx->arena, first_bytes + added_bytes + 1);
    memcpy(joined, *slot, first_bytes);
    char *at = joined + first_bytes;
    for (const struct http_line *line = head->first_more; line; line = line->next) {
        if (line->id != id)
            continue;
        memcpy(at, id == HTTP_FIELD_COOKIE ? "; " : ", ", SEPARATOR_BYTES);
        memcpy(at + SEPARATOR_BYTES, line->text, line->size_bytes);
        at += SEPARATOR_BYTES + line->size_bytes;
    }
    *at = '\0';
    *slot = joined;
}

enum err http_head_field(struct ctx *ctx,
                         struct http_head *head,
                         const char *name,
                         const char *value,
                         size_t value_bytes)
{
    if (!is_token(name))
        return ctx_fail(ctx, ERR_INVALID, "a field's name is not a token");
    if (!is_field_value(value, value_bytes))
        return ctx_fail(ctx, ERR_INVALID, "a field's value has a control character");
    while (value_bytes > 0 && (value[value_bytes - 1] == ' ' || value[value_bytes - 1] == '\t'))
        value_bytes--;
    if (strcasecmp(name, "Expect") == 0)
        return take_expect(head, value, value_bytes);
    enum http_field_id id = HTTP_FIELD_COUNT;
    if (!find_field(name, &id))
        return ERR_OK;
    const char **slot = &head->rq->fields[id];
    bool is_single = http_field_is_single(id);
    if (*slot && id == HTTP_FIELD_ORIGIN && strlen(*slot) == value_bytes &&
        memcmp(*slot, value, value_bytes) == 0)
        return ERR_OK; /* a WebSocket client's own, and the same one that it was told to send */
    if (*slot && is_single)
        return ctx_fail(ctx, ERR_INVALID, "%s comes twice", http_field_name(id));
    if (!text_is_utf8(value, value_bytes))
        return is_single ? ctx_fail(ctx, ERR_INVALID, "%s is not UTF-8", http_field_name(id))
                         : ERR_OK;
    if (*slot)
        keep_line(ctx, head, id, value, value_bytes);
    else
        *slot = arena_text_copy(&ctx->arena, value, value_bytes);
    return ERR_OK;
}

/* ---- all together ---- */

bool http_head_is_length(const char *value)
{
    size_t digits_count = strspn(value, DIGITS);
    return digits_count > 0 && digits_count <= LENGTH_MAX_CHARS && value[digits_count] == '\0';
}

static enum err check_host(struct ctx *ctx, struct http_head *head)
{
    const char **host = &head->rq->fields[HTTP_FIELD_HOST];
    if (!*host && head->is_http_1_1)
        return ctx_fail(ctx, ERR_INVALID, "HTTP/1.1 without Host");
    if (*host && !is_host(*host))
        return ctx_fail(ctx, ERR_INVALID, "Host is no host");
    if (head->authority) {
        if (!is_host(head->authority))
            return ctx_fail(ctx, ERR_INVALID, "the target's authority is no host");
        *host = head->authority;
    }
    return ERR_OK;
}

static enum err check_framing(struct ctx *ctx, struct http_head *head)
{
    const char *length = head->rq->fields[HTTP_FIELD_CONTENT_LENGTH];
    const char *coding = head->rq->fields[HTTP_FIELD_TRANSFER_ENCODING];
    head->framing.declared_bytes = -1;
    if (length && coding)
        return ctx_fail(ctx, ERR_INVALID, "both Content-Length and Transfer-Encoding");
    if (coding && (!head->is_http_1_1 || !text_equals_nocase(coding, "chunked")))
        return ctx_fail(ctx, ERR_INVALID, "Transfer-Encoding is not just chunked");
    head->framing.is_chunked = coding != NULL;
    if (length && (!http_head_is_length(length) ||
                   !parse_i64(length, 0, INT64_MAX, &head->framing.declared_bytes)))
        return ctx_fail(ctx, ERR_INVALID, "Content-Length is no number");
    return ERR_OK;
}

/* Another service's id goes on through our logs, so that one search finds a request everywhere. */
static void take_request_id(struct ctx *ctx, const struct http_request *rq)
{
    const char *id = rq->fields[HTTP_FIELD_X_REQUEST_ID];
    size_t size_bytes = id ? strlen(id) : 0;
    if (size_bytes == 0 || size_bytes > REQUEST_ID_MAX_CHARS ||
        strspn(id, LETTERS DIGITS "._-") != size_bytes)
        return;
    memcpy(ctx->request_id, id, size_bytes + 1);
}

enum err http_head_finish(struct ctx *ctx, struct http_head *head)
{
    for (size_t i = 0; head->first_more && i < HTTP_FIELD_COUNT; i++)
        join_lines(ctx, head, (enum http_field_id)i);
    head->first_more = NULL;
    head->last_more = NULL;
    head->is_whole = true;
    take_request_id(ctx, head->rq);
    enum err err = check_host(ctx, head);
    return err ? err : check_framing(ctx, head);
}

/* SPDX-License-Identifier: MIT
 *
 * The tables of methods, request fields and statuses, and the reading of the list-like request
 * fields (Accept, Accept-Encoding, If-None-Match). Lists are walked in place: nothing is allocated.
 * Depends on: http_message.h, ctx.h, text.h. */
#include "http/http_message.h"

#include "base/ctx.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

static const char *const method_names[] = {
#define METHOD_NAME(name, text, is_unsafe) text,
    HTTP_METHOD_TABLE(METHOD_NAME)
#undef METHOD_NAME
};

static const bool method_unsafe[] = {
#define METHOD_UNSAFE(name, text, is_unsafe) is_unsafe,
    HTTP_METHOD_TABLE(METHOD_UNSAFE)
#undef METHOD_UNSAFE
};

static const struct field_row {
    const char *name;
    bool is_single;
} field_rows[] = {
#define FIELD_ROW(name, text, is_single) {text, is_single},
    HTTP_FIELD_TABLE(FIELD_ROW)
#undef FIELD_ROW
};

/* RFC 9110 section 15; 428, 429, 431: RFC 6585. Sorted by status. */
static const struct status_row {
    int status;
    const char *text;
} status_rows[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

enum http_method http_method_parse(const char *text)
{
    for (size_t i = 0; i < HTTP_OTHER; i++) {
        if (strcmp(text, method_names[i]) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

bool http_method_is_unsafe(enum http_method method)
{
    return method_unsafe[method];
}

const char *http_field_name(enum http_field_id id)
{
    return field_rows[id].name;
}

bool http_field_is_single(enum http_field_id id)
{
    return field_rows[id].is_single;
}

const char *http_status_text(int status)
{
    for (size_t i = 0; i < ARRAY_COUNT(status_rows); i++) {
        if (status_rows[i].status == status)
            return status_rows[i].text;
    }
    return "Unknown";
}

/* ---- answers ---- */

void http_response_field(struct http_response *rs, const char *name, const char *value)
{
    if (rs->fields_count == HTTP_RESPONSE_FIELDS_MAX_COUNT)
        return;
    bool is_clean = value && !text_has_control(value, "");
    rs->fields[rs->fields_count++] =
        (struct http_field){.name = name, .value = is_clean ? value : ""};
}

const char *http_response_find(const struct http_response *rs, const char *name)
{
    for (size_t i = 0; i < rs->fields_count; i++) {
        if (text_equals_nocase(rs->fields[i].name, name))
            return rs->fields[i].value;
    }
    return NULL;
}

void http_response_text(struct http_response *rs, int status, const char *type, const char *text)
{
    rs->status = status;
    rs->body = (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
    http_response_field(rs, "Content-Type", type);
}

void http_response_redirect(struct http_response *rs, int status, const char *location)
{
    rs->status = status;
    http_response_field(rs, "Location", location);
}

/* ---- lists in request fields ---- */

struct piece {
    const char *start;
    size_t size_bytes;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct piece trim(const char *start, const char *end)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    return (struct piece){.start = start, .size_bytes = (size_t)(end - start)};
}

/* The piece up to the next separator outside quotes; *at moves behind it. False at the end. */
static bool next_piece(const char **at, const char *end, char separator, struct piece *out_piece)
{
    if (!*at || *at > end)
        return false;
    const char *start = *at;
    const char *p = start;
    bool is_quoted = false;
    while (p < end && (is_quoted || *p != separator)) {
        if (*p == '"')
            is_quoted = !is_quoted;
        p++;
    }
    *out_piece = trim(start, p);
    *at = p + 1;
    return true;
}

static bool piece_is(struct piece piece, const char *text)
{
    return strlen(text) == piece.size_bytes &&
           strncasecmp(piece.start, text, piece.size_bytes) == 0;
}

/* "q=0", "q=0.", "q=0.000": not wanted at all (RFC 9110 12.4.2). */
static bool is_zero_weight(struct piece parameter)
{
    if (parameter.size_bytes < 3 || (parameter.start[0] | 0x20) != 'q' || parameter.start[1] != '=')
        return false;
    for (size_t i = 2; i < parameter.size_bytes; i++) {
        if (parameter.start[i] != '0' && parameter.start[i] != '.')
            return false;
    }
    return true;
}

/* Splits "name;parameter;parameter". Returns whether its weight is above zero. */
static bool split_item(struct piece item, struct piece *out_name)
{
    const char *at = item.start;
    const char *end = item.start + item.size_bytes;
    struct piece parameter;
    if (!next_piece(&at, end, ';', out_name))
        return false;
    while (next_piece(&at, end, ';', &parameter)) {
        if (is_zero_weight(parameter))
            return false;
    }
    return true;
}

enum choice { CHOICE_UNNAMED, CHOICE_REFUSED, CHOICE_WANTED };

static enum choice choice_of(const char *list, const char *name)
{
    enum choice choice = CHOICE_UNNAMED;
    const char *at = list;
    const char *end = list ? list + strlen(list) : NULL;
    struct piece item;
    struct piece item_name;
    while (next_piece(&at, end, ',', &item)) {
        bool is_wanted = split_item(item, &item_name);
        if (piece_is(item_name, name))
            choice = is_wanted ? CHOICE_WANTED : CHOICE_REFUSED;
    }
    return choice;
}

bool http_wants_json(const struct http_request *rq)
{
    const char *accept = rq->fields[HTTP_FIELD_ACCEPT];
    return choice_of(accept, "application/json") == CHOICE_WANTED &&
           choice_of(accept, "text/html") != CHOICE_WANTED;
}

bool http_accepts_gzip(const struct http_request *rq)
{
    const char *codings = rq->fields[HTTP_FIELD_ACCEPT_ENCODING];
    enum choice gzip = choice_of(codings, "gzip");
    if (gzip == CHOICE_UNNAMED)
        gzip = choice_of(codings, "x-gzip");
    return gzip == CHOICE_WANTED ||
           (gzip == CHOICE_UNNAMED && choice_of(codings, "*") == CHOICE_WANTED);
}

static struct piece strong_tag(struct piece tag)
{
    if (tag.size_bytes >= 2 && tag.start[0] == 'W' && tag.start[1] == '/')
        return (struct piece){.start = tag.start + 2, .size_bytes = tag.size_bytes - 2};
    return tag;
}

bool http_etag_matches(const struct http_request *rq, const char *etag)
{
    const char *at = rq->fields[HTTP_FIELD_IF_NONE_MATCH];
    const char *end = at ? at + strlen(at) : NULL;
    struct piece wanted = strong_tag((struct piece){.start = etag, .size_bytes = strlen(etag)});
    struct piece item;
    while (next_piece(&at, end, ',', &item)) {
        struct piece tag = strong_tag(item);
        if (piece_is(item, "*"))
            return true;
        if (tag.size_bytes == wanted.size_bytes &&
            memcmp(tag.start, wanted.start, tag.size_bytes) == 0)
            return true;
    }
    return false;
}

/* ---- content type ---- */

/* Any parameter is fine but a charset that is not UTF-8. */
static bool is_utf8_parameter(struct piece parameter)
{
    static const char name[] = "charset=";
    size_t name_bytes = sizeof(name) - 1;
    if (parameter.size_bytes < name_bytes || strncasecmp(parameter.start, name, name_bytes) != 0)
        return true;
    struct piece value = {.start = parameter.start + name_bytes,
                          .size_bytes = parameter.size_bytes - name_bytes};
    return piece_is(value, "utf-8") || piece_is(value, "\"utf-8\"") || piece_is(value, "utf8");
}

enum err http_content_type_is(struct ctx *ctx, const struct http_request *rq, const char *wanted)
{
    const char *at = rq->fields[HTTP_FIELD_CONTENT_TYPE];
    const char *end = at ? at + strlen(at) : NULL;
    struct piece piece;
    if (!next_piece(&at, end, ';', &piece))
        return ctx_fail(ctx, ERR_MEDIA_TYPE, "no Content-Type");
    if (!piece_is(piece, wanted))
        return ctx_fail(ctx, ERR_MEDIA_TYPE, "Content-Type is not %s", wanted);
    while (next_piece(&at, end, ';', &piece)) {
        if (!is_utf8_parameter(piece))
            return ctx_fail(ctx, ERR_MEDIA_TYPE, "the charset is not UTF-8");
    }
    return ERR_OK;
}

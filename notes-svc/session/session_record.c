/* SPDX-License-Identifier: MIT
 *
 * Depends on: session.h, parse.h. */
#include "session/session_record.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "session/session.h"

#define VERSION "1"

enum line {
    LINE_VERSION,
    LINE_CREATED,
    LINE_USED,
    LINE_CHECKED,
    LINE_ETAG,
    LINE_USER,
    LINES_COUNT
};

static void add_time(struct strbuf *record, int64_t unix_ms)
{
    strbuf_add_i64(record, unix_ms);
    strbuf_add_char(record, '\n');
}

enum err
session_record_write(struct ctx *ctx, const struct session *session, struct bytes *out_record)
{
    bool is_fit = *session->user_etag && *session->username && !strchr(session->user_etag, '\n') &&
                  !strchr(session->username, '\n');
    struct strbuf record;
    const char *text = NULL;
    strbuf_init(&record, &ctx->arena, 256, SESSION_RECORD_MAX_BYTES);
    strbuf_add(&record, VERSION "\n");
    add_time(&record, session->created_unix_ms);
    add_time(&record, session->used_unix_ms);
    add_time(&record, session->checked_unix_ms);
    strbuf_add(&record, session->user_etag);
    strbuf_add_char(&record, '\n');
    strbuf_add(&record, session->username);
    if (!is_fit || strbuf_text(&record, &text))
        return ctx_fail(ctx, ERR_INTERNAL, "this user's name or entity tag can't be kept");
    *out_record = (struct bytes){.p = (const unsigned char *)text, .n = record.size_bytes};
    return ERR_OK;
}

/* Cuts text into its lines, in place. False when there are more or fewer of them. */
static bool cut_lines(char *text, const char *lines[LINES_COUNT])
{
    for (size_t i = 0; i < LINES_COUNT; i++) {
        char *end = strchr(text, '\n');
        bool is_last = i + 1 == LINES_COUNT;
        if (is_last != !end)
            return false;
        lines[i] = text;
        if (end) {
            *end = '\0';
            text = end + 1;
        }
    }
    return true;
}

static bool read_time(const char *line, int64_t *out_unix_ms)
{
    return parse_i64(line, 0, INT64_MAX / 2, out_unix_ms);
}

enum err session_record_read(struct ctx *ctx, struct bytes record, struct session *session)
{
    const char *lines[LINES_COUNT] = {0};
    struct session read = *session;
    bool is_text = record.n && record.n <= SESSION_RECORD_MAX_BYTES &&
                   !memchr(record.p, '\0', record.n) &&
                   text_is_utf8((const char *)record.p, record.n);
    if (!is_text ||
        !cut_lines(arena_text_copy(&ctx->arena, (const char *)record.p, record.n), lines))
        return ctx_fail(ctx, ERR_INVALID, "a session's record has no such form");
    bool is_right = text_equals(lines[LINE_VERSION], VERSION) &&
                    read_time(lines[LINE_CREATED], &read.created_unix_ms) &&
                    read_time(lines[LINE_USED], &read.used_unix_ms) &&
                    read_time(lines[LINE_CHECKED], &read.checked_unix_ms) && *lines[LINE_ETAG] &&
                    *lines[LINE_USER];
    if (!is_right)
        return ctx_fail(ctx, ERR_INVALID, "a line of a session's record is wrong");
    read.user_etag = lines[LINE_ETAG];
    read.username = lines[LINE_USER];
    *session = read;
    return ERR_OK;
}

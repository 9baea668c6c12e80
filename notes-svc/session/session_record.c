/* SPDX-License-Identifier: MIT
 *
 * Depends on: session.h, parse.h. */
#include "session/session_record.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "session/session.h"
#include "site.h"

#define VERSION         "2"
#define SIGN_IN_VERSION "1"

enum line {
    LINE_VERSION,
    LINE_CREATED,
    LINE_USED,
    LINE_CHECKED,
    LINE_ETAG,
    LINE_USER,
    LINE_DIGEST,
    LINES_COUNT
};

enum sign_in_line { SIGN_IN_FORMAT, SIGN_IN_DEVICE, SIGN_IN_ADDRESS, SIGN_IN_LINES_COUNT };

/* Of what must not be another's. None of the texts has a line's end. */
static const char *
digest_of(struct ctx *ctx, const struct site *site, const struct session *session)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    const struct bytes key = {.p = site->record_key, .n = sizeof(site->record_key)};
    const char *text =
        arena_format(&ctx->arena, "%s\n%" PRId64 "\n%s\n%s",
                     secret_base64url(&ctx->arena, session->digest, sizeof(session->digest)),
                     session->created_unix_ms, session->user_etag, session->username);
    secret_digest(key, text, strlen(text), digest);
    return secret_base64url(&ctx->arena, digest, sizeof(digest));
}

static void add_time(struct strbuf *record, int64_t unix_ms)
{
    strbuf_add_i64(record, unix_ms);
    strbuf_add_char(record, '\n');
}

enum err session_record_write(struct ctx *ctx,
                              const struct site *site,
                              const struct session *session,
                              struct bytes *out_record)
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
    strbuf_add_char(&record, '\n');
    strbuf_add(&record, digest_of(ctx, site, session));
    if (!is_fit || strbuf_text(&record, &text))
        return ctx_fail(ctx, ERR_INTERNAL, "this user's name or entity tag can't be kept");
    *out_record = (struct bytes){.p = (const unsigned char *)text, .n = record.size_bytes};
    return ERR_OK;
}

/* Cuts text into its lines, in place. False when there are more or fewer of them. */
static bool cut_lines(char *text, const char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end = strchr(text, '\n');
        bool is_last = i + 1 == count;
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

static bool is_text(struct bytes value, size_t max_bytes)
{
    return value.n && value.n <= max_bytes && !memchr(value.p, '\0', value.n) &&
           text_is_utf8((const char *)value.p, value.n);
}

static bool read_time(const char *line, int64_t *out_unix_ms)
{
    return parse_i64(line, 0, INT64_MAX / 2, out_unix_ms);
}

enum err session_record_read(struct ctx *ctx,
                             const struct site *site,
                             struct bytes record,
                             struct session *session)
{
    const char *lines[LINES_COUNT] = {0};
    struct session read = *session;
    if (!is_text(record, SESSION_RECORD_MAX_BYTES) ||
        !cut_lines(arena_text_copy(&ctx->arena, (const char *)record.p, record.n), lines,
                   LINES_COUNT))
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
    if (!secret_text_matches(digest_of(ctx, site, &read), lines[LINE_DIGEST]))
        return ctx_fail(ctx, ERR_INVALID, "a session's record was not written by this site");
    *session = read;
    return ERR_OK;
}

/* ---- its sign-in ---- */

static const char *fit_text(const char *text)
{
    return text && strlen(text) <= SESSION_SIGN_IN_MAX_BYTES / 4 && !text_has_control(text, "")
               ? text
               : "";
}

struct bytes session_sign_in_write(struct ctx *ctx, const struct session *session)
{
    const char *text = arena_format(&ctx->arena, SIGN_IN_VERSION "\n%s\n%s",
                                    fit_text(session->device), fit_text(session->address));
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

static const char *known_text(const char *line)
{
    return *fit_text(line) ? line : NULL;
}

void session_sign_in_read(struct ctx *ctx, struct bytes value, struct session *session)
{
    const char *lines[SIGN_IN_LINES_COUNT] = {0};
    session->device = NULL;
    session->address = NULL;
    if (!is_text(value, SESSION_SIGN_IN_MAX_BYTES) ||
        !cut_lines(arena_text_copy(&ctx->arena, (const char *)value.p, value.n), lines,
                   SIGN_IN_LINES_COUNT) ||
        !text_equals(lines[SIGN_IN_FORMAT], SIGN_IN_VERSION))
        return;
    session->device = known_text(lines[SIGN_IN_DEVICE]);
    session->address = known_text(lines[SIGN_IN_ADDRESS]);
}

/* SPDX-License-Identifier: MIT
 *
 * Limits of a note, its key from a title, its next revision. Pure.
 * Depends on: base. */
#include "note/note.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"

#define UTF8_CHAR_MAX_BYTES 4

/* Not letters, digits or marks, by Unicode block: they part words in a key, as a space does. Coarse
 * on purpose: a rare letter that is lost here costs a plainer key, which its author may also type.
 */
static const struct {
    unsigned first;
    unsigned last;
} SEPARATORS[] = {
    {0x80, 0xA9},        {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},     {0xD7, 0xD7},
    {0xF7, 0xF7},        {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x206F}, {0x2190, 0x2BFF},
    {0x2E00, 0x2E7F},    {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0x303D, 0x303F},
    {0xE000, 0xF8FF},    {0xFE00, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFEFF, 0xFEFF}, {0xFF01, 0xFF0F},
    {0xFF1A, 0xFF20},    {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF},
    {0xE0000, 0x10FFFF},
};

/* On update a key that can't be is one that no note has. */
static enum err check_key(struct ctx *ctx, const struct note_draft *draft)
{
    const char *key = draft->key;
    if (!draft->is_create || key[0] == '\0')
        return ERR_OK;
    if (text_is_blank(key))
        return ctx_refuse(ctx, "notekey", "The key needs at least one visible character.");
    if (text_count_chars(key) > NOTE_KEY_MAX_CHARS)
        return ctx_refuse(ctx, "notekey", "The key is too long: at most 255 characters.");
    if (text_has_control(key, ""))
        return ctx_refuse(ctx, "notekey",
                          "The key has a control character, such as a tab or a line end.");
    return ERR_OK;
}

static enum err check_title(struct ctx *ctx, const char *title)
{
    if (text_is_blank(title))
        return ctx_refuse(ctx, "title", "The note needs a title.");
    if (text_count_chars(title) > NOTE_TITLE_MAX_CHARS)
        return ctx_refuse(ctx, "title", "The title is too long: at most 255 characters.");
    if (text_has_control(title, ""))
        return ctx_refuse(ctx, "title",
                          "The title has a control character, such as a tab or a line end.");
    return ERR_OK;
}

static enum err check_body(struct ctx *ctx, const char *body)
{
    if (strlen(body) > NOTE_BODY_MAX_BYTES) {
        (void)ctx_refuse(ctx, "body", "The text is too long: at most 1 MiB. Nothing was saved.");
        return ERR_TOO_LARGE;
    }
    if (text_has_control(body, "\n\t"))
        return ctx_refuse(ctx, "body",
                          "The text has a control character that is neither a line end nor a tab.");
    return ERR_OK;
}

enum err note_draft_check(struct ctx *ctx, const struct note_draft *draft)
{
    enum err err = check_title(ctx, draft->title);
    if (!err)
        err = check_body(ctx, draft->body);
    if (!err)
        err = check_key(ctx, draft);
    return err;
}

/* The text is valid UTF-8, so the lead byte tells the length. */
static size_t char_size_bytes(unsigned char lead)
{
    if (lead < 0xC0)
        return 1;
    if (lead < 0xE0)
        return 2;
    return lead < 0xF0 ? 3 : 4;
}

static unsigned char_decode(const char *text, size_t size_bytes)
{
    static const unsigned char LEAD_MASK[UTF8_CHAR_MAX_BYTES + 1] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned code = (unsigned char)text[0] & LEAD_MASK[size_bytes];
    for (size_t i = 1; i < size_bytes; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    return code;
}

static bool is_word_char(unsigned code)
{
    if (code < 0x80)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
               (code >= '0' && code <= '9');
    for (size_t i = 0; i < ARRAY_COUNT(SEPARATORS); i++) {
        if (code >= SEPARATORS[i].first && code <= SEPARATORS[i].last)
            return false;
    }
    return true;
}

const char *note_key_from_title(struct arena *arena, const char *title)
{
    const char *lower = text_lower(arena, title);
    char *key = arena_take(arena, strlen(lower) + 1);
    size_t used_bytes = 0;
    size_t used_chars = 0;
    bool has_gap = false;
    for (const char *c = lower; *c;) {
        size_t size_bytes = char_size_bytes((unsigned char)*c);
        bool is_word = is_word_char(char_decode(c, size_bytes));
        bool needs_dash = is_word && has_gap && used_bytes > 0;
        if (is_word && used_chars + 1 + needs_dash > NOTE_MADE_KEY_MAX_CHARS)
            break;
        if (needs_dash)
            key[used_bytes++] = '-';
        if (is_word) {
            memcpy(key + used_bytes, c, size_bytes);
            used_bytes += size_bytes;
            used_chars += 1 + (size_t)needs_dash;
        }
        has_gap = !is_word;
        c += size_bytes;
    }
    return used_bytes ? key : "note";
}

const char *note_key_numbered(struct arena *arena, const char *key, int64_t number)
{
    return arena_format(arena, "%s-%lld", key, (long long)number);
}

int64_t note_revision_after(int64_t previous, int64_t now_unix_ms)
{
    return previous >= now_unix_ms ? previous + 1 : now_unix_ms;
}

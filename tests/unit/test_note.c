/* SPDX-License-Identifier: MIT
 *
 * What may be a note, keys from titles, the next revision, the save form. */
#include "note/note.h"

#include "unit.h"

#include "base/ctx.h"
#include "base/text.h"
#include "http/form.h"
#include "note/note_wire.h"

#define BUDGET_MS 60000

/* `count` times `text`, in the arena. */
static char *repeat(struct arena *arena, const char *text, size_t count)
{
    size_t size_bytes = strlen(text);
    char *all = arena_take(arena, size_bytes * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * size_bytes, text, size_bytes);
    return all;
}

static struct note_draft fine_draft(void)
{
    return (struct note_draft){.is_create = true, .key = "key", .title = "Title", .body = "body"};
}

static void check_draft(const struct note_draft *draft, enum err wanted, const char *field)
{
    struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(note_draft_check(&ctx, draft), wanted);
    if (field)
        assert_string_equal(ctx.why.field, field);
    else
        assert_null(ctx.why.field);
    assert_int_equal(wanted != ERR_OK, ctx.why.hint != NULL);
    ctx_done(&ctx);
}

static void key_has_visible_characters_and_no_controls(void **state)
{
    struct arena *arena = *state;
    const struct {
        const char *key;
        enum err wanted;
    } rows[] = {
        {"a", ERR_OK},
        {"", ERR_OK},
        {" a ", ERR_OK},
        {"/a?b&c=#%", ERR_OK},
        {repeat(arena, "a", NOTE_KEY_MAX_CHARS), ERR_OK},
        {repeat(arena, "\xF0\x9F\x90\xB3", NOTE_KEY_MAX_CHARS), ERR_OK},
        {repeat(arena, "a", NOTE_KEY_MAX_CHARS + 1), ERR_INVALID},
        {repeat(arena, "\xC3\xA4", NOTE_KEY_MAX_CHARS + 1), ERR_INVALID},
        {" ", ERR_INVALID},
        {"\xC2\xA0\xE2\x80\x8B", ERR_INVALID},
        {"a\nb", ERR_INVALID},
        {"a\tb", ERR_INVALID},
        {"a\x7F", ERR_INVALID},
        {"a\xC2\x85", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct note_draft draft = fine_draft();
        draft.key = rows[i].key;
        check_draft(&draft, rows[i].wanted, rows[i].wanted ? "notekey" : NULL);
    }
}

static void key_of_an_update_is_whatever_a_note_has(void **state)
{
    (void)state;
    struct note_draft draft = fine_draft();
    draft.is_create = false;
    draft.key = " ";
    check_draft(&draft, ERR_OK, NULL);
}

static void title_has_visible_characters_and_no_controls(void **state)
{
    struct arena *arena = *state;
    const struct {
        const char *title;
        enum err wanted;
    } rows[] = {
        {"a", ERR_OK},
        {repeat(arena, "\xE2\x82\xAC", NOTE_TITLE_MAX_CHARS), ERR_OK},
        {repeat(arena, "\xE2\x82\xAC", NOTE_TITLE_MAX_CHARS + 1), ERR_INVALID},
        {"", ERR_INVALID},
        {"\xE3\x80\x80", ERR_INVALID},
        {"a\tb", ERR_INVALID},
        {"a\r\nb", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct note_draft draft = fine_draft();
        draft.title = rows[i].title;
        check_draft(&draft, rows[i].wanted, rows[i].wanted ? "title" : NULL);
    }
}

static void body_is_up_to_a_mebibyte_of_text(void **state)
{
    struct arena *arena = *state;
    const struct {
        const char *body;
        enum err wanted;
    } rows[] = {
        {"", ERR_OK},
        {"\n\t \n", ERR_OK},
        {repeat(arena, "a", NOTE_BODY_MAX_BYTES), ERR_OK},
        {repeat(arena, "a", NOTE_BODY_MAX_BYTES + 1), ERR_TOO_LARGE},
        {"a\x01", ERR_INVALID},
        {"a\r", ERR_INVALID},
        {"a\x1B[31m", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct note_draft draft = fine_draft();
        draft.body = rows[i].body;
        check_draft(&draft, rows[i].wanted, rows[i].wanted ? "body" : NULL);
    }
}

static void keys_are_made_from_titles(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const char *title;
        const char *key;
    } rows[] = {
        {"My Note", "my-note"},
        {"  What's new?! (2026)  ", "what-s-new-2026"},
        {"a/b&c=d", "a-b-c-d"},
        {"\xC3\x84pfel & Birnen", "\xC3\x84pfel-birnen"},
        {"\xE6\x97\xA5\xE8\xA8\x98\xE3\x80\x81\xE4\xB8\x80",
         "\xE6\x97\xA5\xE8\xA8\x98-\xE4\xB8\x80"},
        {"a\xE2\x80\x93"
         "b",
         "a-b"},
        {"\xF0\x9F\x90\xB3 whale", "whale"},
        {"\xE2\x80\xAE"
         "evil",
         "evil"},
        {"\xF0\x90\x8C\xB0", "\xF0\x90\x8C\xB0"},
        {"...", "note"},
        {"", "note"},
        {"\xF0\x9F\x90\xB3", "note"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(note_key_from_title(arena, rows[i].title), rows[i].key);
}

static void made_keys_leave_room_for_a_number(void **state)
{
    struct arena *arena = *state;
    const char *key = note_key_from_title(arena, repeat(arena, "\xC3\xA4", NOTE_TITLE_MAX_CHARS));
    assert_int_equal(text_count_chars(key), NOTE_MADE_KEY_MAX_CHARS);
    key = note_key_from_title(arena, repeat(arena, "a ", NOTE_TITLE_MAX_CHARS));
    assert_int_equal(text_count_chars(key), NOTE_MADE_KEY_MAX_CHARS - 1);
    assert_int_equal(key[strlen(key) - 1], 'a');
    assert_string_equal(note_key_numbered(arena, "a", 1234567890123), "a-1234567890123");
}

static void revision_always_rises_and_is_near_the_time(void **state)
{
    (void)state;
    assert_int_equal(note_revision_after(0, 1000), 1000);
    assert_int_equal(note_revision_after(999, 1000), 1000);
    assert_int_equal(note_revision_after(1000, 1000), 1001);
    assert_int_equal(note_revision_after(5000, 1000), 5001);
}

static enum err decode(struct ctx *ctx, const char *text, struct note_draft *out_draft)
{
    struct form form;
    assert_int_equal(
        form_parse(ctx, (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)}, &form),
        ERR_OK);
    return note_draft_decode(ctx, &form, out_draft);
}

static void save_form_is_decoded(void **state)
{
    (void)state;
    struct ctx ctx;
    struct note_draft draft;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(
        decode(&ctx, "docreate=create&notekey=k&title=t&body=a%0D%0Ab%0Dc&csrf=x", &draft), ERR_OK);
    assert_true(draft.is_create);
    assert_string_equal(draft.key, "k");
    assert_string_equal(draft.title, "t");
    assert_string_equal(draft.body, "a\nb\nc");
    assert_int_equal(draft.version, 0);
    assert_int_equal(decode(&ctx, "docreate=create&title=t&body=", &draft), ERR_OK);
    assert_string_equal(draft.key, "");
    assert_string_equal(draft.body, "");
    assert_int_equal(decode(&ctx, "docreate=update&notekey=k&title=t&body=b&version=7", &draft),
                     ERR_OK);
    assert_false(draft.is_create);
    assert_int_equal(draft.version, 7);
    assert_int_equal(decode(&ctx, "docreate=update&notekey=k&title=t&body=b", &draft), ERR_OK);
    assert_int_equal(draft.version, 0);
    ctx_done(&ctx);
}

static void broken_save_forms_are_refused_and_write_nothing(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"", "docreate"},
        {"docreate=&notekey=k&title=t&body=b", "docreate"},
        {"docreate=other&notekey=k&title=t&body=b", "docreate"},
        {"docreate=create&docreate=create&notekey=k&title=t&body=b", "docreate"},
        {"docreate=create&notekey=k&notekey=k&title=t&body=b", "notekey"},
        {"docreate=create&notekey=k&body=b", "title"},
        {"docreate=create&notekey=k&title=t", "body"},
        {"docreate=create&notekey=k&title=t&title=t&body=b", "title"},
        {"docreate=update&title=t&body=b&version=1", "notekey"},
        {"docreate=update&notekey=k&title=t&body=b&version=-1", "version"},
        {"docreate=update&notekey=k&title=t&body=b&version=1x", "version"},
        {"docreate=update&notekey=k&title=t&body=b&version=1&version=1", "version"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct ctx ctx;
        struct note_draft draft = {.key = "untouched"};
        ctx_init(&ctx, NULL, BUDGET_MS);
        assert_int_equal(decode(&ctx, rows[i].text, &draft), ERR_INVALID);
        assert_string_equal(ctx.why.field, rows[i].field);
        assert_string_equal(draft.key, "untouched");
        ctx_done(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(key_has_visible_characters_and_no_controls),
        UNIT(key_of_an_update_is_whatever_a_note_has),
        UNIT_WITH_ARENA(title_has_visible_characters_and_no_controls),
        UNIT_WITH_ARENA(body_is_up_to_a_mebibyte_of_text),
        UNIT_WITH_ARENA(keys_are_made_from_titles),
        UNIT_WITH_ARENA(made_keys_leave_room_for_a_number),
        UNIT(revision_always_rises_and_is_near_the_time),
        UNIT(save_form_is_decoded),
        UNIT(broken_save_forms_are_refused_and_write_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

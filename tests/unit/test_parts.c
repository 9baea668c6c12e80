/* SPDX-License-Identifier: MIT
 *
 * A page for all, filled for each: what each kind of viewer gets of each kind of mark. */
#include "http/parts.h"

#include "base/text.h"

#include "unit.h"

#define TEXT_MAX_BYTES 4096

static bool is_owner(const char *user, const char *owner, const char *page_owner)
{
    return user &&
           ((owner && text_equals(user, owner)) || (page_owner && text_equals(user, page_owner)));
}

static void add(struct parts *parts, const char *text)
{
    strbuf_add(&parts->text, text);
}

static const char *
fill(struct arena *arena, const struct parts *parts, const char *user, bool is_unknown)
{
    const struct viewer viewer = {
        .user = user, .csrf = user ? "t&k" : NULL, .is_unknown = is_unknown};
    struct strbuf out;
    const char *text = NULL;
    strbuf_init(&out, arena, 0, TEXT_MAX_BYTES);
    parts_fill(parts, &viewer, &out);
    assert_int_equal(strbuf_text(&out, &text), ERR_OK);
    return text;
}

static void a_page_without_marks_is_the_same_for_all(void **state)
{
    struct parts parts;
    parts_init(&parts, *state, 0, TEXT_MAX_BYTES);
    add(&parts, "<p>x</p>");
    assert_string_equal(fill(*state, &parts, NULL, false), "<p>x</p>");
    assert_string_equal(fill(*state, &parts, "me", false), "<p>x</p>");
}

static void name_and_token_are_escaped(void **state)
{
    struct parts parts;
    parts_init(&parts, *state, 0, TEXT_MAX_BYTES);
    add(&parts, "[");
    parts_mark(&parts, PART_USER);
    add(&parts, "|");
    parts_mark(&parts, PART_CSRF);
    add(&parts, "]");
    assert_string_equal(fill(*state, &parts, "<m>", false), "[&lt;m&gt;|t&amp;k]");
    assert_string_equal(fill(*state, &parts, NULL, false), "[|]");
}

/* {if kind}A{else}B{end} between x and y, with or without the else. */
static void add_choice(struct parts *parts, enum part_kind kind, bool is_not, bool has_else)
{
    add(parts, "x");
    parts_if(parts, kind, is_not);
    add(parts, "A");
    if (has_else) {
        parts_mark(parts, PART_ELSE);
        add(parts, "B");
    }
    parts_mark(parts, PART_END);
    add(parts, "y");
}

static void each_viewer_gets_one_way_of_a_choice(void **state)
{
    static const struct row {
        enum part_kind kind;
        bool is_not, has_else;
        const char *nobody, *user, *unknown;
    } rows[] = {
        {PART_IF_USER, false, true, "xBy", "xAy", "xBy"},
        {PART_IF_USER, true, true, "xAy", "xBy", "xAy"},
        {PART_IF_USER, false, false, "xy", "xAy", "xy"},
        {PART_IF_USER, true, false, "xAy", "xy", "xAy"},
        {PART_IF_UNKNOWN, false, true, "xBy", "xBy", "xAy"},
        {PART_IF_UNKNOWN, true, false, "xAy", "xAy", "xy"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct parts parts;
        parts_init(&parts, *state, 0, TEXT_MAX_BYTES);
        add_choice(&parts, rows[i].kind, rows[i].is_not, rows[i].has_else);
        assert_string_equal(fill(*state, &parts, NULL, false), rows[i].nobody);
        assert_string_equal(fill(*state, &parts, "me", false), rows[i].user);
        assert_string_equal(fill(*state, &parts, NULL, true), rows[i].unknown);
    }
}

/* What is inside of a way that is not shown stays hidden, whatever it says itself. */
static void choices_inside_of_choices(void **state)
{
    struct parts parts;
    parts_init(&parts, *state, 0, TEXT_MAX_BYTES);
    parts_if(&parts, PART_IF_USER, false);
    add(&parts, "u");
    add_choice(&parts, PART_IF_UNKNOWN, false, true);
    add_choice(&parts, PART_IF_USER, true, true);
    parts_mark(&parts, PART_ELSE);
    add(&parts, "n");
    add_choice(&parts, PART_IF_UNKNOWN, false, true);
    add_choice(&parts, PART_IF_USER, false, true);
    parts_mark(&parts, PART_END);
    add(&parts, ".");
    assert_string_equal(fill(*state, &parts, "me", false), "uxByxBy.");
    assert_string_equal(fill(*state, &parts, NULL, false), "nxByxBy.");
    assert_string_equal(fill(*state, &parts, NULL, true), "nxAyxBy.");
}

static void a_right_is_asked_for_each_item(void **state)
{
    static const char *const owners[] = {"me", "you", NULL, "me too"};
    struct parts parts;
    parts_init(&parts, *state, 0, TEXT_MAX_BYTES);
    parts.owner = "boss";
    parts.may = is_owner;
    for (size_t i = 0; i < ARRAY_COUNT(owners); i++) {
        parts_if_may(&parts, owners[i], false);
        strbuf_add_i64(&parts.text, (int64_t)i);
        parts_mark(&parts, PART_END);
    }
    assert_string_equal(fill(*state, &parts, "me", false), "0");
    assert_string_equal(fill(*state, &parts, "you", false), "1");
    assert_string_equal(fill(*state, &parts, "boss", false), "0123");
    assert_string_equal(fill(*state, &parts, "nobody", false), "");
    assert_string_equal(fill(*state, &parts, NULL, false), "");
    parts.may = NULL;
    assert_string_equal(fill(*state, &parts, "boss", false), "");
}

static void there_may_be_many_marks(void **state)
{
    struct parts parts;
    parts_init(&parts, *state, 0, TEXT_MAX_BYTES);
    for (int i = 0; i < 500; i++) {
        parts_mark(&parts, PART_USER);
        add(&parts, ".");
    }
    const char *text = fill(*state, &parts, "me", false);
    assert_int_equal(strlen(text), 1500);
    for (int i = 0; i < 500; i++)
        assert_memory_equal(text + (ptrdiff_t)i * 3, "me.", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(a_page_without_marks_is_the_same_for_all),
        UNIT_WITH_ARENA(name_and_token_are_escaped),
        UNIT_WITH_ARENA(each_viewer_gets_one_way_of_a_choice),
        UNIT_WITH_ARENA(choices_inside_of_choices),
        UNIT_WITH_ARENA(a_right_is_asked_for_each_item),
        UNIT_WITH_ARENA(there_may_be_many_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

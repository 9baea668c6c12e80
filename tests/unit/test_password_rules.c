/* SPDX-License-Identifier: MIT
 *
 * The rules for passwords that people choose: lengths, names, what many people use. */
#include "unit.h"

#include "base/arena.h"
#include "base/text.h"
#include "rules/password_rules.h"

struct row {
    const char *password;
    enum password_fault wanted;
};

static void check_rows(const struct row *rows, size_t count, const char *username)
{
    for (size_t i = 0; i < count; i++) {
        enum password_fault fault = password_rules_judge(rows[i].password, username, 15);
        if (fault != rows[i].wanted)
            fail_msg("\"%s\" of \"%s\": %d, wanted %d", rows[i].password, username, (int)fault,
                     (int)rows[i].wanted);
    }
}

static void length_is_counted_in_code_points(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"", PASSWORD_TOO_SHORT},
        {"four short word", PASSWORD_FINE},
        {"four short wor", PASSWORD_TOO_SHORT},
        {"äöüßéèêáàâíìîñ", PASSWORD_TOO_SHORT},
        {"äöüßéèêáàâíìîñç", PASSWORD_FINE},
        {"\U0001f600\U0001f601\U0001f602\U0001f603\U0001f604\U0001f605", PASSWORD_TOO_SHORT},
    };
    check_rows(rows, ARRAY_COUNT(rows), "alice");
    assert_int_equal(password_rules_judge("seven ok", "alice", 8), PASSWORD_FINE);
    assert_int_equal(password_rules_judge("seven o", "alice", 8), PASSWORD_TOO_SHORT);
    assert_int_equal(password_rules_judge("four short word", "alice", 64), PASSWORD_TOO_SHORT);
}

static void length_ends_at_1024_bytes(void **state)
{
    (void)state;
    char text[1026];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i * i % 23);
    text[1025] = '\0';
    assert_int_equal(password_rules_judge(text, "alice", 15), PASSWORD_TOO_LONG);
    assert_int_equal(password_rules_judge(text + 1, "alice", 15), PASSWORD_FINE);
}

static void names_with_digits_and_signs_are_no_password(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"AliceAliceAlice", PASSWORD_IS_NAME},     {"alice1234567890", PASSWORD_IS_NAME},
        {"1234567890alice", PASSWORD_IS_NAME},     {"notesnotesnotes", PASSWORD_IS_NAME},
        {"NOTES-notes_NOTES!", PASSWORD_IS_NAME},  {"alice@notes 2026-11", PASSWORD_IS_NAME},
        {"a l i c e n o t e s", PASSWORD_IS_NAME}, {"notes of alice!", PASSWORD_FINE},
        {"alicesnotes2026", PASSWORD_FINE},        {"alicanotes20261", PASSWORD_FINE},
        {"481516234210836", PASSWORD_FINE},        {"alice in the wood", PASSWORD_FINE},
    };
    check_rows(rows, ARRAY_COUNT(rows), "Alice");
}

static void any_user_name_can_be_looked_for(void **state)
{
    (void)state;
    const struct {
        const char *username;
        struct row row;
    } rows[] = {
        {"", {"four short word", PASSWORD_FINE}},
        {"e", {"four e short ee", PASSWORD_FINE}},
        {"me2", {"me2me22me2-me2!", PASSWORD_IS_NAME}},
        {"日本", {"日本日本日本日本日本日本日本日本", PASSWORD_IS_NAME}},
        {"日本", {"日本日本日本日本日本日本日本日木", PASSWORD_FINE}},
        {"four short word", {"Four Short Word", PASSWORD_IS_NAME}},
        {"four short word and more", {"four short word", PASSWORD_FINE}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        check_rows(&rows[i].row, 1, rows[i].username);
}

static void what_many_people_use_is_refused_in_any_case_with_a_tail_and_repeated(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"correcthorsebatterystaple", PASSWORD_COMMON},
        {"Correct Horse Battery Staple", PASSWORD_COMMON},
        {"CORRECT-HORSE-BATTERY-STAPLE", PASSWORD_COMMON},
        {"maytheforcebewithyou2026", PASSWORD_COMMON},
        {"maytheforcebewithyou!!12", PASSWORD_COMMON},
        {"maytheforcebewithyou20261", PASSWORD_FINE},
        {"maytheforcebewithyouab", PASSWORD_FINE},
        {"passwordpassword", PASSWORD_COMMON},
        {"PasswordPasswordPass", PASSWORD_COMMON},
        {"passwordpassword1!", PASSWORD_COMMON},
        {"123456789012345", PASSWORD_COMMON},
        {"qwertyuiopasdfghjkl", PASSWORD_COMMON},
        {"1qaz2wsx3edc4rfv", PASSWORD_COMMON},
        {"aaaaaaaaaaaaaaa", PASSWORD_COMMON},
        {"               ", PASSWORD_COMMON},
        {"abcabcabcabcabcab", PASSWORD_COMMON},
        {"xyz1xyz1xyz1xyz1", PASSWORD_COMMON},
        {"éàüöéàüöéàüöéàüö", PASSWORD_COMMON},
        {"vwxwvvwxwvvwxwv", PASSWORD_COMMON},
        {"a horse that eats staples", PASSWORD_FINE},
    };
    check_rows(rows, ARRAY_COUNT(rows), "alice");
}

static void what_is_only_put_together_of_what_many_people_use_is_refused(void **state)
{
    (void)state;
    static const char *const passwords[] = {
        /* runs, and runs of keys */
        "123456789123456789", "987654321987654321", "147258369147258369", "0123456789abcdef",
        "qwer1234asdf5678", "1234qwerASDFzxcv", "asdfghjkl;123456", "!QAZ2wsx#EDC4rfv",
        "1q2w3e4r5t6y7u8i", "q1w2e3r4t5y6u7i8", "zyxwvuts87654321", "zaq12wsxcde34rfv",
        /* words, with runs and a little besides */
        "password123456789", "Passw0rd12345678", "qwertyuiop123456", "welcome 12345678!",
        "footballbaseball", "princess-princess", "letmein123letmein", "Summer&Sunshine26",
        "monkey dragon princess",
        /* letters written as digits and signs */
        "P@ssw0rdP@ssw0rd", "P@$$w0rd-P@55word", "Adm1n1strat0r123", "1l0v3y0u1l0v3y0u",
        "!L0vey0u4football",
        /* spelt out, one or two letters at a time */
        "p a s s w o r d 1 2", "P-A-S-S-W-0-R-D-!", "l.e.t.m.e.i.n.1.2.3",
        "pa ss wo rd pa ss wo rd", "s_u_m_m_e_r__2_0_2_6",
        /* over and over what alone would be too short, known or not */
        "abcabcabcabcabc", "trustno1trustno1", "kX9#mQ2kX9#mQ2kX", "kX9#mQ2$vL7pRtkX9#mQ2$vL7pRt1",
        "1990010119900101", "Hm7 wHm7 wHm7 w!!"};
    for (size_t i = 0; i < ARRAY_COUNT(passwords); i++)
        check_rows(&(struct row){passwords[i], PASSWORD_COMMON}, 1, "alice");
}

static void what_has_enough_else_is_fine(void **state)
{
    (void)state;
    static const char *const passwords[] = {
        "coral ladder fog bench", "monkey dragon princess shadow", "summer rain on the roof",
        "password of the blue giraffe", "wrenching-oboe-92-salad", "eleven pears, one plum",
        "die katze schläft am ofen", "kX9#mQ2$vL7pRt4z", "3f2b8c1e9d7a4650", "481516234210836",
        "1e8c0fa94d6b27350", "maytheforcebewithyouab", "kX9#mQ2$vL7pRt4kX9#mQ2$vL7pRt4",
        /* spelt, or short, and still no such word */
        "k x 9 m q 2 v l 7 p", "my cat is on a roof", "we go up to it as is",
        "correct horse staple battery"};
    for (size_t i = 0; i < ARRAY_COUNT(passwords); i++)
        check_rows(&(struct row){passwords[i], PASSWORD_FINE}, 1, "alice");
}

static void every_entry_of_the_list_is_found(void **state)
{
    (void)state;
    size_t at_default_count = 0;
    assert_true(password_rules_list.count >= 3000);
    for (size_t i = 0; i < password_rules_list.count; i++) {
        const char *entry = password_rules_list.texts + password_rules_list.starts[i];
        assert_int_equal(password_rules_judge(entry, "nobody", 1), PASSWORD_COMMON);
        at_default_count += text_count_chars(entry) >= 15;
    }
    /* Those that count where the shortest allowed password is as long as the default says. */
    assert_true(at_default_count >= 3000);
}

static void nothing_before_between_or_after_the_entries_is_found(void **state)
{
    (void)state;
    const char *const texts[] = {"!", " ", "~~~~~~~x", "zzzzzx", "passwor", "passwords and"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        assert_int_equal(password_rules_judge(texts[i], "nobody", 1), PASSWORD_FINE);
}

static void every_fault_has_a_code_and_a_sentence(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    const struct {
        enum password_fault fault;
        const char *code;
        const char *text;
    } rows[] = {
        {PASSWORD_TOO_SHORT, "PasswordTooShort", "has fewer than 15 characters"},
        {PASSWORD_TOO_LONG, "PasswordTooLong", "has more than 1024 bytes"},
        {PASSWORD_IS_NAME, "PasswordIsName", "is little more than the user name"},
        {PASSWORD_COMMON, "PasswordCommon", "is one that many people use"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_string_equal(password_rules_code(rows[i].fault), rows[i].code);
        assert_true(text_starts_with(password_rules_text(&arena, rows[i].fault, 15), rows[i].text));
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_is_counted_in_code_points),
        cmocka_unit_test(length_ends_at_1024_bytes),
        cmocka_unit_test(names_with_digits_and_signs_are_no_password),
        cmocka_unit_test(any_user_name_can_be_looked_for),
        cmocka_unit_test(what_many_people_use_is_refused_in_any_case_with_a_tail_and_repeated),
        cmocka_unit_test(what_is_only_put_together_of_what_many_people_use_is_refused),
        cmocka_unit_test(what_has_enough_else_is_fine),
        cmocka_unit_test(every_entry_of_the_list_is_found),
        cmocka_unit_test(nothing_before_between_or_after_the_entries_is_found),
        cmocka_unit_test(every_fault_has_a_code_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

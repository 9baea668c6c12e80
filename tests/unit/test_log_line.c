/* SPDX-License-Identifier: MIT
 *
 * One line of log: its exact bytes in both formats, and hostile values that must not forge a line.
 */
#include "base/log_line.h"

#include "base/text.h"

#include "unit.h"

#define UNIX_MS INT64_C(1795364718123)

static const struct log_look as_json = {.service = "notes-svc", .format = LOG_JSON};
static const struct log_look as_text = {.service = "notes-svc", .format = LOG_TEXT};
static const struct log_look as_colour = {
    .service = "notes-svc", .format = LOG_TEXT, .is_coloured = true};

static void
assert_line(const struct log_look *look, const struct log_event *event, const char *expected)
{
    struct log_line line;
    log_line_form(&line, look, event);
    assert_true(line.size_bytes < sizeof(line.text));
    line.text[line.size_bytes] = '\0';
    assert_string_equal(line.text, expected);
}

static struct log_event event_of(const struct log_field *fields, size_t count)
{
    return (struct log_event){
        .unix_ms = UNIX_MS,
        .level = LOG_INFO,
        .name = "http.request_done",
        .request_id = "r1",
        .fields = fields,
        .count = count,
    };
}

static void json_has_the_fixed_members_first(void **state)
{
    (void)state;
    const struct log_field fields[] = {
        log_str("method", "GET"),  log_i64("status", 200), log_bool("is_new", true),
        log_bool("is_old", false), log_str("none", NULL),
    };
    struct log_event event = event_of(fields, ARRAY_COUNT(fields));
    assert_line(
        &as_json, &event,
        "{\"ts\":\"2026-11-22T16:25:18.123Z\",\"level\":\"info\",\"svc\":\"notes-svc\",\"event\":\"http.request_done\","
        "\"req_id\":\"r1\",\"method\":\"GET\",\"status\":200,\"is_new\":true,\"is_old\":false}\n");
}

static void text_is_for_people(void **state)
{
    (void)state;
    const struct log_field fields[] = {
        log_str("method", "GET"), log_i64("status", -1), log_str("why", "disk full"),
        log_str("empty", ""),     log_str("none", NULL),
    };
    struct log_event event = event_of(fields, ARRAY_COUNT(fields));
    assert_line(
        &as_text, &event,
        "16:25:18.123 info  http.request_done    method=GET status=-1 why=\"disk full\" empty=\"\" req_id=r1\n");
}

static void colours_are_only_added_when_asked_for(void **state)
{
    (void)state;
    const struct log_field fields[] = {log_i64("n", 1)};
    struct log_event event = event_of(fields, 1);
    event.level = LOG_ERROR;
    event.request_id = NULL;
    assert_line(&as_colour, &event,
                "16:25:18.123 \033[31merror\033[0m http.request_done    \033[2mn=\033[0m1\n");
}

static void an_event_without_request_has_no_id(void **state)
{
    (void)state;
    const struct log_field fields[] = {log_i64("n", 1)};
    struct log_event event = event_of(fields, 1);
    event.request_id = NULL;
    assert_line(
        &as_json, &event,
        "{\"ts\":\"2026-11-22T16:25:18.123Z\",\"level\":\"info\",\"svc\":\"notes-svc\",\"event\":\"http.request_done\",\"n\":1}\n");
}

struct value_row {
    const char *value;
    const char *in_json; /* what stands after `"v":` */
    const char *in_text; /* what stands after `v=` */
};

static const struct value_row value_rows[] = {
    {"plain", "\"plain\"", "plain"},
    {"a b", "\"a b\"", "\"a b\""},
    {"a=b", "\"a=b\"", "\"a=b\""},
    {"say \"hi\"\\", "\"say \\\"hi\\\"\\\\\"", "\"say \\\"hi\\\"\\\\\""},
    {"a\nb", "\"a\\nb\"", "\"a\\nb\""},
    {"a\r\n{\"forged\":1}", "\"a\\u000d\\n{\\\"forged\\\":1}\"",
     "\"a\\u000d\\n{\\\"forged\\\":1}\""},
    {"\033[2J", "\"\\u001b[2J\"", "\"\\u001b[2J\""},
    {"\x7F", "\"\\u007f\"", "\"\\u007f\""},
    {"\xC2\x85", "\"\\u0085\"", "\"\\u0085\""},
    {"\xC2\xA0", "\"\xC2\xA0\"", "\"\xC2\xA0\""},
    {"ü☃🐋", "\"ü☃🐋\"", "\"ü☃🐋\""},
    {"\xE2\x80\xA8", "\"\\u2028\"", "\"\\u2028\""},
    {"\xE2\x80\xAE", "\"\\u202e\"", "\"\\u202e\""},
    {"\xE2\x81\xA6", "\"\\u2066\"", "\"\\u2066\""},
    {"\xE2\x81\xA5", "\"\xE2\x81\xA5\"", "\"\xE2\x81\xA5\""},
    {"\xE2\x80\xA7", "\"\xE2\x80\xA7\"", "\"\xE2\x80\xA7\""},
    {"\xE2\x81\xAA", "\"\xE2\x81\xAA\"", "\"\xE2\x81\xAA\""},
    {"\xE3\x80\x80", "\"\xE3\x80\x80\"", "\"\xE3\x80\x80\""},
    {"a\xFFz", "\"a\\ufffdz\"", "\"a\\ufffdz\""},
    {"half \xE2\x80", "\"half \\ufffd\\ufffd\"", "\"half \\ufffd\\ufffd\""},
};

static void hostile_values_stay_inside_their_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(value_rows); i++) {
        const struct log_field field = log_str("v", value_rows[i].value);
        struct log_event event = event_of(&field, 1);
        struct log_line line;
        log_line_form(&line, &as_json, &event);
        line.text[line.size_bytes] = '\0';
        const char *value = strstr(line.text, "\"v\":") + 4;
        size_t size_bytes = strlen(value_rows[i].in_json);
        if (strncmp(value, value_rows[i].in_json, size_bytes) != 0 ||
            strcmp(value + size_bytes, "}\n") != 0)
            fail_msg("row %zu: %s", i, line.text);
    }
}

static void text_quotes_what_is_no_bare_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(value_rows); i++) {
        const struct log_field field = log_str("v", value_rows[i].value);
        struct log_event event = event_of(&field, 1);
        struct log_line line;
        log_line_form(&line, &as_text, &event);
        line.text[line.size_bytes] = '\0';
        const char *value = strstr(line.text, " v=") + 3;
        size_t size_bytes = strlen(value_rows[i].in_text);
        if (strncmp(value, value_rows[i].in_text, size_bytes) != 0 ||
            strcmp(value + size_bytes, " req_id=r1\n") != 0)
            fail_msg("row %zu: %s", i, line.text);
    }
}

static void long_values_are_cut_between_characters_and_marked(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char value[LOG_VALUE_MAX_BYTES + 100] = "";
        memset(value, 'x', shift);
        for (size_t at = shift; at + 5 < sizeof(value); at += 4)
            memcpy(value + at, "🐋", 5);
        const struct log_field field = log_str("v", value);
        struct log_event event = event_of(&field, 1);
        struct log_line line;
        log_line_form(&line, &as_json, &event);
        assert_true(text_is_utf8(line.text, line.size_bytes));
        line.text[line.size_bytes] = '\0';
        assert_true(text_ends_with(line.text, "🐋…\"}\n"));
    }
}

static void a_value_of_exactly_the_maximum_is_whole(void **state)
{
    (void)state;
    char value[LOG_VALUE_MAX_BYTES + 1];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    const struct log_field field = log_str("v", value);
    struct log_event event = event_of(&field, 1);
    struct log_line line;
    log_line_form(&line, &as_json, &event);
    line.text[line.size_bytes] = '\0';
    assert_non_null(strstr(line.text, value));
    assert_null(strstr(line.text, "…"));
}

static void fields_that_do_not_fit_are_left_out_as_a_whole(void **state)
{
    static const struct log_look *const looks[] = {&as_json, &as_text, &as_colour};
    (void)state;
    char value[LOG_VALUE_MAX_BYTES + 1];
    memset(value, '\x01', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    const struct log_field fields[] = {log_str("a", value), log_str("b", value),
                                       log_i64("last", 7)};
    struct log_event event = event_of(fields, ARRAY_COUNT(fields));
    for (size_t i = 0; i < ARRAY_COUNT(looks); i++) {
        struct log_line line;
        log_line_form(&line, looks[i], &event);
        assert_true(line.size_bytes < sizeof(line.text));
        assert_int_equal(line.text[line.size_bytes - 1], '\n');
        line.text[line.size_bytes] = '\0';
        assert_non_null(strstr(line.text, "last"));
        assert_non_null(strstr(line.text, "is_cut"));
        assert_null(strstr(line.text, i == 0 ? "\"b\":" : "b="));
    }
}

/* A field of each size around the end of the line. */
static void no_size_of_fields_breaks_the_line(void **state)
{
    (void)state;
    char value[LOG_VALUE_MAX_BYTES + 1];
    for (size_t size_bytes = 0; size_bytes <= LOG_VALUE_MAX_BYTES; size_bytes++) {
        memset(value, 'x', size_bytes);
        value[size_bytes] = '\0';
        struct log_field fields[9];
        for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
            fields[i] = log_str("field", value);
        struct log_event event = event_of(fields, ARRAY_COUNT(fields));
        struct log_line line;
        log_line_form(&line, &as_json, &event);
        assert_true(line.size_bytes < sizeof(line.text));
        assert_memory_equal(line.text + line.size_bytes - 2, "}\n", 2);
    }
}

static void levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_ERROR), "error");
    assert_string_equal(log_level_name(LOG_WARN), "warn");
    assert_string_equal(log_level_name(LOG_INFO), "info");
    assert_string_equal(log_level_name(LOG_DEBUG), "debug");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(json_has_the_fixed_members_first),
        UNIT(text_is_for_people),
        UNIT(colours_are_only_added_when_asked_for),
        UNIT(an_event_without_request_has_no_id),
        UNIT(hostile_values_stay_inside_their_quotes),
        UNIT(text_quotes_what_is_no_bare_word),
        UNIT(long_values_are_cut_between_characters_and_marked),
        UNIT(a_value_of_exactly_the_maximum_is_whole),
        UNIT(fields_that_do_not_fit_are_left_out_as_a_whole),
        UNIT(no_size_of_fields_breaks_the_line),
        UNIT(levels_have_names),
    };
    return cmocka_run_group_tests_name("log_line", tests, NULL, NULL);
}

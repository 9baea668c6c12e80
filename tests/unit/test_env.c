/* SPDX-License-Identifier: MIT
 *
 * Settings: values, fallbacks, aliases, secret files, faults in the words that a person reads, and
 * the table. */
#include "base/env.h"

#include "base/text.h"

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

struct config {
    int64_t port;
    int64_t idle_s;
    const char *listen;
    const char *log_format;
    const char *state_dir;
    struct secret key;
};

static const char *const log_formats[] = {"json", "text", NULL};

#define THIS struct config
static const struct setting settings[] = {
    {.name = "UNIT_PORT",
     .at = AT_I64(THIS, port),
     .fallback = "3000",
     .min = 1,
     .max = 65535,
     .help = "port to listen on"},
    {.name = "UNIT_IDLE_S",
     .at = AT_I64(THIS, idle_s),
     .fallback = "7200",
     .min = 60,
     .max = 86400,
     .unit = "s",
     .help = "idle time"},
    {.name = "UNIT_LISTEN",
     .alias = "UNIT_REST_LISTEN",
     .at = AT_TEXT(THIS, listen),
     .fallback = "127.0.0.1",
     .help = "address"},
    {.name = "UNIT_LOG_FORMAT",
     .at = AT_TEXT(THIS, log_format),
     .fallback = "json",
     .choices = log_formats,
     .help = "look"},
    {.name = "UNIT_STATE_DIR", .at = AT_TEXT(THIS, state_dir), .help = "folder"},
    {.name = "UNIT_KEY",
     .alias = "UNIT_OLD_KEY",
     .at = AT_SECRET(THIS, key),
     .help = "service key"},
};

static const char *const names[] = {
    "UNIT_PORT",      "UNIT_IDLE_S", "UNIT_LISTEN",   "UNIT_REST_LISTEN",  "UNIT_LOG_FORMAT",
    "UNIT_STATE_DIR", "UNIT_KEY",    "UNIT_KEY_FILE", "UNIT_OLD_KEY_FILE", "UNIT_OLD_KEY",
};

struct reading {
    struct arena arena;
    struct config config;
    struct env_faults faults;
};

static int reading_new(void **state)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    if (!reading)
        return -1;
    arena_init(&reading->arena);
    reading->faults.arena = &reading->arena;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        (void)unsetenv(names[i]);
    *state = reading;
    return 0;
}

static int reading_free(void **state)
{
    struct reading *reading = *state;
    env_secrets_done(settings, ARRAY_COUNT(settings), &reading->config);
    arena_done(&reading->arena);
    free(reading);
    return 0;
}

static void set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static void read_all(struct reading *reading)
{
    env_read(settings, ARRAY_COUNT(settings), &reading->config, &reading->faults);
}

static void assert_only_fault(const struct reading *reading, const char *line)
{
    assert_int_equal(reading->faults.count, 1);
    assert_string_equal(reading->faults.lines[0], line);
}

static void unset_settings_have_their_fallback(void **state)
{
    struct reading *reading = *state;
    set("UNIT_LISTEN", "");
    read_all(reading);
    assert_int_equal(reading->faults.count, 0);
    assert_int_equal(reading->config.port, 3000);
    assert_int_equal(reading->config.idle_s, 7200);
    assert_string_equal(reading->config.listen, "127.0.0.1");
    assert_string_equal(reading->config.log_format, "json");
    assert_null(reading->config.state_dir);
    assert_false(secret_is_set(&reading->config.key));
}

static void set_ones_have_their_value(void **state)
{
    struct reading *reading = *state;
    set("UNIT_PORT", "65535");
    set("UNIT_LISTEN", "::1");
    set("UNIT_LOG_FORMAT", "text");
    set("UNIT_STATE_DIR", "/srv/ünote");
    set("UNIT_KEY", "my key");
    read_all(reading);
    assert_int_equal(reading->faults.count, 0);
    assert_int_equal(reading->config.port, 65535);
    assert_string_equal(reading->config.listen, "::1");
    assert_string_equal(reading->config.log_format, "text");
    assert_string_equal(reading->config.state_dir, "/srv/ünote");
    assert_string_equal(reading->config.key.text, "my key");
}

static void values_outlive_a_change_of_the_environment(void **state)
{
    struct reading *reading = *state;
    set("UNIT_LISTEN", "10.0.0.1");
    read_all(reading);
    set("UNIT_LISTEN", "10.9.9.9");
    assert_string_equal(reading->config.listen, "10.0.0.1");
}

static void a_bad_number_is_named_with_its_range_and_leaves_the_fallback(void **state)
{
    struct reading *reading = *state;
    set("UNIT_PORT", "abc");
    read_all(reading);
    assert_only_fault(reading, "UNIT_PORT: \"abc\" is not a number from 1 to 65535");
    assert_int_equal(reading->config.port, 3000);
}

static void numbers_outside_their_range_are_refused(void **state)
{
    static const char *const values[] = {"0", "65536", "-1", "1e3", " 80", "99999999999999999999"};
    struct reading *reading = *state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        set("UNIT_PORT", values[i]);
        reading->faults.count = 0;
        read_all(reading);
        assert_int_equal(reading->faults.count, 1);
    }
}

static void a_bad_choice_is_named_with_the_good_ones(void **state)
{
    struct reading *reading = *state;
    set("UNIT_LOG_FORMAT", "xml");
    read_all(reading);
    assert_only_fault(reading, "UNIT_LOG_FORMAT: \"xml\" is none of json, text");
    assert_string_equal(reading->config.log_format, "json");
}

static void all_faults_are_found_together(void **state)
{
    struct reading *reading = *state;
    set("UNIT_PORT", "x");
    set("UNIT_IDLE_S", "1");
    set("UNIT_LOG_FORMAT", "xml");
    set("UNIT_STATE_DIR", "a\nb");
    set("UNIT_LISTEN", "\xFF");
    read_all(reading);
    assert_int_equal(reading->faults.count, 5);
    assert_string_equal(reading->faults.lines[2],
                        "UNIT_LISTEN: has control characters or is not UTF-8");
    assert_string_equal(reading->faults.lines[4],
                        "UNIT_STATE_DIR: has control characters or is not UTF-8");
}

static void odd_values_are_shown_short_and_harmless(void **state)
{
    struct reading *reading = *state;
    char longer[200];
    memset(longer, '9', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    set("UNIT_PORT", longer);
    read_all(reading);
    assert_true(strlen(reading->faults.lines[0]) < 140);
    set("UNIT_PORT", "\033[31m");
    reading->faults.count = 0;
    read_all(reading);
    assert_only_fault(reading,
                      "UNIT_PORT: \"(control characters)\" is not a number from 1 to 65535");
    set("UNIT_PORT", "\xFF");
    reading->faults.count = 0;
    read_all(reading);
    assert_only_fault(reading, "UNIT_PORT: \"(not UTF-8)\" is not a number from 1 to 65535");
}

static void an_alias_is_read_when_the_name_is_unset(void **state)
{
    struct reading *reading = *state;
    set("UNIT_REST_LISTEN", "10.0.0.1");
    set("UNIT_OLD_KEY", "old");
    read_all(reading);
    assert_int_equal(reading->faults.count, 0);
    assert_string_equal(reading->config.listen, "10.0.0.1");
    assert_string_equal(reading->config.key.text, "old");
}

static void an_alias_with_the_same_value_is_no_fault(void **state)
{
    struct reading *reading = *state;
    set("UNIT_LISTEN", "10.0.0.1");
    set("UNIT_REST_LISTEN", "10.0.0.1");
    read_all(reading);
    assert_int_equal(reading->faults.count, 0);
}

static void an_alias_with_another_value_is_a_fault(void **state)
{
    struct reading *reading = *state;
    set("UNIT_LISTEN", "10.0.0.1");
    set("UNIT_REST_LISTEN", "10.0.0.2");
    read_all(reading);
    assert_only_fault(
        reading,
        "UNIT_LISTEN: has another value than UNIT_REST_LISTEN, which means the same; set one of them");
}

static void assert_hidden(const struct reading *reading, const char *secret)
{
    for (size_t i = 0; i < reading->faults.count; i++)
        assert_null(strstr(reading->faults.lines[i], secret));
}

static void a_secret_may_come_from_a_file(void **state)
{
    struct reading *reading = *state;
    char path[] = "/tmp/notes-unit-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "filed key\n", 10), 10);
    (void)close(fd);
    set("UNIT_KEY_FILE", path);
    read_all(reading);
    (void)unlink(path);
    assert_int_equal(reading->faults.count, 0);
    assert_string_equal(reading->config.key.text, "filed key");
}

static void a_secret_that_was_read_is_gone_from_the_environment(void **state)
{
    struct reading *reading = *state;
    set("UNIT_OLD_KEY", "hunter2");
    const char *started_with = getenv("UNIT_OLD_KEY");
    read_all(reading);
    static const char zeros[sizeof("hunter2")];
    assert_string_equal(reading->config.key.text, "hunter2");
    assert_memory_equal(started_with, zeros, sizeof(zeros));
}

static void a_secret_in_both_places_is_a_fault(void **state)
{
    struct reading *reading = *state;
    set("UNIT_KEY", "hunter2");
    set("UNIT_KEY_FILE", "/nowhere");
    read_all(reading);
    assert_only_fault(reading, "UNIT_KEY: is set, and UNIT_KEY_FILE too; set one of them");
    assert_false(secret_is_set(&reading->config.key));
}

static void a_secret_file_that_is_not_there_is_a_fault(void **state)
{
    struct reading *reading = *state;
    set("UNIT_KEY_FILE", "/nowhere/key");
    read_all(reading);
    assert_only_fault(reading, "UNIT_KEY_FILE: /nowhere/key: No such file or directory");
}

static void a_secret_of_an_older_name_may_come_from_a_file_too(void **state)
{
    struct reading *reading = *state;
    char path[] = "/tmp/notes-unit-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "older key\n", 10), 10);
    (void)close(fd);
    set("UNIT_OLD_KEY_FILE", path);
    read_all(reading);
    (void)unlink(path);
    assert_int_equal(reading->faults.count, 0);
    assert_string_equal(reading->config.key.text, "older key");
}

static void a_secret_in_two_places_under_two_names_is_a_fault(void **state)
{
    static const char *const places[][3] = {
        {"UNIT_KEY", "UNIT_OLD_KEY_FILE",
         "UNIT_KEY: is set, and UNIT_OLD_KEY_FILE too; set one of them"},
        {"UNIT_OLD_KEY", "UNIT_KEY_FILE",
         "UNIT_KEY: is set, and UNIT_KEY_FILE too; set one of them"},
        {"UNIT_KEY_FILE", "UNIT_OLD_KEY_FILE",
         "UNIT_KEY_FILE: is set, and UNIT_OLD_KEY_FILE too; set one of them"},
    };
    struct reading *reading = *state;
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        reading->faults.count = 0;
        set(places[i][0], "one place");
        set(places[i][1], "another place");
        read_all(reading);
        assert_only_fault(reading, places[i][2]);
        assert_false(secret_is_set(&reading->config.key));
        assert_int_equal(unsetenv(places[i][0]) + unsetenv(places[i][1]), 0);
    }
}

static void no_fault_shows_a_secret(void **state)
{
    struct reading *reading = *state;
    char longer[SECRET_MAX_BYTES + 2];
    memset(longer, 'S', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    set("UNIT_KEY", longer);
    set("UNIT_OLD_KEY", "SSSS");
    read_all(reading);
    assert_int_equal(reading->faults.count, 2);
    assert_hidden(reading, "SSSS");
    assert_false(secret_is_set(&reading->config.key));
}

static void faults_beyond_the_maximum_are_dropped(void **state)
{
    struct reading *reading = *state;
    for (int i = 0; i < ENV_FAULTS_MAX_COUNT + 10; i++)
        env_fault(&reading->faults, "NAME", "is wrong %d", i);
    assert_int_equal(reading->faults.count, ENV_FAULTS_MAX_COUNT);
    assert_string_equal(reading->faults.lines[63], "NAME: is wrong 63");
}

static char *print(const struct config *config, const struct env_faults *faults)
{
    char *text = NULL;
    size_t size_bytes = 0;
    FILE *out = open_memstream(&text, &size_bytes);
    assert_non_null(out);
    env_print(out, settings, ARRAY_COUNT(settings), config, faults);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_table_shows_all_settings_and_masks_secrets(void **state)
{
    struct reading *reading = *state;
    set("UNIT_PORT", "8080");
    set("UNIT_KEY", "hunter2");
    set("UNIT_STATE_DIR", "/srv/ünote");
    read_all(reading);
    char *text = print(&reading->config, &reading->faults);
    static const char *const parts[] = {
        "UNIT_PORT ",
        "8080",
        "3000",
        "1..65535",
        "60..86400",
        "json|text",
        "********",
        "(alias UNIT_REST_LISTEN)",
        "(secret: also as UNIT_KEY_FILE)",
        "/srv/ünote",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (!strstr(text, parts[i]))
            fail_msg("\"%s\" is missing", parts[i]);
    }
    assert_null(strstr(text, "hunter2"));
    free(text);
}

/* A fallback that is not what was asked for must not look as if it were in force. */
static void the_table_shows_no_value_of_a_faulty_setting(void **state)
{
    struct reading *reading = *state;
    set("UNIT_PORT", "abc");
    set("UNIT_KEY_FILE", "/nonexistent");
    read_all(reading);
    assert_int_equal(reading->faults.count, 2);
    char *text = print(&reading->config, &reading->faults);
    char *rest = text;
    size_t invalid_count = 0;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n")) {
        bool is_faulty =
            text_starts_with(line, "UNIT_PORT ") || text_starts_with(line, "UNIT_KEY ");
        assert_true(is_faulty == (strstr(line, "(invalid)") != NULL));
        invalid_count += is_faulty;
    }
    assert_int_equal(invalid_count, 2);
    free(text);
}

/* Each line's help begins in the column of the headline's MEANING. */
static void the_table_is_aligned(void **state)
{
    struct reading *reading = *state;
    set("UNIT_STATE_DIR", "/srv/ünote/☃");
    read_all(reading);
    char *text = print(&reading->config, &reading->faults);
    char *rest = text;
    const char *head = strsep(&rest, "\n");
    const char *meaning = strstr(head, "MEANING");
    assert_non_null(meaning);
    size_t column = (size_t)(meaning - head);
    size_t lines_count = 0;
    for (char *line = strsep(&rest, "\n"); line && *line;
         line = strsep(&rest, "\n"), lines_count++) {
        size_t at = column;
        if (text_starts_with(line, "UNIT_STATE_DIR"))
            at += strlen("ü☃") - 2;
        assert_true(strlen(line) >= at);
        assert_int_equal(line[at - 1], ' ');
        assert_int_not_equal(line[at], ' ');
    }
    assert_int_equal(lines_count, ARRAY_COUNT(settings));
    free(text);
}

static void a_secret_may_have_a_fallback_which_is_masked_too(void **state)
{
    static const struct setting with_fallback = {
        .name = "UNIT_KEY", .at = AT_SECRET(THIS, key), .fallback = "fallback key"};
    struct reading *reading = *state;
    env_read(&with_fallback, 1, &reading->config, &reading->faults);
    assert_string_equal(reading->config.key.text, "fallback key");
    char *text = NULL;
    size_t size_bytes = 0;
    FILE *out = open_memstream(&text, &size_bytes);
    assert_non_null(out);
    env_print(out, &with_fallback, 1, &reading->config, &reading->faults);
    assert_int_equal(fclose(out), 0);
    assert_null(strstr(text, "fallback key"));
    assert_int_equal(reading->faults.count, 0);
    free(text);
}

#define UNIT_WITH_READING(test) cmocka_unit_test_setup_teardown(test, reading_new, reading_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_READING(unset_settings_have_their_fallback),
        UNIT_WITH_READING(set_ones_have_their_value),
        UNIT_WITH_READING(values_outlive_a_change_of_the_environment),
        UNIT_WITH_READING(a_bad_number_is_named_with_its_range_and_leaves_the_fallback),
        UNIT_WITH_READING(numbers_outside_their_range_are_refused),
        UNIT_WITH_READING(a_bad_choice_is_named_with_the_good_ones),
        UNIT_WITH_READING(all_faults_are_found_together),
        UNIT_WITH_READING(odd_values_are_shown_short_and_harmless),
        UNIT_WITH_READING(an_alias_is_read_when_the_name_is_unset),
        UNIT_WITH_READING(an_alias_with_the_same_value_is_no_fault),
        UNIT_WITH_READING(an_alias_with_another_value_is_a_fault),
        UNIT_WITH_READING(a_secret_may_come_from_a_file),
        UNIT_WITH_READING(a_secret_that_was_read_is_gone_from_the_environment),
        UNIT_WITH_READING(a_secret_in_both_places_is_a_fault),
        UNIT_WITH_READING(a_secret_file_that_is_not_there_is_a_fault),
        UNIT_WITH_READING(a_secret_of_an_older_name_may_come_from_a_file_too),
        UNIT_WITH_READING(a_secret_in_two_places_under_two_names_is_a_fault),
        UNIT_WITH_READING(no_fault_shows_a_secret),
        UNIT_WITH_READING(faults_beyond_the_maximum_are_dropped),
        UNIT_WITH_READING(the_table_shows_all_settings_and_masks_secrets),
        UNIT_WITH_READING(a_secret_may_have_a_fallback_which_is_masked_too),
        UNIT_WITH_READING(the_table_shows_no_value_of_a_faulty_setting),
        UNIT_WITH_READING(the_table_is_aligned),
    };
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 *
 * The log's way out: order, levels, a reader that stands still, one that is gone, many writers. The
 * output is a pipe that the test reads, so that nothing depends on time but the maximum that
 * log_free promises. */
#include "base/log.h"

#include "base/ctx.h"
#include "base/text.h"

#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_VALUE_BYTES 900

struct output {
    int read_fd;
    int write_fd;
    struct ctx ctx;
    char *text; /* what collect() has read */
    size_t size_bytes;
};

static int output_new(void **state)
{
    struct output *output = calloc(1, sizeof(*output));
    int fds[2];
    if (!output || pipe(fds) != 0)
        return -1;
    output->read_fd = fds[0];
    output->write_fd = fds[1];
    ctx_init(&output->ctx, NULL, 0);
    *state = output;
    return 0;
}

static int output_free(void **state)
{
    struct output *output = *state;
    if (output->read_fd >= 0)
        (void)close(output->read_fd);
    if (output->write_fd >= 0)
        (void)close(output->write_fd);
    ctx_done(&output->ctx);
    free(output->text);
    free(output);
    return 0;
}

static struct log *start_log(struct output *output, enum log_level level, enum log_format format)
{
    output->ctx.log = log_new(output->write_fd, "unit", level, format);
    return output->ctx.log;
}

/* Reads to the end of the pipe. */
static void *collect(void *argument)
{
    struct output *output = argument;
    size_t room_bytes = 0;
    ssize_t count = 1;
    while (count > 0) {
        if (room_bytes - output->size_bytes < 65536) {
            room_bytes = room_bytes * 2 + 131072;
            output->text = realloc(output->text, room_bytes);
            assert_non_null(output->text);
        }
        count = read(output->read_fd, output->text + output->size_bytes,
                     room_bytes - output->size_bytes - 1);
        if (count > 0)
            output->size_bytes += (size_t)count;
    }
    output->text[output->size_bytes] = '\0';
    return NULL;
}

static void end_output(struct output *output)
{
    (void)close(output->write_fd);
    output->write_fd = -1;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static void lines_come_out_in_order_with_the_request_id(void **state)
{
    struct output *output = *state;
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    for (int i = 0; i < 100; i++)
        log_info(&output->ctx, "unit.line_made", log_i64("n", i));
    log_free(log);
    end_output(output);
    (void)collect(output);
    const char *at = output->text;
    for (int i = 0; i < 100; i++) {
        char part[32];
        (void)snprintf(part, sizeof(part), "\"n\":%d}\n", i);
        at = strstr(at, part);
        assert_non_null(at);
    }
    assert_int_equal(count_of(output->text, output->ctx.request_id), 100);
    assert_int_equal(count_of(output->text, "\n"), 100);
}

static void levels_below_the_set_one_are_left_out(void **state)
{
    struct output *output = *state;
    struct log *log = start_log(output, LOG_WARN, LOG_TEXT);
    log_error(&output->ctx, "unit.error_made", log_i64("n", 1));
    log_warn(&output->ctx, "unit.warn_made", log_i64("n", 1));
    log_info(&output->ctx, "unit.info_made", log_i64("n", 1));
    log_debug(&output->ctx, "unit.debug_made", log_i64("n", 1));
    log_free(log);
    end_output(output);
    (void)collect(output);
    assert_non_null(strstr(output->text, "error unit.error_made"));
    assert_non_null(strstr(output->text, "warn  unit.warn_made"));
    assert_int_equal(count_of(output->text, "\n"), 2);
    assert_null(strstr(output->text, "\033"));
}

static void no_log_takes_events_silently(void **state)
{
    struct output *output = *state;
    log_error(&output->ctx, "unit.line_made", log_i64("n", 1));
    log_free(NULL);
    assert_null(output->ctx.log);
}

static void an_event_may_have_no_context(void **state)
{
    struct output *output = *state;
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    struct log_field field = log_i64("n", 1);
    log_event_write(log, NULL, LOG_INFO, "unit.line_made", &field, 1);
    log_free(log);
    end_output(output);
    (void)collect(output);
    assert_null(strstr(output->text, "req_id"));
    assert_non_null(strstr(output->text, "\"n\":1}\n"));
}

static void write_long_lines(struct output *output, int count)
{
    char value[LINE_VALUE_BYTES + 1];
    memset(value, 'x', LINE_VALUE_BYTES);
    value[LINE_VALUE_BYTES] = '\0';
    for (int i = 0; i < count; i++)
        log_info(&output->ctx, "unit.line_made", log_str("v", value));
}

/* Sum of the counts of all log.lines_dropped lines. */
static size_t dropped_count(const char *text)
{
    size_t sum = 0;
    for (const char *at = strstr(text, "\"log.lines_dropped\",\"count\":"); at;
         at = strstr(at + 1, "\"log.lines_dropped\""))
        sum += strtoul(at + strlen("\"log.lines_dropped\",\"count\":"), NULL, 10);
    return sum;
}

static void a_full_buffer_drops_lines_and_counts_them(void **state)
{
    enum { LINES_COUNT = 3000 };
    struct output *output = *state;
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    write_long_lines(output, LINES_COUNT);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, collect, output), 0);
    log_free(log);
    end_output(output);
    assert_int_equal(pthread_join(reader, NULL), 0);
    size_t dropped = dropped_count(output->text);
    assert_true(dropped > 0);
    assert_int_equal(count_of(output->text, "unit.line_made") + dropped, LINES_COUNT);
    assert_int_equal(count_of(output->text, "\n"), count_of(output->text, "{\"ts\""));
}

static void a_reader_that_stands_still_does_not_hold_up_the_end(void **state)
{
    struct output *output = *state;
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    write_long_lines(output, 1000);
    log_free(log);
    end_output(output);
    (void)collect(output);
    assert_true(count_of(output->text, "unit.line_made") < 1000);
    assert_true(count_of(output->text, "unit.line_made") > 0);
}

static void a_non_blocking_output_loses_nothing(void **state)
{
    enum { LINES_COUNT = 400 };
    struct output *output = *state;
    assert_int_equal(fcntl(output->write_fd, F_SETFL, O_NONBLOCK), 0);
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, collect, output), 0);
    write_long_lines(output, LINES_COUNT);
    log_free(log);
    end_output(output);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(count_of(output->text, "unit.line_made"), LINES_COUNT);
}

static void a_reader_that_is_gone_ends_nothing(void **state)
{
    struct output *output = *state;
    (void)close(output->read_fd);
    output->read_fd = -1;
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    write_long_lines(output, 2000);
    log_free(log);
    sigset_t pending;
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

static void a_closed_output_ends_nothing(void **state)
{
    struct output *output = *state;
    end_output(output);
    output->ctx.log = log_new(-1, "unit", LOG_INFO, LOG_JSON);
    write_long_lines(output, 10);
    log_free(output->ctx.log);
    (void)collect(output);
    assert_int_equal(output->size_bytes, 0);
}

static off_t size_of_file(int fd)
{
    struct stat file;
    assert_int_equal(fstat(fd, &file), 0);
    return file.st_size;
}

static void limit_files_to(rlim_t size_bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size_bytes < limit.rlim_max ? size_bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The file may grow to the middle of the second line, and later further. Whenever the writer meets
 * the limit, each line stands alone, and what is missing is counted. */
static void a_line_that_was_torn_by_a_full_disk_spoils_no_other(void **state)
{
    enum { FULL_BYTES = 1500, LINES_COUNT = 20 };
    struct output *output = *state;
    char path[] = "/tmp/notes-unit-XXXXXX";
    end_output(output);
    (void)close(output->read_fd);
    output->read_fd = mkstemp(path);
    output->write_fd = open(path, O_WRONLY | O_APPEND);
    assert_true(output->read_fd >= 0 && output->write_fd >= 0);
    (void)unlink(path);

    limit_files_to(FULL_BYTES);
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    write_long_lines(output, LINES_COUNT / 2);
    while (size_of_file(output->write_fd) < FULL_BYTES)
        (void)usleep(1000);
    (void)usleep(20000);
    limit_files_to(RLIM_INFINITY);
    write_long_lines(output, LINES_COUNT / 2);
    log_free(log);

    (void)collect(output);
    size_t whole_count = count_of(output->text, "x\"}\n");
    assert_int_equal(whole_count + dropped_count(output->text), LINES_COUNT);
    assert_int_equal(count_of(output->text, "{\"ts\""), count_of(output->text, "\n"));
}

struct writer {
    struct output *output;
    int number;
};

static void *write_many(void *argument)
{
    const struct writer *writer = argument;
    for (int i = 0; i < 300; i++)
        log_info(&writer->output->ctx, "unit.line_made", log_i64("writer", writer->number),
                 log_i64("n", i));
    return NULL;
}

static void lines_of_many_threads_do_not_mix(void **state)
{
    enum { WRITERS_COUNT = 4 };
    struct output *output = *state;
    struct log *log = start_log(output, LOG_INFO, LOG_JSON);
    struct writer writers[WRITERS_COUNT];
    pthread_t threads[WRITERS_COUNT];
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, collect, output), 0);
    for (int i = 0; i < WRITERS_COUNT; i++) {
        writers[i] = (struct writer){.output = output, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS_COUNT; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    log_free(log);
    end_output(output);
    assert_int_equal(pthread_join(reader, NULL), 0);
    for (int i = 0; i < WRITERS_COUNT; i++) {
        char part[64];
        (void)snprintf(part, sizeof(part), "\"writer\":%d,\"n\":", i);
        assert_int_equal(count_of(output->text, part), 300);
    }
    assert_int_equal(count_of(output->text, "}\n{\"ts\""), 300 * WRITERS_COUNT - 1);
}

static void names_of_levels_and_formats_are_read_strictly(void **state)
{
    (void)state;
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
        enum log_level level = LOG_ERROR;
        assert_true(log_level_parse(levels[i], &level));
        assert_int_equal(level, i);
    }
    enum log_level level = LOG_WARN;
    assert_false(log_level_parse("INFO", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_WARN);
    enum log_format format = LOG_JSON;
    assert_false(log_format_parse("xml", &format));
    assert_true(log_format_parse("text", &format));
    assert_int_equal(format, LOG_TEXT);
    assert_true(log_format_parse("json", &format));
    assert_int_equal(format, LOG_JSON);
}

#define UNIT_WITH_OUTPUT(test) cmocka_unit_test_setup_teardown(test, output_new, output_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_OUTPUT(lines_come_out_in_order_with_the_request_id),
        UNIT_WITH_OUTPUT(levels_below_the_set_one_are_left_out),
        UNIT_WITH_OUTPUT(no_log_takes_events_silently),
        UNIT_WITH_OUTPUT(an_event_may_have_no_context),
        UNIT_WITH_OUTPUT(a_full_buffer_drops_lines_and_counts_them),
        UNIT_WITH_OUTPUT(a_reader_that_stands_still_does_not_hold_up_the_end),
        UNIT_WITH_OUTPUT(a_non_blocking_output_loses_nothing),
        UNIT_WITH_OUTPUT(a_reader_that_is_gone_ends_nothing),
        UNIT_WITH_OUTPUT(a_closed_output_ends_nothing),
        UNIT_WITH_OUTPUT(a_line_that_was_torn_by_a_full_disk_spoils_no_other),
        UNIT_WITH_OUTPUT(lines_of_many_threads_do_not_mix),
        UNIT(names_of_levels_and_formats_are_read_strictly),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

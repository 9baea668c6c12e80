/* SPDX-License-Identifier: MIT
 *
 * The SQLite driver on real files: what can be opened and how, values on their way in and out,
 * statements and their failures. Transactions and locks: test_db_locks.c. */
#include "db_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNTOUCHED_COUNT (-7)
#define MANY_COUNT      400

static const struct db_statement insert_with_id = {"INSERT INTO things (id, name) VALUES (?, ?)"};
static const struct db_statement insert_null_part = {"INSERT INTO parts (thing) VALUES (NULL)"};
static const struct db_statement insert_wrong_type = {"INSERT INTO things (size) VALUES ('many')"};
static const struct db_statement find = {"SELECT id, name, size, data FROM things WHERE name IS ?"};
static const struct db_statement set_size = {"UPDATE things SET size = ?"};
static const struct db_statement make_index = {
    "CREATE INDEX IF NOT EXISTS things_size ON things (size)"};
static const struct db_statement no_statement = {"-- nothing"};
static const struct db_statement no_table = {"SELECT * FROM nowhere"};
static const struct db_statement misspelt_text = {"SELECT \"no such column\""};

/* --- Addresses and files --- */

static void a_url_that_cannot_be_opened_has_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *fault;
    } rows[] = {
        {"sqlite:/tmp/x.sqlite", NULL},
        {"sqlite:x", NULL},
        {"sqlite:", "names no file: use sqlite:PATH"},
        {"mysql://me@db/notes", NULL},
        {"mysql://me:pw@db/",
         "is not of the form mysql://USER[:PASSWORD]@HOST[:PORT][,HOST2...]/DB"},
        {"postgres:x", "is neither sqlite:PATH nor mysql://USER@HOST/DB"},
        {"SQLITE:x", "is neither sqlite:PATH nor mysql://USER@HOST/DB"},
        {"", "is neither sqlite:PATH nor mysql://USER@HOST/DB"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *fault = db_url_fault(rows[i].url);
        assert_int_equal(fault == NULL, rows[i].fault == NULL);
        if (fault)
            assert_string_equal(fault, rows[i].fault);
    }
}

static void what_cannot_be_opened_is_unavailable_and_named(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    char damaged[160];
    char dangling[160];
    (void)snprintf(damaged, sizeof(damaged), "%s/damaged.sqlite", fixture->folder.path);
    (void)snprintf(dangling, sizeof(dangling), "%s/dangling.sqlite", fixture->folder.path);
    FILE *file = fopen(damaged, "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        assert_true(fputs("no database", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(symlink("nowhere/at-all", dangling), 0);
    const struct {
        const char *path;
        const char *why;
    } rows[] = {
        {"/nowhere/at/all.sqlite",
         "can't open the database /nowhere/at/all.sqlite: No such file or directory"},
        {fixture->folder.path, "Is a directory"},
        {"/dev/null", "Invalid argument"},
        {damaged, "SQLITE_NOTADB: file is not a database"},
        {dangling, "No such file or directory"},
        {"/dev/null/x", "Not a directory"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char url[256];
        (void)snprintf(url, sizeof(url), "sqlite:%s", rows[i].path);
        struct db *db = NULL;
        enum err err = db_open(ctx, &(struct db_options){.url = url}, &db);
        assert_null(db);
        assert_non_null(strstr(ctx->why.text, rows[i].path));
        assert_int_equal(because(ctx, err, rows[i].why), ERR_UNAVAILABLE);
    }
    struct db *db = NULL;
    enum err err = db_open(ctx, &(struct db_options){.url = "mysql:x"}, &db);
    assert_int_equal(because(ctx, err, "neither sqlite:PATH nor mysql://"), ERR_UNAVAILABLE);
    assert_null(db);
}

static mode_t mode_of(const char *path, const char *suffix)
{
    char name[176];
    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    struct stat file;
    assert_int_equal(stat(name, &file), 0);
    return file.st_mode & 07777;
}

static void the_files_are_the_owners_alone_whatever_the_umask(void **state)
{
    struct db_fixture *fixture = *state;
    char path[160];
    char url[170];
    static const mode_t masks[] = {0, 0077, 0777};
    for (size_t i = 0; i < ARRAY_COUNT(masks); i++) {
        (void)snprintf(path, sizeof(path), "%s/mask%zu", fixture->folder.path, i);
        (void)snprintf(url, sizeof(url), "sqlite:%s", path);
        mode_t old = umask(masks[i]);
        struct db *db = NULL;
        enum err err = db_open(&fixture->ctx, &(struct db_options){.url = url}, &db);
        if (!err)
            err = db_script(&fixture->ctx, db, db_fixture_schema);
        umask(old);
        assert_int_equal(err, ERR_OK);
        assert_int_equal(mode_of(path, ""), 0600);
        assert_int_equal(mode_of(path, "-wal"), 0600);
        assert_int_equal(mode_of(path, "-shm"), 0600);
        db_close(db);
    }
}

static void names_that_sqlite_would_read_otherwise_are_names_of_files(void **state)
{
    struct db_fixture *fixture = *state;
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(fixture->folder.path), 0);
    static const char *const files[] = {":memory:", "file:x?mode=memory", "plain"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        char url[64];
        (void)snprintf(url, sizeof(url), "sqlite:%s", files[i]);
        struct db *db = NULL;
        assert_int_equal(db_open(&fixture->ctx, &(struct db_options){.url = url}, &db), ERR_OK);
        assert_int_equal(access(files[i], F_OK), 0);
        db_close(db);
    }
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void a_connection_is_durable_and_strict(void **state)
{
    struct db_fixture *fixture = *state;
    static const struct {
        struct db_statement statement;
        int64_t value;
    } rows[] = {
        {{"SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"}, 1},
        {{"PRAGMA synchronous"}, 2},
        {{"PRAGMA foreign_keys"}, 1},
        {{"PRAGMA trusted_schema"}, 0},
        {{"PRAGMA temp_store"}, 2},
        {{"PRAGMA cell_size_check"}, 1},
        {{"PRAGMA cache_size"}, -256},
        {{"PRAGMA journal_size_limit"}, 8388608},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(number(&fixture->ctx, fixture->db, &rows[i].statement), rows[i].value);
    assert_int_equal(db_ping(&fixture->ctx, fixture->db), ERR_OK);
    assert_int_equal(strncmp(db_library(), "SQLite 3.", strlen("SQLite 3.")), 0);
}

/* --- A file that goes while it is in use --- */

static void writes_and_a_look_are_refused(struct db_fixture *fixture)
{
    struct ctx *ctx = &fixture->ctx;
    static const char why[] = "was removed or replaced while in use";
    struct db_values values = DB_VALUES(db_text("lost"), db_i64(1), db_null());
    enum err err = db_run(ctx, fixture->db, &insert, values, NULL);
    assert_int_equal(because(ctx, err, why), ERR_UNAVAILABLE);
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_OK);
    assert_int_equal(because(ctx, db_commit(ctx, &tx), why), ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_ping(ctx, fixture->db), why), ERR_UNAVAILABLE);
    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
}

static void add_suffix(const struct db_fixture *fixture, const char *suffix, char out_path[160])
{
    (void)snprintf(out_path, 160, "%s%s", fixture->path, suffix);
}

static void a_file_that_goes_takes_no_writes_until_it_is_back(void **state)
{
    struct db_fixture *fixture = *state;
    static const char *const suffixes[] = {"", "-wal"};
    add_thing(fixture, fixture->db, "before");
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        char path[160];
        char away[160];
        add_suffix(fixture, suffixes[i], path);
        add_suffix(fixture, "-away", away);
        assert_int_equal(rename(path, away), 0);
        writes_and_a_look_are_refused(fixture);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(rename(away, path), 0);
        assert_int_equal(db_ping(&fixture->ctx, fixture->db), ERR_OK);
    }
    add_thing(fixture, fixture->db, "afterwards");
    assert_int_equal(number(&fixture->ctx, fixture->db, &count_things), 2);
}

static void a_file_that_goes_amid_a_transaction_undoes_it(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    add_thing(fixture, fixture->db, "lost");
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(because(ctx, db_commit(ctx, &tx), "was removed"), ERR_UNAVAILABLE);
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
}

/* Neither written to nor taken for ours: it stays as it was put there. */
static void another_file_in_its_place_is_left_alone(void **state)
{
    struct db_fixture *fixture = *state;
    static const char word[] = "another";
    add_thing(fixture, fixture->db, "before");
    assert_int_equal(unlink(fixture->path), 0);
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_true(fputs(word, file) >= 0);
    assert_int_equal(fclose(file), 0);
    writes_and_a_look_are_refused(fixture);
    db_close(fixture->db);
    fixture->db = NULL;
    struct stat found;
    assert_int_equal(stat(fixture->path, &found), 0);
    assert_int_equal(found.st_size, strlen(word));
}

/* Ours is open still, and nobody would find what is written to it. */
static void another_log_in_its_place_is_left_alone(void **state)
{
    struct db_fixture *fixture = *state;
    char path[160];
    char away[160];
    add_suffix(fixture, "-wal", path);
    add_suffix(fixture, "-away", away);
    add_thing(fixture, fixture->db, "before");
    assert_int_equal(rename(path, away), 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    writes_and_a_look_are_refused(fixture);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, 0);
    assert_int_equal(rename(away, path), 0);
    assert_int_equal(db_ping(&fixture->ctx, fixture->db), ERR_OK);
    add_thing(fixture, fixture->db, "afterwards");
}

/* --- A file that is damaged while it is in use --- */

#define PAGE_BYTES 4096

static void
exchange_page(const struct db_fixture *fixture, long page, unsigned char bytes[PAGE_BYTES])
{
    unsigned char before[PAGE_BYTES];
    FILE *file = fopen(fixture->path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, page * PAGE_BYTES, SEEK_SET), 0);
    assert_int_equal(fread(before, 1, PAGE_BYTES, file), PAGE_BYTES);
    assert_int_equal(fseek(file, page * PAGE_BYTES, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, PAGE_BYTES, file), PAGE_BYTES);
    assert_int_equal(fclose(file), 0);
    memcpy(bytes, before, PAGE_BYTES);
}

static enum err read_all(struct ctx *ctx, struct db *db)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = true;
    enum err err = db_query(ctx, db, &names, DB_NO_VALUES, &rows);
    while (!err && has_row)
        err = db_next(ctx, &rows, &has_row);
    return err;
}

static void link_to(const char *target, const char *path)
{
    char turned[160];
    (void)snprintf(turned, sizeof(turned), "%s-turned", path);
    assert_int_equal(symlink(target, turned), 0);
    assert_int_equal(rename(turned, path), 0);
}

/* At the name itself and at a folder on the way to it; whatever it leads to, it is not written to.
 */
static void a_link_that_is_turned_takes_no_writes_until_it_leads_back(void **state)
{
    struct db_fixture *fixture = *state;
    struct db *direct = fixture->db;
    add_thing(fixture, direct, "before");
    char folder[160];
    char file[160];
    (void)snprintf(folder, sizeof(folder), "%s/folder", fixture->folder.path);
    (void)snprintf(file, sizeof(file), "%s/link.sqlite", fixture->folder.path);
    const struct {
        const char *link, *target, *elsewhere, *url_end;
    } rows[] = {
        {file, "test.sqlite", "/dev/null", "link.sqlite"},
        {folder, ".", "/", "folder/test.sqlite"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        (void)snprintf(fixture->url, sizeof(fixture->url), "sqlite:%s/%s", fixture->folder.path,
                       rows[i].url_end);
        link_to(rows[i].target, rows[i].link);
        fixture->db = db_fixture_open(fixture);
        assert_int_equal(db_ping(&fixture->ctx, fixture->db), ERR_OK);
        link_to(rows[i].elsewhere, rows[i].link);
        writes_and_a_look_are_refused(fixture);
        assert_int_equal(db_ping(&fixture->ctx, direct), ERR_OK);
        link_to(rows[i].target, rows[i].link);
        assert_int_equal(db_ping(&fixture->ctx, fixture->db), ERR_OK);
        db_close(fixture->db);
    }
    fixture->db = direct;
}

/* None of these pages is read by a look at the first one: what one connection finds, the look of
 * another knows. (Closing a file drops the locks that this process
 * has on it: here nobody else uses it.) */
static void damage_is_told_until_the_file_is_good_again(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    static const long pages[] = {1, 6}; /* the root of things, and one that holds rows */
    static const unsigned char data[600];
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "thing%d", i);
        struct db_values values = DB_VALUES(db_text(name), db_i64(1), db_blob(data, sizeof(data)));
        assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_OK);
    }
    db_close(fixture->db); /* writes its log into the file */
    fixture->db = db_fixture_open(fixture);
    CLEANUP(db_close_ptr) struct db *other = db_fixture_open(fixture);
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        unsigned char bytes[PAGE_BYTES];
        memset(bytes, 0xff, sizeof(bytes));
        exchange_page(fixture, pages[i], bytes);
        assert_int_equal(because(ctx, read_all(ctx, fixture->db), "SQLITE_CORRUPT"),
                         ERR_UNAVAILABLE);
        for (int k = 0; k < 2; k++)
            assert_int_equal(because(ctx, db_ping(ctx, other), "damaged"), ERR_UNAVAILABLE);
        exchange_page(fixture, pages[i], bytes);
        assert_int_equal(read_all(ctx, fixture->db), ERR_OK);
        assert_int_equal(db_ping(ctx, other), ERR_OK);
    }
}

static void a_look_sees_a_first_page_that_is_none(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    db_close(fixture->db);
    fixture->db = db_fixture_open(fixture);
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
    unsigned char bytes[PAGE_BYTES];
    memset(bytes, 0xff, sizeof(bytes));
    exchange_page(fixture, 0, bytes);
    assert_int_equal(because(ctx, db_ping(ctx, fixture->db), "SQLITE_NOTADB"), ERR_UNAVAILABLE);
    exchange_page(fixture, 0, bytes);
    assert_int_equal(db_ping(ctx, fixture->db), ERR_OK);
    add_thing(fixture, fixture->db, "afterwards");
}

/* --- Values and statements --- */

static void values_come_back_as_they_went_in(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    static const unsigned char bytes[] = {0, 1, 0, 255, 0};
    const struct {
        const char *name;
        int64_t size;
        struct bytes data;
    } rows[] = {
        {"", INT64_MIN, {bytes, 0}},
        {"plain", INT64_MAX, {bytes, sizeof(bytes)}},
        {"Grüße, 世界 🐋 '\";--", 0, {bytes, 1}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct db_values values = DB_VALUES(db_text(rows[i].name), db_i64(rows[i].size),
                                            db_blob(rows[i].data.p, rows[i].data.n));
        assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_OK);
        CLEANUP(db_rows_done) struct db_rows found = {0};
        bool has_row = false;
        assert_int_equal(
            db_query(ctx, fixture->db, &find, DB_VALUES(db_text(rows[i].name)), &found), ERR_OK);
        assert_int_equal(db_next(ctx, &found, &has_row), ERR_OK);
        assert_true(has_row);
        assert_int_equal(db_rows_i64(&found, 0), db_last_id(fixture->db));
        assert_string_equal(db_rows_text(ctx, &found, 1), rows[i].name);
        assert_true(db_rows_i64(&found, 2) == rows[i].size);
        struct bytes data = db_rows_blob(ctx, &found, 3);
        assert_false(db_rows_is_null(&found, 3));
        assert_int_equal(data.n, rows[i].data.n);
        assert_memory_equal(data.p, rows[i].data.p, data.n);
    }
}

static void an_empty_blob_without_an_address_is_no_null(void **state)
{
    struct db_fixture *fixture = *state;
    struct db_values values = DB_VALUES(db_text("empty"), db_null(), db_blob(NULL, 0));
    assert_int_equal(db_run(&fixture->ctx, fixture->db, &insert, values, NULL), ERR_OK);
    static const struct db_statement count = {
        "SELECT count(*) FROM things WHERE data IS NOT NULL AND length(data) = 0"};
    assert_int_equal(number(&fixture->ctx, fixture->db, &count), 1);
}

static void nulls_are_told_from_empty_values(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_values values = DB_VALUES(db_text(NULL), db_null(), db_null());
    assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_OK);
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(ctx, fixture->db, &find, DB_VALUES(db_null()), &rows), ERR_OK);
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
    assert_true(db_rows_is_null(&rows, 1));
    assert_null(db_rows_text(ctx, &rows, 1));
    assert_null(db_rows_blob(ctx, &rows, 3).p);
}

static void rows_outlive_the_values_that_were_asked_with(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    add_thing(fixture, fixture->db, "kept");
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    char *name = strdup("kept");
    assert_non_null(name);
    assert_int_equal(db_query(ctx, fixture->db, &find, DB_VALUES(db_text(name)), &rows), ERR_OK);
    memset(name, 'x', strlen(name));
    free(name);
    bool has_row = false;
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
}

static void a_statement_may_be_asked_again_while_its_rows_are_read(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    add_thing(fixture, fixture->db, "one");
    add_thing(fixture, fixture->db, "two");
    CLEANUP(db_rows_done) struct db_rows outer = {0};
    CLEANUP(db_rows_done) struct db_rows inner = {0};
    assert_int_equal(db_query(ctx, fixture->db, &names, DB_NO_VALUES, &outer), ERR_OK);
    for (int i = 0; i < 3; i++) {
        bool has_row = false;
        assert_int_equal(db_next(ctx, &outer, &has_row), ERR_OK);
        assert_int_equal(has_row, i < 2);
        if (i > 0)
            continue;
        assert_int_equal(db_query(ctx, fixture->db, &names, DB_NO_VALUES, &inner), ERR_OK);
        assert_int_equal(db_next(ctx, &inner, &has_row), ERR_OK);
        assert_true(has_row);
    }
}

static void the_end_of_the_rows_stays_the_end(void **state)
{
    struct db_fixture *fixture = *state;
    add_thing(fixture, fixture->db, "one");
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    assert_int_equal(db_query(&fixture->ctx, fixture->db, &names, DB_NO_VALUES, &rows), ERR_OK);
    static const bool expected[] = {true, false, false, false};
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        bool has_row = !expected[i];
        assert_int_equal(db_next(&fixture->ctx, &rows, &has_row), ERR_OK);
        assert_int_equal(has_row, expected[i]);
    }
}

static void changed_rows_are_counted_also_when_the_values_are_equal(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    add_thing(fixture, fixture->db, "one");
    add_thing(fixture, fixture->db, "two");
    const struct {
        const struct db_statement *statement;
        struct db_values values;
        int64_t count;
    } rows[] = {
        {&set_size, DB_VALUES(db_i64(5)), 2}, {&set_size, DB_VALUES(db_i64(5)), 2},
        {&make_index, DB_NO_VALUES, 0},       {&delete_all, DB_NO_VALUES, 2},
        {&set_size, DB_VALUES(db_i64(5)), 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t count = UNTOUCHED_COUNT;
        assert_int_equal(db_run(ctx, fixture->db, rows[i].statement, rows[i].values, &count),
                         ERR_OK);
        assert_int_equal(count, rows[i].count);
    }
}

static void failures_have_the_right_code_and_leave_outputs_alone(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_values first = DB_VALUES(db_i64(1), db_text("one"));
    assert_int_equal(db_run(ctx, fixture->db, &insert_with_id, first, NULL), ERR_OK);
    const struct {
        const struct db_statement *statement;
        struct db_values values;
        enum err err;
        const char *why;
    } rows[] = {
        {&insert_with_id, DB_VALUES(db_i64(2), db_text("one")), ERR_CONFLICT,
         "SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: things.name"},
        {&insert_with_id, DB_VALUES(db_i64(1), db_text("two")), ERR_CONFLICT,
         "SQLITE_CONSTRAINT_PRIMARYKEY"},
        {&set_size, DB_VALUES(db_i64(13)), ERR_INTERNAL, "SQLITE_CONSTRAINT_CHECK"},
        {&insert_null_part, DB_NO_VALUES, ERR_INTERNAL, "SQLITE_CONSTRAINT_NOTNULL"},
        {&insert_part, DB_VALUES(db_i64(99)), ERR_INTERNAL, "SQLITE_CONSTRAINT_FOREIGNKEY"},
        {&insert_wrong_type, DB_NO_VALUES, ERR_INTERNAL, "SQLITE_CONSTRAINT_DATATYPE"},
        {&no_table, DB_NO_VALUES, ERR_INTERNAL, "SQLITE_ERROR: no such table: nowhere"},
        {&misspelt_text, DB_NO_VALUES, ERR_INTERNAL, "no such column"},
        {&no_statement, DB_NO_VALUES, ERR_INTERNAL, "an empty statement"},
        {&set_size, DB_NO_VALUES, ERR_INTERNAL, "0 values for the 1 places"},
        {&set_size, DB_VALUES(db_i64(1), db_i64(2)), ERR_INTERNAL, "2 values for the 1 places"},
        {&names, DB_NO_VALUES, ERR_INTERNAL, "rows came where none are read"},
        {&insert_returning, DB_VALUES(db_text("three")), ERR_INTERNAL,
         "rows came where none are read"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t count = UNTOUCHED_COUNT;
        enum err err = db_run(ctx, fixture->db, rows[i].statement, rows[i].values, &count);
        assert_int_equal(because(ctx, err, rows[i].why), rows[i].err);
        assert_int_equal(count, UNTOUCHED_COUNT);
    }
    struct db_rows found = {0};
    enum err err = db_query(ctx, fixture->db, &no_table, DB_NO_VALUES, &found);
    assert_int_equal(because(ctx, err, "no such table"), ERR_INTERNAL);
    assert_null(found.db);
    err = db_script(ctx, fixture->db, "INSERT INTO pair VALUES (1, 2); nonsense");
    assert_int_equal(because(ctx, err, "SQLITE_ERROR"), ERR_INTERNAL);
}

static void reasons_hold_no_values(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_values values = DB_VALUES(db_text("a secret"), db_i64(13), db_null());
    assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_INTERNAL);
    assert_null(strstr(ctx->why.text, "secret"));
    ctx_forgive(ctx);
    add_thing(fixture, fixture->db, "a secret");
    values = DB_VALUES(db_text("a secret"), db_i64(1), db_null());
    assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_CONFLICT);
    assert_null(strstr(ctx->why.text, "secret"));
}

static void more_statements_than_the_cache_holds_all_work(void **state)
{
    struct db_fixture *fixture = *state;
    static struct db_statement many[MANY_COUNT];
    static char sql[MANY_COUNT][32];
    for (size_t i = 0; i < MANY_COUNT; i++) {
        (void)snprintf(sql[i], sizeof(sql[i]), "SELECT %zu", i);
        many[i].sql = sql[i];
    }
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < MANY_COUNT; i++)
            assert_int_equal(number(&fixture->ctx, fixture->db, &many[i]), i);
}

static void a_statement_that_changed_its_text_is_not_mistaken(void **state)
{
    struct db_fixture *fixture = *state;
    struct db_statement statement = {"SELECT 1"};
    assert_int_equal(number(&fixture->ctx, fixture->db, &statement), 1);
    statement.sql = "SELECT 2";
    assert_int_equal(number(&fixture->ctx, fixture->db, &statement), 2);
}

static void a_statement_sees_a_table_that_another_connection_changed(void **state)
{
    struct db_fixture *fixture = *state;
    assert_int_equal(number(&fixture->ctx, fixture->db, &count_things), 0);
    struct db *other = db_fixture_open(fixture);
    assert_int_equal(
        db_script(
            &fixture->ctx, other,
            "ALTER TABLE things ADD COLUMN tint TEXT; INSERT INTO things (tint) VALUES ('red')"),
        ERR_OK);
    assert_int_equal(number(&fixture->ctx, fixture->db, &count_things), 1);
    db_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_url_that_cannot_be_opened_has_a_reason),
        WITH_DB(what_cannot_be_opened_is_unavailable_and_named),
        WITH_DB(the_files_are_the_owners_alone_whatever_the_umask),
        WITH_DB(names_that_sqlite_would_read_otherwise_are_names_of_files),
        WITH_DB(a_connection_is_durable_and_strict),
        WITH_DB(a_file_that_goes_takes_no_writes_until_it_is_back),
        WITH_DB(a_file_that_goes_amid_a_transaction_undoes_it),
        WITH_DB(another_file_in_its_place_is_left_alone),
        WITH_DB(another_log_in_its_place_is_left_alone),
        WITH_DB(a_link_that_is_turned_takes_no_writes_until_it_leads_back),
        WITH_DB(damage_is_told_until_the_file_is_good_again),
        WITH_DB(a_look_sees_a_first_page_that_is_none),
        WITH_DB(values_come_back_as_they_went_in),
        WITH_DB(an_empty_blob_without_an_address_is_no_null),
        WITH_DB(nulls_are_told_from_empty_values),
        WITH_DB(rows_outlive_the_values_that_were_asked_with),
        WITH_DB(a_statement_may_be_asked_again_while_its_rows_are_read),
        WITH_DB(the_end_of_the_rows_stays_the_end),
        WITH_DB(changed_rows_are_counted_also_when_the_values_are_equal),
        WITH_DB(failures_have_the_right_code_and_leave_outputs_alone),
        WITH_DB(reasons_hold_no_values),
        WITH_DB(more_statements_than_the_cache_holds_all_work),
        WITH_DB(a_statement_that_changed_its_text_is_not_mistaken),
        WITH_DB(a_statement_sees_a_table_that_another_connection_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

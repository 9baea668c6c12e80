/* SPDX-License-Identifier: MIT
 *
 * The state folder and the lock file of a service. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ctx.h"
#include "service/service.h"
#include "temp_folder.h"

#define BUDGET_MS 10000

static enum err use_folder(const char *path, const char **out_why)
{
    static struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    enum err err = service_state_dir(&ctx, path);
    static char why[CTX_WHY_MAX_BYTES];
    (void)snprintf(why, sizeof(why), "%s", ctx.why.text);
    *out_why = why;
    ctx_done(&ctx);
    return err;
}

static void a_missing_folder_is_made_with_its_parents_for_the_owner_alone(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    char path[128];
    char parent[128];
    const char *why = NULL;
    (void)snprintf(parent, sizeof(parent), "%s/a", folder.path);
    (void)snprintf(path, sizeof(path), "%s/a//b/c/", folder.path);
    assert_int_equal(use_folder(path, &why), ERR_OK);
    struct stat made;
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 0777, 0700);
    assert_int_equal(stat(parent, &made), 0);
    assert_int_equal(made.st_mode & 0777, 0700);
    assert_int_equal(use_folder(path, &why), ERR_OK);
}

static void trying_the_folder_leaves_nothing_in_it(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    const char *why = NULL;
    assert_int_equal(use_folder(folder.path, &why), ERR_OK);
    assert_int_equal(rmdir(folder.path), 0);
    assert_int_equal(mkdir(folder.path, 0700), 0);
}

static void a_relative_folder_is_made_where_the_process_is(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(folder.path), 0);
    const char *why = NULL;
    enum err dotted = use_folder("./var", &why);
    enum err plain = use_folder("v", &why);
    assert_int_equal(access("var", W_OK) + access("v", W_OK), 0);
    assert_int_equal(chdir(before), 0);
    free(before);
    assert_int_equal(dotted, ERR_OK);
    assert_int_equal(plain, ERR_OK);
}

static void a_folder_that_cannot_be_used_is_named_with_the_reason(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    char file[128];
    char below[160];
    char dangling[128];
    (void)snprintf(file, sizeof(file), "%s/file", folder.path);
    (void)snprintf(below, sizeof(below), "%s/below", file);
    (void)snprintf(dangling, sizeof(dangling), "%s/dangling", folder.path);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(symlink("nowhere", dangling), 0);
    const struct {
        const char *path;
        const char *why;
    } rows[] = {
        {"", "the state folder's name is empty"},
        {file, "is not a folder"},
        {below, "can't make the folder"},
        {dangling, "can't look at"},
        {"/proc/self", "can't make files in the folder /proc/self: "},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *why = NULL;
        assert_int_equal(use_folder(rows[i].path, &why), ERR_UNAVAILABLE);
        assert_non_null(strstr(why, rows[i].why));
        assert_non_null(strstr(why, rows[i].path));
    }
}

/* Exit code: the error of taking the lock, in a process that ends with it. */
static int lock_in_another_process(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct ctx ctx;
        ctx_init(&ctx, NULL, BUDGET_MS);
        _exit((int)service_lock_file(&ctx, path));
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void only_one_process_gets_the_lock_and_its_end_frees_it(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/notes.sqlite.lock", folder.path);
    assert_int_equal(lock_in_another_process(path), ERR_OK);
    assert_int_equal(service_lock_file(&ctx, path), ERR_OK);
    assert_int_equal(lock_in_another_process(path), ERR_CONFLICT);
    assert_int_equal(service_lock_file(&ctx, path), ERR_CONFLICT);
    assert_non_null(strstr(ctx.why.text, path));
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
}

static void a_lock_file_that_cannot_be_made_is_unavailable(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    char link[128];
    (void)snprintf(link, sizeof(link), "%s/link", folder.path);
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_int_equal(service_lock_file(&ctx, "/nowhere/at/all.lock"), ERR_UNAVAILABLE);
    assert_string_equal(ctx.why.text,
                        "can't open the lock file /nowhere/at/all.lock: No such file or directory");
    assert_int_equal(service_lock_file(&ctx, link), ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_missing_folder_is_made_with_its_parents_for_the_owner_alone),
        UNIT(trying_the_folder_leaves_nothing_in_it),
        UNIT(a_relative_folder_is_made_where_the_process_is),
        UNIT(a_folder_that_cannot_be_used_is_named_with_the_reason),
        UNIT(only_one_process_gets_the_lock_and_its_end_frees_it),
        UNIT(a_lock_file_that_cannot_be_made_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

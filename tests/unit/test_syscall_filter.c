/* SPDX-License-Identifier: MIT
 *
 * The filter of system calls, in children that put themselves under it: what is allowed works, what
 * is unknown is refused as by an older kernel, what is deadly is. */
#include "service/syscall_filter.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_HAS_NO_FILTER 99
#define PAGE_BYTES          4096
#define FILTER_MAX_BYTES    (256 * 1024)

/* The child's exit code is what `act` returns; -SIGNAL when one ended it. */
static int run_filtered(int (*act)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0};
        (void)setrlimit(RLIMIT_CORE, &none);
        _exit(syscall_filter_install() == 0 ? act() : CHILD_HAS_NO_FILTER);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* 0 or errno, as an exit code. */
static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

/* --- deadly --- */

static int run_a_program(void)
{
    char name[] = "true";
    char *const arguments[] = {name, NULL};
    return outcome(execv("/bin/true", arguments));
}

static int make_a_process(void)
{
    return outcome(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int trace_a_process(void)
{
    return outcome(syscall(SYS_ptrace, 0, 0, 0, 0));
}

static int read_another_memory(void)
{
    return outcome(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int mount_a_folder(void)
{
    return outcome(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
}

static int become_root(void)
{
    return outcome(syscall(SYS_setuid, 0));
}

static int make_a_namespace(void)
{
    return outcome(syscall(SYS_unshare, CLONE_NEWUSER));
}

static int load_a_bpf_program(void)
{
    return outcome(syscall(SYS_bpf, 0, NULL, 0));
}

static int load_a_module(void)
{
    return outcome(syscall(SYS_init_module, NULL, 0, ""));
}

static int ask_for_a_key(void)
{
    return outcome(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static void *run_a_program_at_sign(void *argument)
{
    int *pipe_fds = argument;
    char sign = 0;
    (void)!read(pipe_fds[0], &sign, 1);
    (void)run_a_program();
    return NULL;
}

/* Made before the filter: it is under it all the same. */
static void a_thread_that_was_there_before_is_under_the_filter(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fds[2];
        pthread_t thread;
        if (pipe(fds) || pthread_create(&thread, NULL, run_a_program_at_sign, fds) ||
            syscall_filter_install())
            _exit(CHILD_HAS_NO_FILTER);
        (void)!write(fds[1], "x", 1);
        (void)pthread_join(thread, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void what_an_intruder_wants_ends_the_process(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        run_a_program, make_a_process, trace_a_process,  read_another_memory, mount_a_folder,
        become_root,   load_a_module,  make_a_namespace, load_a_bpf_program,  ask_for_a_key,
    };
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++)
        assert_int_equal(run_filtered(acts[i]), -SIGSYS);
}

/* --- refused --- */

static int call_what_no_kernel_has(void)
{
    return outcome(syscall(100000));
}

/* By it the C library would make threads where it can: its flags can't be seen by a filter. */
static int make_a_thread_the_new_way(void)
{
    return outcome(syscall(SYS_clone3, NULL, 0));
}

static int map_what_is_written_and_run(void)
{
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static int run_what_was_written(void)
{
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? 0 : outcome(mprotect(page, PAGE_BYTES, PROT_WRITE | PROT_EXEC));
}

static int send_raw_packets(void)
{
    return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int listen_to_the_kernel(void)
{
    return outcome(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
}

static int type_into_the_terminal(void)
{
    return outcome(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int end_another_process(void)
{
    return outcome(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM));
}

static int change_another_limit(void)
{
    struct rlimit none = {0};
    return outcome(prlimit(getppid(), RLIMIT_NOFILE, &none, NULL));
}

static int be_looked_at_again(void)
{
    return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static void what_is_not_known_is_refused_as_by_an_older_kernel(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {
        call_what_no_kernel_has,     make_a_thread_the_new_way, run_what_was_written,
        map_what_is_written_and_run, send_raw_packets,          listen_to_the_kernel,
        type_into_the_terminal,      end_another_process,       change_another_limit,
        be_looked_at_again,
    };
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++)
        assert_int_equal(run_filtered(acts[i]), ENOSYS);
}

/* --- allowed --- */

static void *write_down(void *argument)
{
    *(bool *)argument = true;
    return NULL;
}

static int make_a_thread(void)
{
    pthread_t thread;
    bool has_run = false;
    int error = pthread_create(&thread, NULL, write_down, &has_run);
    if (!error)
        error = pthread_join(thread, NULL);
    return error ? error : !has_run;
}

static int open_sockets(void)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
    for (size_t i = 0; i < ARRAY_COUNT(families); i++)
        if (socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 && errno != EAFNOSUPPORT)
            return errno;
    return outcome(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
}

static int read_own_limits(void)
{
    struct rlimit limit;
    return outcome(getrlimit(RLIMIT_NOFILE, &limit));
}

static int end_itself(void)
{
    (void)raise(SIGKILL);
    return 0;
}

static void what_a_service_needs_is_allowed(void **state)
{
    (void)state;
    static int (*const acts[])(void) = {make_a_thread, open_sockets, read_own_limits};
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++)
        assert_int_equal(run_filtered(acts[i]), 0);
    assert_int_equal(run_filtered(end_itself), -SIGKILL);
}

/* --- processors --- */

/* The filter in libseccomp's words; the caller frees it. */
static char *print_filter(const char *processor)
{
    FILE *file = tmpfile();
    char *text = calloc(1, FILTER_MAX_BYTES);
    assert_non_null(file);
    assert_non_null(text);
    assert_int_equal(syscall_filter_print(file, processor), 0);
    rewind(file);
    assert_true(fread(text, 1, FILTER_MAX_BYTES - 1, file) > 0);
    (void)fclose(file);
    return text;
}

static void it_can_be_made_for_each_processor(void **state)
{
    (void)state;
    static const char *const processors[] = {"x86_64", "aarch64"};
    static const char *const calls[] = {"\"openat\"", "\"ppoll\"", "\"execve\"", "\"clone\"",
                                        "\"tgkill\"", "\"mmap\"",  "\"socket\""};
    for (size_t i = 0; i < ARRAY_COUNT(processors); i++) {
        char *text = print_filter(processors[i]);
        for (size_t j = 0; j < ARRAY_COUNT(calls); j++)
            assert_non_null(strstr(text, calls[j]));
        assert_null(strstr(text, "\"io_uring_setup\"")); /* refused, like whatever is in no list */
        free(text);
    }
    assert_int_not_equal(syscall_filter_print(stdout, "no-such"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_an_intruder_wants_ends_the_process),
        UNIT(a_thread_that_was_there_before_is_under_the_filter),
        UNIT(what_is_not_known_is_refused_as_by_an_older_kernel),
        UNIT(what_a_service_needs_is_allowed),
        UNIT(it_can_be_made_for_each_processor),
    };
    return cmocka_run_group_tests_name("syscall_filter", tests, NULL, NULL);
}

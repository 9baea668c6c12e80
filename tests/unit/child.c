/* SPDX-License-Identifier: MIT
 *
 * Depends on: fork, and Linux' prctl for the end. */
#include "child.h"

#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* As in tests/harness/ports.py: below those that the system gives to whoever wants any. */
#define FIRST_PORT  10000
#define PORTS_COUNT 10000
#define TRIES_COUNT 1000

bool child_hold_port(int port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int bytes = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "notes-tests-port-%d", port);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)bytes);
    int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(holder >= 0);
    if (bind(holder, (struct sockaddr *)&name, size) == 0)
        return true;
    assert_int_equal(close(holder), 0);
    return false;
}

static bool has_listener(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((uint16_t)port)};
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(probe >= 0);
    bool is_taken = bind(probe, (struct sockaddr *)&address, sizeof(address)) != 0;
    assert_int_equal(close(probe), 0);
    return is_taken;
}

int child_free_port(void)
{
    for (int i = 0; i < TRIES_COUNT; i++) {
        unsigned random = 0;
        assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
        int port = FIRST_PORT + (int)(random % PORTS_COUNT);
        if (child_hold_port(port) && !has_listener(port))
            return port;
    }
    fail_msg("no port is free");
    return 0;
}

pid_t child_spawn(const char *const *arguments)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nowhere = open("/dev/null", O_RDWR);
    if (getppid() != parent || dup2(nowhere, 0) < 0 || dup2(nowhere, 1) < 0 || dup2(nowhere, 2) < 0)
        _exit(126);
    union {
        const char *const *ours;
        char *const *theirs; /* which execvp does not write to */
    } list = {.ours = arguments};
    execvp(arguments[0], list.theirs);
    _exit(127);
}

int child_finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void child_signal(pid_t pid, int signal)
{
    assert_int_equal(kill(pid, signal), 0);
}

void child_pause(pid_t pid)
{
    int status = 0;
    child_signal(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
}

/* SPDX-License-Identifier: MIT
 *
 * Depends on: fork, and Linux' prctl for the end. */
#include "child.h"

#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int child_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(close(probe), 0);
    return ntohs(address.sin_port);
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

/* SPDX-License-Identifier: MIT
 *
 * Depends on: the programs of Debian's mariadb-server. The data is in a temporary folder. */
#include "mariadb_server.h"

#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "temp_folder.h"

#define SERVER_PROGRAM "/usr/sbin/mariadbd"
#define START_TRIES    600
#define TRY_NS         (50 * 1000000L)

static struct {
    struct temp_folder folder;
    char data[96];
    char socket[96];
    char port_option[32];
    char data_option[128];
    char socket_option[128];
    char user_option[64];
    int port;
    pid_t pid;
} server;

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(close(probe), 0);
    return ntohs(address.sin_port);
}

/* Without our sanitizers' settings and output; ends with us. */
static pid_t spawn(const char *const *arguments)
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

static int finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int client(const char *sql)
{
    const char *const arguments[] = {
        "mariadb", "--no-defaults", server.socket_option, "-uroot", "-e", sql, NULL};
    return finish(spawn(arguments));
}

bool mariadb_server_install(void)
{
    if (access(SERVER_PROGRAM, X_OK) != 0)
        return false;
    server.folder = temp_folder_new();
    const struct passwd *me = getpwuid(getuid());
    assert_non_null(me);
    (void)snprintf(server.data, sizeof(server.data), "%s/data", server.folder.path);
    (void)snprintf(server.socket, sizeof(server.socket), "%s/socket", server.folder.path);
    (void)snprintf(server.data_option, sizeof(server.data_option), "--datadir=%s", server.data);
    (void)snprintf(server.socket_option, sizeof(server.socket_option), "--socket=%s",
                   server.socket);
    (void)snprintf(server.user_option, sizeof(server.user_option), "--user=%s", me->pw_name);
    const char *const arguments[] = {"mariadb-install-db",
                                     "--no-defaults",
                                     server.user_option,
                                     server.data_option,
                                     "--auth-root-authentication-method=normal",
                                     "--skip-test-db",
                                     NULL};
    assert_int_equal(finish(spawn(arguments)), 0);
    server.port = free_port();
    (void)snprintf(server.port_option, sizeof(server.port_option), "--port=%d", server.port);
    mariadb_server_run();
    mariadb_server_sql("CREATE USER notes@'127.0.0.1' IDENTIFIED BY 'p/w:@ 1%';"
                       "GRANT ALL ON `notes\\_%`.* TO notes@'127.0.0.1'");
    return true;
}

void mariadb_server_run(void)
{
    const char *const arguments[] = {SERVER_PROGRAM,
                                     "--no-defaults",
                                     server.user_option,
                                     server.data_option,
                                     server.socket_option,
                                     server.port_option,
                                     "--bind-address=127.0.0.1",
                                     "--innodb-flush-log-at-trx-commit=0",
                                     "--innodb-buffer-pool-size=16M",
                                     "--innodb-log-file-size=8M",
                                     "--skip-log-bin",
                                     "--skip-name-resolve",
                                     "--character-set-server=latin1",
                                     NULL};
    server.pid = spawn(arguments);
    for (int i = 0; i < START_TRIES; i++) {
        if (client("SELECT 1") == 0)
            return;
        assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0);
        nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
    }
    fail_msg("MariaDB does not answer");
}

void mariadb_server_end(int signal)
{
    assert_int_equal(kill(server.pid, signal), 0);
    (void)finish(server.pid);
    server.pid = 0;
}

void mariadb_server_pause(void)
{
    int status = 0;
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    assert_int_equal(waitpid(server.pid, &status, WUNTRACED), server.pid);
    assert_true(WIFSTOPPED(status));
}

void mariadb_server_resume(void)
{
    assert_int_equal(kill(server.pid, SIGCONT), 0);
}

/* The second statement fails while the connection is still there. */
void mariadb_server_kill_connection(long long id)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "KILL %lld", id);
    mariadb_server_sql(sql);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT IF(COUNT(*) = 0, 1, (SELECT 1 UNION SELECT 2))"
                   " FROM information_schema.processlist WHERE id = %lld",
                   id);
    for (int i = 0; i < START_TRIES && client(sql) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
}

int mariadb_server_port(void)
{
    return server.port;
}

void mariadb_server_sql(const char *sql)
{
    assert_int_equal(client(sql), 0);
}

void mariadb_server_remove(void)
{
    if (server.pid)
        mariadb_server_end(SIGKILL);
    if (server.folder.path[0])
        temp_folder_done(&server.folder);
}

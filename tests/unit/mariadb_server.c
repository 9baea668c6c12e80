/* SPDX-License-Identifier: MIT
 *
 * Depends on: the programs of Debian's mariadb-server. The data is in a temporary folder. */
#include "mariadb_server.h"

#include "unit.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
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

static int client(const char *sql)
{
    const char *const arguments[] = {
        "mariadb", "--no-defaults", server.socket_option, "-uroot", "-e", sql, NULL};
    return child_finish(child_spawn(arguments));
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
    assert_int_equal(child_finish(child_spawn(arguments)), 0);
    server.port = child_free_port();
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
    server.pid = child_spawn(arguments);
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
    child_signal(server.pid, signal);
    (void)child_finish(server.pid);
    server.pid = 0;
}

void mariadb_server_pause(void)
{
    child_pause(server.pid);
}

void mariadb_server_resume(void)
{
    child_signal(server.pid, SIGCONT);
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

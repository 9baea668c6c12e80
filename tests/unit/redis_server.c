/* SPDX-License-Identifier: MIT
 *
 * Depends on: redis-server and redis-cli. redis-cli prints into a file of the server's folder. */
#include "redis_server.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "child.h"

#define SERVER_PROGRAM   "/usr/bin/redis-server"
#define CONFIG_MODE      0600
#define TRIES            1200
#define TRY_NS           (25 * 1000000L)
#define ANSWER_MAX_BYTES 65536

bool redis_server_is_there(void)
{
    return access(SERVER_PROGRAM, X_OK) == 0;
}

static bool ask(struct redis_server *server, const char *words, char answer[ANSWER_MAX_BYTES])
{
    char script[512];
    char sign_in[64] = "";
    char file[96];
    (void)snprintf(file, sizeof(file), "%s/answer", server->folder.path);
    if (server->password[0])
        (void)snprintf(sign_in, sizeof(sign_in), "--no-auth-warning -a '%s'", server->password);
    (void)snprintf(script, sizeof(script), "exec redis-cli -e -h 127.0.0.1 -p %d %s %s >%s 2>&1",
                   server->port, sign_in, words, file);
    const char *const arguments[] = {"sh", "-c", script, NULL};
    bool is_fine = child_finish(child_spawn(arguments)) == 0;
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    size_t size = fread(answer, 1, ANSWER_MAX_BYTES - 1, in);
    answer[size] = '\0';
    assert_int_equal(fclose(in), 0);
    return is_fine;
}

void redis_server_tell(struct redis_server *server, const char *words)
{
    char answer[ANSWER_MAX_BYTES];
    if (!ask(server, words, answer))
        fail_msg("%s: %s", words, answer);
}

bool redis_server_says(struct redis_server *server, const char *words, const char *part)
{
    char answer[ANSWER_MAX_BYTES];
    return ask(server, words, answer) && strstr(answer, part);
}

void redis_server_wait(struct redis_server *server, const char *words, const char *part)
{
    for (int i = 0; i < TRIES; i++) {
        if (redis_server_says(server, words, part))
            return;
        nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
    }
    fail_msg("%s: never \"%s\"", words, part);
}

void redis_server_run(struct redis_server *server)
{
    const char *const arguments[] = {SERVER_PROGRAM, server->config,
                                     server->is_sentinel ? "--sentinel" : NULL, NULL};
    server->pid = child_spawn(arguments);
    redis_server_wait(server, "PING", "PONG");
}

void redis_server_start(struct redis_server *server, const char *lines, bool is_sentinel)
{
    server->folder = temp_folder_new();
    server->port = child_free_port();
    server->is_sentinel = is_sentinel;
    (void)snprintf(server->config, sizeof(server->config), "%s/config", server->folder.path);
    FILE *out = fopen(server->config, "w");
    assert_non_null(out);
    assert_int_equal(chmod(server->config, CONFIG_MODE), 0);
    (void)fprintf(out, "bind 127.0.0.1\nport %d\ndir %s\n%s%s", server->port, server->folder.path,
                  is_sentinel ? "" : "save \"\"\nrepl-diskless-sync-delay 0\n", lines);
    assert_int_equal(fclose(out), 0);
    redis_server_run(server);
}

void redis_server_end(struct redis_server *server, int signal)
{
    child_signal(server->pid, signal);
    (void)child_finish(server->pid);
    server->pid = 0;
}

void redis_server_pause(struct redis_server *server)
{
    child_pause(server->pid);
}

void redis_server_resume(struct redis_server *server)
{
    child_signal(server->pid, SIGCONT);
}

void redis_server_remove(struct redis_server *server)
{
    if (server->pid)
        redis_server_end(server, SIGKILL);
    if (server->folder.path[0])
        temp_folder_done(&server->folder);
}

/* SPDX-License-Identifier: MIT
 *
 * A private Redis, replica or sentinel on 127.0.0.1, that a test starts, stops, pauses and kills:
 *     CLEANUP(redis_server_remove) struct redis_server server = {0};
 *     redis_server_start(&server, "requirepass secret\n", false); */
#ifndef NOTES_REDIS_SERVER_H
#define NOTES_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "temp_folder.h"

struct redis_server {
    struct temp_folder folder;
    char config[96];
    char password[32]; /* what redis_server_says signs in with; "": none */
    bool is_sentinel;
    int port;
    pid_t pid;
};

/* False: this machine has no redis-server. */
bool redis_server_is_there(void);

/* With lines of configuration besides port and folder. */
void redis_server_start(struct redis_server *server, const char *lines, bool is_sentinel);
void redis_server_run(struct redis_server *server); /* again, after redis_server_end */
void redis_server_end(struct redis_server *server, int signal);
void redis_server_pause(struct redis_server *server);
void redis_server_resume(struct redis_server *server);
void redis_server_remove(struct redis_server *server);

/* Commands by redis-cli, not through our client: words with one space between them. */
void redis_server_tell(struct redis_server *server, const char *words);
/* Is `part` in the answer? */
bool redis_server_says(struct redis_server *server, const char *words, const char *part);
/* Asks until it is. */
void redis_server_wait(struct redis_server *server, const char *words, const char *part);

#endif

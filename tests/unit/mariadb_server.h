/* SPDX-License-Identifier: MIT
 *
 * A private MariaDB for the tests of the driver, started by the test program itself, so that it can
 * be stopped, paused and killed. One for the program: mariadb_server_start, then a database per
 * test, at the end mariadb_server_stop. */
#ifndef NOTES_MARIADB_SERVER_H
#define NOTES_MARIADB_SERVER_H

#include <stdbool.h>

#define MARIADB_USER         "notes"
#define MARIADB_PASSWORD     "p/w:@ 1%"
#define MARIADB_URL_PASSWORD "p%2Fw%3A%40%201%25"

/* False: this machine has no MariaDB. */
bool mariadb_server_install(void);
void mariadb_server_remove(void);

void mariadb_server_run(void);       /* again after mariadb_server_end */
void mariadb_server_end(int signal); /* and waits for its end */
void mariadb_server_pause(void);     /* and waits until it stands still */
void mariadb_server_resume(void);
void mariadb_server_kill_connection(long long id); /* and waits until it is gone */
int mariadb_server_port(void);

/* Statements as administrator, by the command-line client: not through our driver. */
void mariadb_server_sql(const char *sql);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The settings of a service's database, the same for both services: rows for the table, and what
 * they come to together.
 *
 * Use:  struct config { struct db_settings database; ... };
 *       const struct setting config_settings[] = { DB_SETTING_ROWS(struct config, database,
 *                                                                  "notes.sqlite"), ... };
 *       db_settings_check(&config->database, "./var/notes.sqlite", faults); */
#ifndef NOTES_DB_SETTINGS_H
#define NOTES_DB_SETTINGS_H

#include "base/env.h"
#include "base/secret.h"
#include "data/db.h"

struct db_settings {
    struct secret url; /* may hold a password */
    struct secret password;
    const char *tls;
    const char *tls_ca;
    const char *sequelize_host; /* the Node version's names */
    int64_t sequelize_port;
    const char *sequelize_database;
    const char *sequelize_user;

    /* Derived by db_settings_check. */
    struct db_options options;
    const char *path; /* of the SQLite file, NULL for a server */
};

extern const char *const db_tls_choices[];

/* clang-format off */
#define DB_SETTING_ROWS(type, at_field, file_name)                                                   \
    {.name = "DATABASE_URL", .at = AT_SECRET(type, at_field.url),                                    \
     .help = "sqlite:PATH or mysql://USER[:PASSWORD]@HOST[:PORT][,HOST2...]/DB; unset: " file_name   \
             " in STATE_DIR"},                                                                       \
    {.name = "DATABASE_PASSWORD", .alias = "SEQUELIZE_DBPASSWD", .at = AT_SECRET(type, at_field.password), \
     .help = "password of the MySQL user, when it is not in DATABASE_URL"},                          \
    {.name = "DATABASE_TLS", .at = AT_TEXT(type, at_field.tls), .fallback = "prefer", .choices = db_tls_choices, \
     .help = "to MySQL, also of --from-node: when the server has it, always, or always with a checked certificate"}, \
    {.name = "DATABASE_TLS_CA", .at = AT_TEXT(type, at_field.tls_ca), .is_pem_file = true,           \
     .help = "file of the authorities (PEM) for DATABASE_TLS=verify, also of --from-node; unset: the system's"},          \
    {.name = "SEQUELIZE_DBHOST", .at = AT_TEXT(type, at_field.sequelize_host),                       \
     .help = "older way to name a MySQL server: DATABASE_URL is made of it and the next three"},     \
    {.name = "SEQUELIZE_DBPORT", .at = AT_I64(type, at_field.sequelize_port), .fallback = "3306", .min = 1, .max = 65535, \
     .help = "its port"},                                                                            \
    {.name = "SEQUELIZE_DBNAME", .at = AT_TEXT(type, at_field.sequelize_database), .help = "its database"}, \
    {.name = "SEQUELIZE_DBUSER", .at = AT_TEXT(type, at_field.sequelize_user), .help = "its user"}
/* clang-format on */

/* Fills `options` and `path`; default_path is where SQLite is used when nothing is set. */
void db_settings_check(struct db_settings *settings,
                       const char *default_path,
                       struct env_faults *faults);

#endif

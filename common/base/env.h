/* SPDX-License-Identifier: MIT
 *
 * Settings from the environment, as a table: one row per setting with name, type, range, unit,
 * default and help. The same table reads, checks and prints them (--print-config, --check-config),
 * so the manual can't drift. All faults are found together. A secret may come as NAME or as a file
 * named by NAME_FILE, not both; the same goes for its alias. */
#ifndef NOTES_ENV_H
#define NOTES_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/secret.h"

struct arena;

enum setting_kind { SETTING_TEXT, SETTING_I64, SETTING_SECRET };

/* One row. `at` comes from the AT_ macros, which stop the build when the field has another type. */
struct setting {
    const char *name;
    const char *alias; /* an older name that means the same, NULL when there is none */
    struct setting_at {
        enum setting_kind kind;
        size_t offset;
    } at;
    const char *fallback; /* NULL: unset (text NULL, secret unset); numbers always have one */
    int64_t min;          /* numbers */
    int64_t max;
    const char *unit;           /* NULL when there is none */
    const char *const *choices; /* NULL-terminated list of the values allowed, NULL: any */
    bool is_pem_file;           /* a text that names a file, which must be there: certificates */
    const char *help;
};

/* Use: #define THIS struct config ... .at = AT_I64(THIS, port) */
#define SETTING_AT(type, field, wanted, kind_of)                                                   \
    {                                                                                              \
        .kind = _Generic(&((type *)0)->field, wanted * : kind_of), .offset = offsetof(type, field) \
    }
#define AT_I64(type, field)    SETTING_AT(type, field, int64_t, SETTING_I64)
#define AT_TEXT(type, field)   SETTING_AT(type, field, const char *, SETTING_TEXT)
#define AT_SECRET(type, field) SETTING_AT(type, field, struct secret, SETTING_SECRET)

/* A list of what is wrong: one line each, and the name that it begins with. */
#define ENV_FAULTS_MAX_COUNT 64
struct env_faults {
    struct arena *arena;
    const char *lines[ENV_FAULTS_MAX_COUNT];
    const char *names[ENV_FAULTS_MAX_COUNT];
    size_t count; /* further faults are dropped: 64 say enough */
};

/* `name` must live as long as the faults. */
void env_fault(struct env_faults *faults, const char *name, const char *format, ...) FORMAT(3, 4);

/* Reads all rows into `config` (zeroed by the caller); texts go to the faults' arena, secrets must
 * be freed with env_secrets_done, and are wiped from the environment. Empty environment variables
 * count as unset. */
void env_read(const struct setting *settings,
              size_t count,
              void *config,
              struct env_faults *faults);

/* Does the environment have this variable, not empty? */
bool env_is_set(const char *name);

/* Wipes all secrets of the table's struct. */
void env_secrets_done(const struct setting *settings, size_t count, void *config);

/* A table: name, value ("********" for secrets, "(invalid)" where `faults` has the setting),
 * default, range, unit, help. On a terminal the same one below the other, in lines that fit. */
void env_print(FILE *out,
               const struct setting *settings,
               size_t count,
               const void *config,
               const struct env_faults *faults);

#endif

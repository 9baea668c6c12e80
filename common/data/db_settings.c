/* SPDX-License-Identifier: MIT
 *
 * Depends on: env.h, db_url.h. No fault's text holds the URL: it may hold a password. */
#include "data/db_settings.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "data/db_url.h"

#define URL_MAX_BYTES 4096

const char *const db_tls_choices[] = {"prefer", "require", "verify", NULL};

static enum db_tls tls_of(const char *choice)
{
    for (int i = 0; db_tls_choices[i]; i++)
        if (text_equals(db_tls_choices[i], choice))
            return (enum db_tls)i;
    return DB_TLS_PREFER;
}

/* The older names as one URL. NULL, with faults, when one is missing. */
static const char *url_of_older_names(const struct db_settings *settings, struct env_faults *faults)
{
    const struct {
        const char *name;
        const char *value;
    } needed[] = {
        {"SEQUELIZE_DBNAME", settings->sequelize_database},
        {"SEQUELIZE_DBUSER", settings->sequelize_user},
    };
    bool is_whole = true;
    for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
        if (needed[i].value)
            continue;
        env_fault(faults, needed[i].name, "is needed with SEQUELIZE_DBHOST");
        is_whole = false;
    }
    if (!is_whole)
        return NULL;
    bool is_v6 = strchr(settings->sequelize_host, ':') != NULL;
    struct strbuf url;
    strbuf_init(&url, faults->arena, 0, URL_MAX_BYTES);
    strbuf_add(&url, "mysql://");
    strbuf_add_url(&url, settings->sequelize_user);
    strbuf_add(&url, is_v6 ? "@[" : "@");
    strbuf_add(&url, settings->sequelize_host);
    strbuf_add(&url, is_v6 ? "]" : "");
    strbuf_add(&url, arena_format(faults->arena, ":%" PRId64 "/", settings->sequelize_port));
    strbuf_add_url(&url, settings->sequelize_database);
    const char *text = NULL;
    if (strbuf_text(&url, &text)) {
        env_fault(faults, "SEQUELIZE_DBHOST", "is too long");
        return NULL;
    }
    return text;
}

/* The URL that counts; NULL after a fault. */
static const char *
choose_url(const struct db_settings *settings, const char *default_path, struct env_faults *faults)
{
    const char *older = settings->sequelize_host;
    if (secret_is_set(&settings->url) && older)
        env_fault(faults, "SEQUELIZE_DBHOST", "is set, and DATABASE_URL too; set one of them");
    if (secret_is_set(&settings->url))
        return settings->url.text;
    if (older)
        return url_of_older_names(settings, faults);
    if (settings->sequelize_database || settings->sequelize_user)
        env_fault(faults, "SEQUELIZE_DBHOST", "is needed with the other SEQUELIZE_ names");
    return arena_format(faults->arena, "sqlite:%s", default_path);
}

static void check_url(struct db_settings *settings, const char *url, struct env_faults *faults)
{
    const char *name = secret_is_set(&settings->url) ? "DATABASE_URL" : "SEQUELIZE_DBHOST";
    const char *fault = db_url_fault(url);
    bool has_password = secret_is_set(&settings->password);
    struct db_url parts = {0};
    if (fault)
        env_fault(faults, name, "%s", fault);
    else if (db_url_path(url) && has_password)
        env_fault(faults, "DATABASE_PASSWORD",
                  "(or SEQUELIZE_DBPASSWD) is for MySQL, and the database is SQLite");
    else if (!db_url_path(url) && !db_url_parse(faults->arena, url, &parts) && parts.password &&
             has_password)
        env_fault(faults, "DATABASE_PASSWORD",
                  "(or SEQUELIZE_DBPASSWD) is set, and DATABASE_URL has one too");
}

void db_settings_check(struct db_settings *settings,
                       const char *default_path,
                       struct env_faults *faults)
{
    const char *url = choose_url(settings, default_path, faults);
    if (!url)
        return;
    check_url(settings, url, faults);
    settings->options = (struct db_options){
        .url = url,
        .password = secret_is_set(&settings->password) ? settings->password.text : NULL,
        .tls = tls_of(settings->tls),
        .tls_ca = settings->tls_ca,
    };
    settings->path = db_url_path(url);
}

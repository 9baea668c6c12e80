/* SPDX-License-Identifier: MIT
 *
 * Rows are read into buffers that grow with the largest value seen and stay with the statement, so
 * that a page's worth of rows needs no memory of its own. Depends on: mysql.h, arena.h. */
#include "data/db_mysql_statement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"

#define VALUES_MAX_COUNT 64
#define CHARSET_OF_BYTES 63 /* "binary": no text */

/* ---- columns ---- */

static bool is_number(enum enum_field_types type)
{
    static const enum enum_field_types TYPES[] = {
        MYSQL_TYPE_TINY,     MYSQL_TYPE_SHORT,   MYSQL_TYPE_INT24,     MYSQL_TYPE_LONG,
        MYSQL_TYPE_LONGLONG, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL};
    for (size_t i = 0; i < ARRAY_COUNT(TYPES); i++)
        if (TYPES[i] == type)
            return true;
    return false;
}

static void *bytes_of(struct db_mysql_column *column)
{
    return column->grown ? column->grown : column->start;
}

static size_t capacity_of(const struct db_mysql_column *column)
{
    return column->grown ? column->grown_bytes : sizeof(column->start);
}

/* From the growing buffer to the library's view of it. */
static void bind_column(struct db_mysql_column *column, MYSQL_BIND *bind)
{
    static const enum enum_field_types TYPES[] = {
        [DB_I64] = MYSQL_TYPE_LONGLONG, [DB_TEXT] = MYSQL_TYPE_STRING, [DB_BLOB] = MYSQL_TYPE_BLOB};
    bool is_i64 = column->kind == DB_I64;
    *bind = (MYSQL_BIND){
        .buffer_type = TYPES[column->kind],
        .buffer = is_i64 ? (void *)&column->number : bytes_of(column),
        .buffer_length = is_i64 ? sizeof(column->number) : capacity_of(column),
        .length = &column->size_bytes,
        .is_null = &column->is_null,
        .error = &column->is_cut,
    };
}

static bool make_columns(struct prepared *prepared, MYSQL_RES *meta)
{
    unsigned count = mysql_num_fields(meta);
    prepared->columns = calloc(count, sizeof(*prepared->columns));
    prepared->binds = calloc(count, sizeof(*prepared->binds));
    prepared->columns_count = prepared->columns ? count : 0;
    if (!prepared->columns || !prepared->binds)
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct db_mysql_column *column = &prepared->columns[i];
        const MYSQL_FIELD *field = mysql_fetch_field_direct(meta, i);
        bool is_bytes = field->charsetnr == CHARSET_OF_BYTES;
        column->kind = is_number(field->type) ? DB_I64 : is_bytes ? DB_BLOB : DB_TEXT;
        bind_column(column, &prepared->binds[i]);
    }
    return true;
}

bool prepared_make(struct prepared *prepared, MYSQL *handle, const struct db_statement *statement)
{
    const char *sql = statement->mysql ? statement->mysql : statement->sql;
    prepared->code = mysql_stmt_init(handle);
    if (!prepared->code || mysql_stmt_prepare(prepared->code, sql, strlen(sql)))
        return false;
    MYSQL_RES *meta = mysql_stmt_result_metadata(prepared->code);
    bool is_made = meta ? make_columns(prepared, meta) : mysql_stmt_errno(prepared->code) == 0;
    if (meta)
        mysql_free_result(meta);
    prepared->statement = statement;
    prepared->sql = statement->sql;
    return is_made;
}

void prepared_free(struct prepared *prepared)
{
    for (unsigned i = 0; i < prepared->columns_count; i++)
        free(prepared->columns[i].grown);
    free(prepared->columns);
    free(prepared->binds);
    if (prepared->code)
        mysql_stmt_close(prepared->code);
    *prepared = (struct prepared){0};
}

/* ---- values ---- */

static void bind_value(struct db_value *value, MYSQL_BIND *bind)
{
    static const enum enum_field_types TYPES[] = {[DB_NULL] = MYSQL_TYPE_NULL,
                                                  [DB_I64] = MYSQL_TYPE_LONGLONG,
                                                  [DB_TEXT] = MYSQL_TYPE_STRING,
                                                  [DB_BLOB] = MYSQL_TYPE_BLOB};
    union {
        const void *ours;
        void *theirs; /* which the library only reads */
    } bytes = {.ours = value->bytes ? value->bytes : ""};
    bool is_i64 = value->kind == DB_I64;
    bind->buffer_type = TYPES[value->kind];
    bind->buffer = is_i64 ? (void *)&value->number : bytes.theirs;
    bind->buffer_length = is_i64 ? sizeof(value->number) : value->size_bytes;
}

enum err prepared_bind(struct ctx *ctx, struct prepared *prepared, struct db_values values)
{
    size_t count = values.count;
    unsigned long places_count = mysql_stmt_param_count(prepared->code);
    if (places_count != count || count > VALUES_MAX_COUNT)
        return ctx_fail(ctx, ERR_INTERNAL, "%zu values for the %lu places of: %s", count,
                        places_count, prepared->sql);
    if (count == 0)
        return ERR_OK;
    /* Copies: the library keeps the addresses until it has sent them. */
    struct db_value *copies = arena_take_array(&ctx->arena, count, sizeof(*copies));
    MYSQL_BIND *binds = arena_take_array(&ctx->arena, count, sizeof(*binds));
    for (size_t i = 0; i < count; i++) {
        copies[i] = values.items[i];
        bind_value(&copies[i], &binds[i]);
    }
    return mysql_stmt_bind_param(prepared->code, binds)
               ? ctx_fail(ctx, ERR_INTERNAL, "a value can't be bound")
               : ERR_OK;
}

/* ---- rows ---- */

bool prepared_execute(struct prepared *prepared)
{
    if (mysql_stmt_execute(prepared->code))
        return false;
    return prepared->columns_count == 0 ||
           (!mysql_stmt_bind_result(prepared->code, prepared->binds) &&
            !mysql_stmt_store_result(prepared->code));
}

/* A value that did not fit is copied once more from the library's row into a larger buffer. */
static bool fetch_long(struct prepared *prepared, unsigned place)
{
    struct db_mysql_column *column = &prepared->columns[place];
    char *bytes = realloc(column->grown, column->size_bytes);
    if (!bytes)
        return false;
    column->grown = bytes;
    column->grown_bytes = column->size_bytes;
    bind_column(column, &prepared->binds[place]);
    return !mysql_stmt_fetch_column(prepared->code, &prepared->binds[place], place, 0);
}

bool prepared_fetch(struct prepared *prepared, bool *out_has_row)
{
    int code = mysql_stmt_fetch(prepared->code);
    *out_has_row = code == 0 || code == MYSQL_DATA_TRUNCATED;
    if (!*out_has_row)
        return code == MYSQL_NO_DATA;
    bool is_grown = false;
    for (unsigned i = 0; i < prepared->columns_count; i++) {
        const struct db_mysql_column *column = &prepared->columns[i];
        if (column->kind == DB_I64 || column->is_null || column->size_bytes <= capacity_of(column))
            continue;
        if (!fetch_long(prepared, i))
            return false;
        is_grown = true;
    }
    return !is_grown || !mysql_stmt_bind_result(prepared->code, prepared->binds);
}

struct db_value prepared_column(const struct prepared *prepared, int column)
{
    assert(column >= 0 && (unsigned)column < prepared->columns_count);
    struct db_mysql_column *it = &prepared->columns[column];
    if (it->is_null)
        return db_null();
    return (struct db_value){.kind = it->kind,
                             .number = it->number,
                             .bytes = bytes_of(it),
                             .size_bytes = it->size_bytes};
}

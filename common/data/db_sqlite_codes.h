/* SPDX-License-Identifier: MIT
 *
 * SQLite's result codes (sqlite.org/rescode.html) as far as logs name them, and what each means to
 * a caller. A code that is not listed counts as the kind that its low byte names. Private to
 * db_sqlite.c, which brings sqlite3.h. */
#ifndef NOTES_DB_SQLITE_CODES_H
#define NOTES_DB_SQLITE_CODES_H

/* clang-format off */
/*      code                            enum err */
#define SQLITE_CODE_TABLE(X)                            \
    X(SQLITE_CONSTRAINT_PRIMARYKEY,   CONFLICT)         \
    X(SQLITE_CONSTRAINT_ROWID,        CONFLICT)         \
    X(SQLITE_CONSTRAINT_UNIQUE,       CONFLICT)         \
    X(SQLITE_PERM,                    UNAVAILABLE)      \
    X(SQLITE_ABORT,                   UNAVAILABLE)      \
    X(SQLITE_ABORT_ROLLBACK,          UNAVAILABLE)      \
    X(SQLITE_BUSY,                    UNAVAILABLE)      \
    X(SQLITE_BUSY_RECOVERY,           UNAVAILABLE)      \
    X(SQLITE_BUSY_SNAPSHOT,           UNAVAILABLE)      \
    X(SQLITE_BUSY_TIMEOUT,            UNAVAILABLE)      \
    X(SQLITE_CANTOPEN,                UNAVAILABLE)      \
    X(SQLITE_CANTOPEN_FULLPATH,       UNAVAILABLE)      \
    X(SQLITE_CANTOPEN_ISDIR,          UNAVAILABLE)      \
    X(SQLITE_CANTOPEN_SYMLINK,        UNAVAILABLE)      \
    X(SQLITE_CORRUPT,                 UNAVAILABLE)      \
    X(SQLITE_CORRUPT_INDEX,           UNAVAILABLE)      \
    X(SQLITE_FULL,                    UNAVAILABLE)      \
    X(SQLITE_INTERRUPT,               UNAVAILABLE)      \
    X(SQLITE_IOERR,                   UNAVAILABLE)      \
    X(SQLITE_IOERR_ACCESS,            UNAVAILABLE)      \
    X(SQLITE_IOERR_CORRUPTFS,         UNAVAILABLE)      \
    X(SQLITE_IOERR_DATA,              UNAVAILABLE)      \
    X(SQLITE_IOERR_DIR_FSYNC,         UNAVAILABLE)      \
    X(SQLITE_IOERR_FSTAT,             UNAVAILABLE)      \
    X(SQLITE_IOERR_FSYNC,             UNAVAILABLE)      \
    X(SQLITE_IOERR_LOCK,              UNAVAILABLE)      \
    X(SQLITE_IOERR_NOMEM,             UNAVAILABLE)      \
    X(SQLITE_IOERR_READ,              UNAVAILABLE)      \
    X(SQLITE_IOERR_SHMLOCK,           UNAVAILABLE)      \
    X(SQLITE_IOERR_SHMMAP,            UNAVAILABLE)      \
    X(SQLITE_IOERR_SHMOPEN,           UNAVAILABLE)      \
    X(SQLITE_IOERR_SHMSIZE,           UNAVAILABLE)      \
    X(SQLITE_IOERR_SHORT_READ,        UNAVAILABLE)      \
    X(SQLITE_IOERR_TRUNCATE,          UNAVAILABLE)      \
    X(SQLITE_IOERR_WRITE,             UNAVAILABLE)      \
    X(SQLITE_LOCKED,                  UNAVAILABLE)      \
    X(SQLITE_NOLFS,                   UNAVAILABLE)      \
    X(SQLITE_NOMEM,                   UNAVAILABLE)      \
    X(SQLITE_NOTADB,                  UNAVAILABLE)      \
    X(SQLITE_PROTOCOL,                UNAVAILABLE)      \
    X(SQLITE_READONLY,                UNAVAILABLE)      \
    X(SQLITE_READONLY_CANTINIT,       UNAVAILABLE)      \
    X(SQLITE_READONLY_CANTLOCK,       UNAVAILABLE)      \
    X(SQLITE_READONLY_DBMOVED,        UNAVAILABLE)      \
    X(SQLITE_READONLY_DIRECTORY,      UNAVAILABLE)      \
    X(SQLITE_READONLY_RECOVERY,       UNAVAILABLE)      \
    X(SQLITE_SCHEMA,                  UNAVAILABLE)      \
    X(SQLITE_ERROR,                   INTERNAL)         \
    X(SQLITE_INTERNAL,                INTERNAL)         \
    X(SQLITE_TOOBIG,                  TOO_LARGE)        \
    X(SQLITE_CONSTRAINT,              INTERNAL)         \
    X(SQLITE_CONSTRAINT_CHECK,        INTERNAL)         \
    X(SQLITE_CONSTRAINT_DATATYPE,     INTERNAL)         \
    X(SQLITE_CONSTRAINT_FOREIGNKEY,   INTERNAL)         \
    X(SQLITE_CONSTRAINT_NOTNULL,      INTERNAL)         \
    X(SQLITE_CONSTRAINT_TRIGGER,      INTERNAL)         \
    X(SQLITE_MISMATCH,                INTERNAL)         \
    X(SQLITE_MISUSE,                  INTERNAL)         \
    X(SQLITE_AUTH,                    INTERNAL)         \
    X(SQLITE_RANGE,                   INTERNAL)
/* clang-format on */

#endif

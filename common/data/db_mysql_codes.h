/* SPDX-License-Identifier: MIT
 *
 * The error numbers of MySQL and MariaDB as far as we tell them apart, what each means to a caller,
 * and what it says of the transaction and the connection. A number that is not listed is our
 * mistake (INTERNAL, STAYS); the client library's own numbers are always a lost connection. Private
 * to db_mysql_connect.c. */
#ifndef NOTES_DB_MYSQL_CODES_H
#define NOTES_DB_MYSQL_CODES_H

/* clang-format off */
/*    number  name                                     enum err      effect */
#define MYSQL_CODE_TABLE(X)                                                     \
    X(1020, ER_CHECKREAD,                             UNAVAILABLE, UNDONE)      \
    X(1021, ER_DISK_FULL,                             UNAVAILABLE, STAYS)       \
    X(1023, ER_ERROR_ON_CLOSE,                        UNAVAILABLE, STAYS)       \
    X(1026, ER_ERROR_ON_WRITE,                        UNAVAILABLE, STAYS)       \
    X(1030, ER_GET_ERRNO,                             UNAVAILABLE, STAYS)       \
    X(1037, ER_OUTOFMEMORY,                           UNAVAILABLE, STAYS)       \
    X(1038, ER_OUT_OF_SORTMEMORY,                     UNAVAILABLE, STAYS)       \
    X(1040, ER_CON_COUNT_ERROR,                       UNAVAILABLE, LOST)        \
    X(1041, ER_OUT_OF_RESOURCES,                      UNAVAILABLE, STAYS)       \
    X(1044, ER_DBACCESS_DENIED_ERROR,                 UNAVAILABLE, LOST)        \
    X(1045, ER_ACCESS_DENIED_ERROR,                   UNAVAILABLE, LOST)        \
    X(1047, ER_UNKNOWN_COM_ERROR,                     UNAVAILABLE, LOST)        \
    X(1049, ER_BAD_DB_ERROR,                          UNAVAILABLE, LOST)        \
    X(1050, ER_TABLE_EXISTS_ERROR,                    CONFLICT,    STAYS)       \
    X(1053, ER_SERVER_SHUTDOWN,                       UNAVAILABLE, LOST)        \
    X(1060, ER_DUP_FIELDNAME,                         CONFLICT,    STAYS)       \
    X(1061, ER_DUP_KEYNAME,                           CONFLICT,    STAYS)       \
    X(1062, ER_DUP_ENTRY,                             CONFLICT,    STAYS)       \
    X(1077, ER_NORMAL_SHUTDOWN,                       UNAVAILABLE, LOST)        \
    X(1078, ER_GOT_SIGNAL,                            UNAVAILABLE, LOST)        \
    X(1079, ER_SHUTDOWN_COMPLETE,                     UNAVAILABLE, LOST)        \
    X(1080, ER_FORCING_CLOSE,                         UNAVAILABLE, LOST)        \
    X(1091, ER_CANT_DROP_FIELD_OR_KEY,                CONFLICT,    STAYS)       \
    X(1114, ER_RECORD_FILE_FULL,                      UNAVAILABLE, STAYS)       \
    X(1129, ER_HOST_IS_BLOCKED,                       UNAVAILABLE, LOST)        \
    X(1130, ER_HOST_NOT_PRIVILEGED,                   UNAVAILABLE, LOST)        \
    X(1142, ER_TABLEACCESS_DENIED_ERROR,              UNAVAILABLE, STAYS)       \
    X(1152, ER_ABORTING_CONNECTION,                   UNAVAILABLE, LOST)        \
    X(1153, ER_NET_PACKET_TOO_LARGE,                  UNAVAILABLE, LOST)        \
    X(1158, ER_NET_READ_ERROR,                        UNAVAILABLE, LOST)        \
    X(1159, ER_NET_READ_INTERRUPTED,                  UNAVAILABLE, LOST)        \
    X(1160, ER_NET_ERROR_ON_WRITE,                    UNAVAILABLE, LOST)        \
    X(1161, ER_NET_WRITE_INTERRUPTED,                 UNAVAILABLE, LOST)        \
    X(1180, ER_ERROR_DURING_COMMIT,                   UNAVAILABLE, STAYS)       \
    X(1184, ER_NEW_ABORTING_CONNECTION,               UNAVAILABLE, LOST)        \
    X(1203, ER_TOO_MANY_USER_CONNECTIONS,             UNAVAILABLE, LOST)        \
    X(1205, ER_LOCK_WAIT_TIMEOUT,                     UNAVAILABLE, UNDONE)      \
    X(1206, ER_LOCK_TABLE_FULL,                       UNAVAILABLE, STAYS)       \
    X(1213, ER_LOCK_DEADLOCK,                         UNAVAILABLE, UNDONE)      \
    X(1226, ER_USER_LIMIT_REACHED,                    UNAVAILABLE, LOST)        \
    X(1290, ER_OPTION_PREVENTS_STATEMENT,             UNAVAILABLE, MOVE)        \
    X(1317, ER_QUERY_INTERRUPTED,                     UNAVAILABLE, STAYS)       \
    X(1412, ER_TABLE_DEF_CHANGED,                     UNAVAILABLE, UNDONE)      \
    X(1461, ER_MAX_PREPARED_STMT_COUNT_REACHED,       UNAVAILABLE, STAYS)       \
    X(1586, ER_DUP_ENTRY_WITH_KEY_NAME,               CONFLICT,    STAYS)       \
    X(1637, ER_TOO_MANY_CONCURRENT_TRXS,              UNAVAILABLE, STAYS)       \
    X(1698, ER_ACCESS_DENIED_NO_PASSWORD_ERROR,       UNAVAILABLE, LOST)        \
    X(1836, ER_READ_ONLY_MODE,                        UNAVAILABLE, MOVE)        \
    X(1927, ER_CONNECTION_KILLED,                     UNAVAILABLE, LOST)        \
    X(1969, ER_STATEMENT_TIMEOUT,                     UNAVAILABLE, STAYS)       \
    X(3024, ER_QUERY_TIMEOUT,                         UNAVAILABLE, STAYS)       \
    X(3101, ER_TRANSACTION_ROLLBACK_DURING_COMMIT,    UNAVAILABLE, UNDONE)      \
    X(4031, ER_CLIENT_INTERACTION_TIMEOUT,            UNAVAILABLE, LOST)

/* Values that the engine refuses: our mistake. Their messages quote the value, as that of
 * ER_DUP_ENTRY does. */
#define MYSQL_QUIET_TABLE(X)                    \
    X(1264, ER_WARN_DATA_OUT_OF_RANGE)          \
    X(1292, ER_TRUNCATED_WRONG_VALUE)           \
    X(1366, ER_TRUNCATED_WRONG_VALUE_FOR_FIELD) \
    X(1406, ER_DATA_TOO_LONG)
/* clang-format on */

#endif

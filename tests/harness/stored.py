# SPDX-License-Identifier: MIT
"""A look into the SQLite files: only what a test must know of how something is kept."""
import contextlib
import sqlite3


@contextlib.contextmanager
def opened(database, is_writable=False):
    """The database file, read-only unless asked otherwise; the service may be running."""
    mode = "rw" if is_writable else "ro"
    connection = sqlite3.connect(f"file:{database}?mode={mode}", uri=True, timeout=10, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def tables(connection):
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for name, in rows]


def hash_prefix(database, username):
    """What kind of password hash is stored for a user: "$2b$10$", "$argon2id$v=19$m=64,t=1,p=1", or None."""
    with opened(database) as connection:
        for table in tables(connection):
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                values = [value.decode() if isinstance(value, bytes) else value for value in row]
                if username not in values or not any("username" in column.lower() for column in columns):
                    continue
                for value in values:
                    if isinstance(value, str) and value.startswith("$argon2"):
                        return "$".join(value.split("$")[:4])
                    if isinstance(value, str) and value.startswith("$2"):
                        return value[:7]
    return None


def migrations(database):
    """Versions in schema_migrations, in the order in which they were written."""
    with opened(database) as connection:
        return [version for version, in connection.execute("SELECT version FROM schema_migrations ORDER BY rowid")]


def pretend_newer(database, version, oldest_program):
    """As if a newer program had migrated the database."""
    with opened(database, is_writable=True) as connection:
        connection.execute("INSERT INTO schema_migrations (version, name, oldest_program, applied_unix_ms) "
                           "VALUES (?, 'from a newer program', ?, 1795366800000)", (version, oldest_program))

# SPDX-License-Identifier: MIT
"""A look into the databases, of either engine: only what a test must know of how something is kept.

`database` is what Service.database gives: the path of an SQLite file, or a Database on the run's MariaDB.
"""
import contextlib
import sqlite3
from dataclasses import dataclass

from . import mariadb


@dataclass(frozen=True)
class Database:
    """One of MariaDB's databases."""
    name: str


class Row(tuple):
    """A row whose cells have names as well, as sqlite3.Row."""

    def __new__(cls, cells, names):
        row = super().__new__(cls, cells)
        row.names = names
        return row

    def __getitem__(self, place):
        return super().__getitem__(self.names.index(place) if isinstance(place, str) else place)


class Answer(list):
    def fetchone(self):
        return self[0] if self else None

    def fetchall(self):
        return list(self)


class MariaConnection:
    """As much of sqlite3.Connection as the tests use; texts come as str, keys as bytes."""

    def __init__(self, name):
        self.connection = mariadb.shared().connect(name)

    def execute(self, sql, values=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql.replace("%", "%%").replace("?", "%s") if values else sql, values or None)
            names = [column[0] for column in cursor.description or ()]
            return Answer(Row(cells, names) for cells in cursor.fetchall())

    def commit(self):
        """Each statement has committed."""

    def close(self):
        self.connection.close()


def connect(database, is_writable=False):
    """Read-only unless asked otherwise; the service may be running."""
    if isinstance(database, Database):
        return MariaConnection(database.name)
    mode = "rw" if is_writable else "ro"
    connection = sqlite3.connect(f"file:{database}?mode={mode}", uri=True, timeout=30, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


@contextlib.contextmanager
def opened(database, is_writable=False):
    connection = connect(database, is_writable)
    try:
        yield connection
    finally:
        connection.close()


def tables(connection):
    if isinstance(connection, MariaConnection):
        return [row[0] for row in connection.execute("SHOW TABLES")]
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for name, in rows]


def hash_prefix(database, username):
    """What kind of password hash is stored for a user: "$2b$10$", "$argon2id$v=19$m=64,t=1,p=1", or None."""
    with opened(database) as connection:
        for table in tables(connection):
            for row in connection.execute(f"SELECT * FROM `{table}`"):
                columns = row.names if isinstance(row, Row) else row.keys()
                values = [value.decode("latin-1") if isinstance(value, bytes) else value for value in row]
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
        return [row[0] for row in connection.execute("SELECT version FROM schema_migrations ORDER BY applied_unix_ms, version")]


def pretend_newer(database, version, oldest_program):
    """As if a newer program had migrated the database."""
    with opened(database, is_writable=True) as connection:
        connection.execute("INSERT INTO schema_migrations (version, name, oldest_program, applied_unix_ms) "
                           "VALUES (?, 'from a newer program', ?, 1795366800000)", (version, oldest_program))


def prolong_waits(database, seconds):
    """Whoever must wait for his next try of a password waits so much longer, so that no busy machine outlasts it."""
    with opened(database, is_writable=True) as connection:
        connection.execute("UPDATE login_throttle SET wait_until_unix_ms = wait_until_unix_ms + ? WHERE is_total = 0", (seconds * 1000,))


def assert_whole(database):
    """The engine finds no damage."""
    with opened(database) as connection:
        if isinstance(database, Database):
            for table in tables(connection):
                assert [row["Msg_text"] for row in connection.execute(f"CHECK TABLE `{table}`")] == ["OK"], table
        else:
            assert tuple(connection.execute("PRAGMA integrity_check").fetchone()) == ("ok",)

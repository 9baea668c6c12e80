# SPDX-License-Identifier: MIT
"""The Node version's tables, as a source for --from-node: in an SQLite file, or in a database of the run's MariaDB.

Made by the statements that Sequelize runs (tests/from_node/tables.*.sql), or by Sequelize itself where its packages
can be had: `sequelize_rows` then runs tests/from_node/make_tables.mjs.
"""
import json
import pathlib
import re
import secrets
import sqlite3
import subprocess

from . import mariadb, npm, programs

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "from_node"
PACKAGES = programs.BUILD / "from_node"
COLUMNS = {
    "SQNotes": ("notekey", "title", "body"),
    "SQMessages": ("from", "namespace", "room", "message", "timestamp"),
    "SQUsers": ("username", "password", "provider", "familyName", "givenName", "middleName", "emails", "photos"),
}
TIME = "2020-02-29T12:30:45.678Z"


def sequelize_fault():
    """None when Sequelize is there (installed on first use), else why it is not."""
    return npm.install("from_node")[1]


class Source:
    """`url` and `settings` are for the program; `execute` changes the tables."""
    settings = {}
    dialect = ""

    def add(self, table, **row):
        """A row as it is: createdAt and updatedAt are TIME unless given."""
        row = {"createdAt": TIME, "updatedAt": TIME, **row}
        names = ", ".join(f"`{name}`" for name in row)
        values = [self.stored(name, value) for name, value in row.items()]
        self.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", values)

    def note(self, notekey, title="A title", body="A *body*", **more):
        self.add("SQNotes", notekey=notekey, title=title, body=body, **more)

    def message(self, room, message, author="me", **more):
        self.add("SQMessages", **{"from": author, "namespace": "/notes", "room": room, "message": message, "timestamp": TIME, **more})

    def user(self, username, password=None, **more):
        self.add("SQUsers", **{"username": username, "password": password, "provider": "local", "familyName": "", "givenName": "",
                               "middleName": "", "emails": "[]", "photos": "[]", **more})

    def make_tables(self):
        text = (FOLDER / f"tables.{self.dialect}.sql").read_text(encoding="ascii")
        for statement in text.split(";\n"):
            if statement.strip():
                self.execute(statement)


class SqliteSource(Source):
    dialect = "sqlite"

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "chap.sqlite3"
        self.url = f"sqlite:{self.path}"
        self.connection = sqlite3.connect(self.path, isolation_level=None)

    def execute(self, sql, values=()):
        return self.connection.execute(sql, values).fetchall()

    @staticmethod
    def stored(name, value):
        """As Sequelize stores it."""
        if name in ("timestamp", "createdAt", "updatedAt") and value:
            return re.sub(r"T(.*)Z$", r" \1 +00:00", value)
        return value

    def sequelize_rows(self, rows):
        done = subprocess.run(["node", "make_tables.mjs", "sqlite"], cwd=PACKAGES, input=json.dumps(rows), capture_output=True,
                              text=True, check=True)
        for line in done.stdout.splitlines():
            statement = json.loads(line)
            values = {name[1:]: value for name, value in dict(statement["values"] or {}).items()}
            self.execute(statement["sql"], values)


class MariaSource(Source):
    dialect = "mysql"

    def __init__(self):
        server = mariadb.shared()
        self.name = "notes_node_" + secrets.token_hex(8)
        server.root(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")
        self.url = server.settings(self.name)["DATABASE_URL"]
        self.settings = {"FROM_NODE_PASSWORD": server.password}
        self.connection = server.connect(self.name)

    def execute(self, sql, values=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql.replace("%", "%%").replace("?", "%s") if values else sql, values or None)
            return cursor.fetchall()

    @staticmethod
    def stored(name, value):
        """DATETIME has whole seconds."""
        if name in ("timestamp", "createdAt", "updatedAt") and value:
            return re.sub(r"T(.*)\.\d+Z$", r" \1", value)
        return value

    def sequelize_rows(self, rows):
        server = mariadb.shared()
        options = {"host": "127.0.0.1", "port": server.port, "username": mariadb.USER, "password": server.password,
                   "database": self.name}
        subprocess.run(["node", "make_tables.mjs", "mysql", json.dumps(options)], cwd=PACKAGES, input=json.dumps(rows),
                       capture_output=True, text=True, check=True)


def new_source(kind, folder):
    return SqliteSource(folder) if kind == "sqlite" else MariaSource()

# SPDX-License-Identifier: MIT
"""What a test can do to a private database server of MySQL's kind, whichever it is."""
import contextlib
import hashlib
import os
import pathlib
import signal
import subprocess

import pymysql

from . import programs
from .ports import free_port
from .wait import until

USER = "notes"
START_TIMEOUT_S = 60


class DatabaseServer:
    """start, stop, kill, pause and resume; `root` runs a statement as administrator. A kind says what to run."""
    name = ""
    folder = None  # data, log and socket

    def __init__(self):
        self.port = free_port()
        self.password = programs.new_password("db")
        self.process = None
        self.prepare()
        self.start()
        self.root(f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{self.password}'",
                  f"GRANT ALL ON `notes\\_%`.* TO {USER}@'127.0.0.1'")

    def prepare(self):
        raise NotImplementedError

    def command(self):
        """What is run, and what the child does before."""
        raise NotImplementedError

    @property
    def socket(self):
        return f"{self.folder}/socket"

    def start(self):
        command, before = self.command()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=before)

        def answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
            try:
                self.root("SELECT 1")
            except pymysql.err.OperationalError:
                return False
            return True

        until(answers, self.name + " answers", START_TIMEOUT_S)
        return self

    def connect(self, database=None, charset="utf8mb4"):
        return pymysql.connect(unix_socket=self.socket, user="root", database=database, charset=charset, autocommit=True)

    def root(self, *statements):
        """Runs statements; returns the rows of the last one."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        if self.is_running():
            self.resume()
            self.kill()

    # --- who is connected ---

    def sessions(self):
        """Triples of the services' connections: id, database, statement that runs or None."""
        with contextlib.closing(self.connect(charset="latin1")) as connection:  # statements may hold any bytes
            with connection.cursor() as cursor:
                cursor.execute("SHOW FULL PROCESSLIST")
                return [(row[0], row[3], row[7]) for row in cursor.fetchall() if row[1] == USER]

    def kill_sessions(self, what="KILL"):
        """Or "KILL QUERY": only what runs."""
        for number, _, _ in self.sessions():
            with contextlib.suppress(pymysql.err.MySQLError):  # it may be gone by itself
                self.root(f"{what} {number}")

    def has_client(self, pid):
        """Has this process a connection to us, whether we answer or not?"""
        with open(f"/proc/{pid}/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        mine = {row[9] for row in rows if int(row[2].split(":")[1], 16) == self.port and row[3] == "01"}
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if link.readlink().name.removeprefix("socket:[").removesuffix("]") in mine:
                    return True
        return False

    # --- databases ---

    def database_of(self, key):
        """The name of the database that belongs to `key` (a service's state folder and name); made when missing."""
        name = "notes_" + hashlib.sha256(str(key).encode()).hexdigest()[:20]
        self.root(f"CREATE DATABASE IF NOT EXISTS {name}")
        return name

    def settings(self, database):
        return {"DATABASE_URL": f"mysql://{USER}@127.0.0.1:{self.port}/{database}", "DATABASE_PASSWORD": self.password}

# SPDX-License-Identifier: MIT
"""A private MariaDB server: its data in a temporary folder, a port on 127.0.0.1, durable enough for tests only.

With NOTES_TEST_ENGINE=mariadb every service of the black-box tests gets a database of its own on one such server,
which is started once per run. `python3 tests/harness/mariadb.py COMMAND...` runs a command beside a server of its own.
"""
import atexit
import contextlib
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

import pymysql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import programs  # noqa: E402
from harness.wait import until  # noqa: E402

USER = "notes"
START_TIMEOUT_S = 60
FAST = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=32M",
        "--innodb-log-file-size=16M", "--skip-log-bin", "--skip-name-resolve", "--performance-schema=0",
        "--max-connections=1000", "--character-set-server=latin1"]  # nothing may lean on the server's default


def is_wanted():
    return os.environ.get("NOTES_TEST_ENGINE") == "mariadb"


class MariaDb:
    """start, stop, kill, pause and resume; `root` runs a statement as administrator."""

    def __init__(self, is_durable=False):
        """is_durable: what was committed is there after kill(), as with a server's own defaults."""
        self.fast = [option for option in FAST if not is_durable or "flush" not in option]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="notes-mariadb-"))
        self.port = programs.free_port()
        self.password = programs.new_password("db")
        self.process = None
        me = pwd.getpwuid(os.getuid()).pw_name
        self.options = ["--no-defaults", f"--user={me}", f"--datadir={self.folder}/data"]
        subprocess.run(["mariadb-install-db", *self.options, "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=programs.die_with_parent)
        self.start()
        self.root(f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{self.password}'",
                  f"GRANT ALL ON `notes\\_%`.* TO {USER}@'127.0.0.1'")

    @property
    def socket(self):
        return f"{self.folder}/socket"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", *self.options, *self.fast, f"--socket={self.socket}", f"--port={self.port}",
                 "--bind-address=127.0.0.1", f"--pid-file={self.folder}/pid"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=programs.die_with_parent)

        def answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
            try:
                self.root("SELECT 1")
            except pymysql.err.OperationalError:
                return False
            return True

        until(answers, "MariaDB answers", START_TIMEOUT_S)
        return self

    def connect(self, database=None):
        return pymysql.connect(unix_socket=self.socket, user="root", database=database, charset="utf8mb4", autocommit=True)

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

    def close(self):
        if self.process.poll() is None:
            self.resume()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- databases ---

    def database_of(self, key):
        """The name of the database that belongs to `key` (a service's state folder and name); made when missing."""
        name = "notes_" + hashlib.sha256(str(key).encode()).hexdigest()[:20]
        self.root(f"CREATE DATABASE IF NOT EXISTS {name}")
        return name

    def settings(self, database):
        return {"DATABASE_URL": f"mysql://{USER}@127.0.0.1:{self.port}/{database}", "DATABASE_PASSWORD": self.password}


_shared = None


def shared():
    """The server of this run."""
    global _shared
    if _shared is None:
        _shared = MariaDb()
        atexit.register(_shared.close)
    return _shared


def main(command):
    server = MariaDb()
    try:
        return subprocess.run(command, env={**os.environ, "NOTES_TEST_MYSQL_PORT": str(server.port),
                                            "NOTES_TEST_MYSQL_PASSWORD": server.password,
                                            "NOTES_TEST_MYSQL_SOCKET": server.socket,
                                            "NOTES_TEST_MYSQL_PID": str(server.process.pid)}, check=False).returncode
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: MIT
"""A private MariaDB server: its data in a temporary folder, a port on 127.0.0.1, durable enough for tests only.

With NOTES_TEST_ENGINE=mariadb every service of the black-box tests gets a database of its own on one such server,
which is started once per run; with NOTES_TEST_ENGINE=mysql on a MySQL server (mysql.py).
`python3 tests/harness/mariadb.py COMMAND...` runs a command beside a server of its own.
"""
import atexit
import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import programs  # noqa: E402
from harness.database_server import USER, DatabaseServer  # noqa: E402

__all__ = ["USER", "MariaDb", "engine", "instead", "is_wanted", "own", "shared"]

FAST = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=32M",
        "--innodb-log-file-size=16M", "--skip-log-bin", "--skip-name-resolve", "--performance-schema=0",
        "--max-connections=1000", "--character-set-server=latin1"]  # nothing may lean on the server's default


def engine():
    return os.environ.get("NOTES_TEST_ENGINE") or "sqlite"


def is_wanted():
    """Is this run on a server, of either kind?"""
    return engine() in ("mariadb", "mysql")


class MariaDb(DatabaseServer):
    name = "MariaDB"

    def __init__(self, is_durable=False, options=()):
        """is_durable: what was committed is there after kill(), as with a server's own defaults."""
        self.fast = [option for option in FAST if not is_durable or "flush" not in option]
        self.more = list(options)
        super().__init__()

    def prepare(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="notes-mariadb-"))
        me = pwd.getpwuid(os.getuid()).pw_name
        (self.folder / "tmp").mkdir()  # of its own: a server that starts removes other servers' temporary tables from a shared one
        self.options = ["--no-defaults", f"--user={me}", f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp"]
        subprocess.run(["mariadb-install-db", *self.options, "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=programs.die_with_parent)

    def command(self):
        return ["/usr/sbin/mariadbd", *self.options, *self.fast, *self.more, f"--socket={self.socket}", f"--port={self.port}",
                "--bind-address=127.0.0.1", f"--pid-file={self.folder}/pid"], programs.die_with_parent

    def use_tls(self, key, certificate):
        """From the next start on. Files that the server can read."""
        self.more += [f"--ssl-key={key}", f"--ssl-cert={certificate}"]

    def close(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def own(**options):
    """A new server of this run's kind."""
    if engine() == "mysql":
        from harness.mysql import MySql
        return MySql(**options)
    return MariaDb(**options)


_own = None  # the server of this run
_instead = []  # those that stand in for it, the last one first


def shared():
    """The server of this run, or the one that stands in for it."""
    global _own
    if _instead:
        return _instead[-1]
    if _own is None:
        _own = own()
        atexit.register(_own.close)
    return _own


@contextlib.contextmanager
def instead(server):
    """While this lasts, `server` is the run's: what happens to it happens to no other tests. Several may end in any order."""
    _instead.append(server)
    try:
        yield server
    finally:
        _instead.remove(server)


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

# SPDX-License-Identifier: MIT
"""A private MySQL server out of the folder that mysql_root.sh prepares: inside it by chroot, as its user `mysql`.

NOTES_MYSQL_ROOT names that folder (default: build-test/mysql-root of the tree). A fresh data folder is made once and
copied for each server.
"""
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import programs
from .database_server import DatabaseServer

ROOT = pathlib.Path(os.environ.get("NOTES_MYSQL_ROOT") or programs.ROOT / "build-test" / "mysql-root").resolve()
TEMPLATE = ROOT / "var" / "notes-template"
FAST = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--innodb-buffer-pool-size=32M",
        "--innodb-redo-log-capacity=16M", "--disable-log-bin", "--skip-name-resolve", "--performance-schema=OFF",
        "--mysqlx=OFF", "--max-connections=1000", "--character-set-server=latin1"]  # nothing may lean on the server's default
NO_TLS = ["--tls-version="]


def missing():
    """Why there is no MySQL here; None when there is one."""
    done = subprocess.run([programs.ROOT / "tests" / "harness" / "mysql_root.sh", ROOT], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return None
    assert done.returncode == 77, done
    return done.stdout.strip()


def _ids():
    rows = [line.split(":") for line in (ROOT / "etc/passwd").read_text().splitlines()]
    return next((int(row[2]), int(row[3])) for row in rows if row[0] == "mysql")


def _enter():
    """In the child, before exec. The wish to die with the parent comes last: a change of the user drops it."""
    user, group = _ids()
    os.chroot(ROOT)
    os.chdir("/")
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    programs.die_with_parent()


def _inside(path):
    return "/" + str(pathlib.Path(path).relative_to(ROOT))


def _make_template():
    with open(ROOT / "var" / "notes-template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if TEMPLATE.exists():
            return
        fresh = pathlib.Path(tempfile.mkdtemp(dir=ROOT / "var", prefix="notes-fresh-"))
        os.chown(fresh, *_ids())
        subprocess.run(["/usr/sbin/mysqld", "--no-defaults", "--initialize-insecure", f"--datadir={_inside(fresh)}",
                        "--secure-file-priv=NULL", *FAST], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       preexec_fn=_enter)
        fresh.rename(TEMPLATE)


class MySql(DatabaseServer):
    name = "MySQL"

    def __init__(self, is_durable=False, options=(), has_tls=False):
        """is_durable: what was committed is there after kill(). has_tls: with the certificate that it makes itself."""
        self.fast = [option for option in FAST if not is_durable or "flush" not in option]
        self.more = [*options, *([] if has_tls else NO_TLS)]
        super().__init__()

    def prepare(self):
        _make_template()
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=ROOT / "tmp", prefix="notes-mysql-"))
        self.folder.chmod(0o755)
        os.chown(self.folder, *_ids())
        subprocess.run(["cp", "-a", TEMPLATE, self.folder / "data"], check=True)
        (self.folder / "data/auto.cnf").unlink(missing_ok=True)

    def command(self):
        inside = _inside(self.folder)
        return ["/usr/sbin/mysqld", "--no-defaults", f"--datadir={inside}/data", *self.fast, *self.more, "--secure-file-priv=NULL",
                f"--socket={inside}/socket", f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={inside}/pid"], _enter

    def use_tls(self, key, certificate):
        """From the next start on."""
        self.more = [option for option in self.more if option not in NO_TLS]
        for source, name, option in ((key, "server.key", "--ssl-key"), (certificate, "server.pem", "--ssl-cert")):
            target = self.folder / name
            shutil.copy(source, target)
            os.chown(target, *_ids())
            self.more.append(f"{option}={_inside(target)}")

    def close(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

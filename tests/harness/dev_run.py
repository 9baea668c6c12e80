# SPDX-License-Identifier: MIT
"""A started `./dev run` in a copy of the tree (fixture `tree`), and the processes that belong to it."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

from . import programs
from .ports import free_port
from .wait import until

START_S = 600  # it builds first
STOP_S = 60
LAST_LINE = "  Stop          Ctrl-C"  # when all is started; what is wrong with Redis may follow
LISTEN = "0A"  # in /proc/net/tcp
LOOPBACK = "0100007F"


class Run:
    """`text()` is all that it printed. Options as on the command line; `env` is added to the environment. `ignored` are
    signals that whoever starts it has it ignore."""

    def __init__(self, tree, *options, ignored=(), **env):
        self.out = pathlib.Path(tree) / "run.out"

        def prepare():
            programs.die_with_parent()  # and what it runs dies with it
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

        with self.out.open("w") as out:
            self.process = subprocess.Popen([str(tree / "dev"), "run", *map(str, options)], cwd=tree, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                            env={**os.environ, **env}, preexec_fn=prepare)

    def text(self):
        return self.out.read_text()

    def wait_for_text(self, text):
        until(lambda: text in self.text() or self.process.poll() is not None, text, START_S)
        assert text in self.text(), self.text()
        return self

    def wait_end(self):
        return self.process.wait(START_S)

    def stop(self, number=signal.SIGINT):
        os.killpg(self.process.pid, number)
        return self.process.wait(STOP_S)

    def password(self):
        """That of the first user, which is shown at the first start."""
        return programs.remember_secret(re.search(r"password +(\S+)", self.text())[1])

    def children(self):
        """Process id -> session id."""
        found = {pid: parent_and_session_of(pid) for pid in all_processes()}
        return {pid: ids[1] for pid, ids in found.items() if ids and ids[0] == self.process.pid}

    def processes(self):
        """Ids of what it runs, services and servers: each leads a session, unlike what the script calls for a moment."""
        return [pid for pid, session in self.children().items() if pid == session]


def start(tree, folder, *options, port=None, users_port=None, **env):
    """A Run that has printed all that it prints at its start, and the port of its pages."""
    port, users_port = port or free_port(), users_port or free_port()
    run = Run(tree, "--port", port, "--users-port", users_port, "--var", folder, *options, **env)
    run.wait_for_text(f"http://localhost:{port}/").wait_for_text(LAST_LINE)
    return run, port


def all_processes():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def parent_and_session_of(pid):
    """None when there is no such process, or when it has ended and waits to be collected."""
    try:
        state, parent, _, session = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return None
    return None if state == "Z" else (int(parent), int(session))


def is_alive(pid):
    return parent_and_session_of(pid) is not None


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def started(folder):
    """Process id -> port, as the services of this folder have logged it."""
    lines = [line for path in folder.rglob("*.log") for line in path.read_text(errors="replace").splitlines()]
    events = [json.loads(line) for line in lines if '"event":"service.started"' in line]
    return {event["pid"]: event["port"] for event in events}


def services_of(folder):
    """Process ids of services whose STATE_DIR is this folder. Only root may look into a service: others believe the log."""
    found = set(started(folder))
    for pid in all_processes():
        try:
            environ = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"STATE_DIR={folder}".encode() in environ:
            found.add(pid)
    return [pid for pid in found if is_alive(pid) and name_of(pid) in ("notes-svc", "userauth-svc")]


def listeners(pids, folder):
    """(address, port) of each TCP socket on which these processes listen; the address as the kernel writes it."""
    inodes, ports = set(), set()
    for pid in pids:
        try:
            for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    inodes.add(os.readlink(link))
        except PermissionError:
            ports.add(started(folder)[pid])
    rows = [line.split() for table in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    found = [(*row[1].split(":"), f"socket:[{row[9]}]") for row in rows if row[3] == LISTEN]
    return [(address, int(port, 16)) for address, port, inode in found if inode in inodes or int(port, 16) in ports]


def command_lines():
    """What every user sees of all processes."""
    lines = []
    for pid in all_processes():
        try:
            lines.append(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
        except OSError:
            continue
    return b"\n".join(lines)

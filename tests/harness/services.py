# SPDX-License-Identifier: MIT
"""userauth-svc and notes-svc as processes that a test owns.

    service = Userauth(tmp_path / "state", LOG_LEVEL="debug").start()
    ...
    assert service.stop() == 0

Settings are keyword arguments; None leaves one out. Hashing is cheap unless a test asks for the real cost.
The port stays the same over restart(). stop() asserts exit 0 and that no sanitizer spoke.
"""
import json
import os
import pathlib
import re
import signal
import subprocess

import requests

from . import mariadb, programs, shared_redis, stored
from .api import Api
from .ports import free_port
from .wait import until

READY_TIMEOUT_S = 40
EXIT_TIMEOUT_S = 15
STOP_TIMEOUT_S = 60  # requests have their time to end, and then what they wait for has
PORT_TAKEN = re.compile(r"can't listen.*(already|in use)")
_serial = iter(range(1, 1_000_000))


class StartFailed(AssertionError):
    """The service ended before it was ready. `code` is its exit code, `stderr` what it said."""

    def __init__(self, service, code):
        self.code = code
        self.stderr = service.stderr_text()
        super().__init__(f"{service.name} ended with {code} before it was ready\n{service.tail()}")


class Service:
    name = ""
    program = None
    file_name = ""

    def __init__(self, state_dir, printed_dir=None, **settings):
        """What it prints goes to files in printed_dir (default: beside the state folder)."""
        self.state_dir = pathlib.Path(state_dir)
        self.settings = {"STATE_DIR": self.state_dir, "LISTEN": "127.0.0.1", **self.database_settings(), **self.defaults(),
                         **settings}
        self.has_own_port = "PORT" not in settings
        self.port = int(settings.get("PORT") or free_port())
        self.process = None
        folder = pathlib.Path(printed_dir or self.state_dir.parent / "printed")
        folder.mkdir(parents=True, exist_ok=True)
        serial = next(_serial)
        self.stdout_path = folder / f"{self.name}-{serial}.stdout"
        self.stderr_path = folder / f"{self.name}-{serial}.stderr"
        programs.printed_files.extend([self.stdout_path, self.stderr_path])

    def defaults(self):
        return {}

    def database_settings(self):
        """With MariaDB a database per state folder, as each folder has a file of its own with SQLite."""
        if not mariadb.is_wanted():
            return {}
        server = mariadb.shared()
        return server.settings(server.database_of((self.state_dir, self.name)))

    @property
    def database(self):
        """Where its data is, for harness.stored."""
        if mariadb.is_wanted():
            return stored.Database(mariadb.shared().database_of((self.state_dir, self.name)))
        return self.state_dir / self.file_name

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    @property
    def key(self):
        """The service key that userauth-svc made in this STATE_DIR."""
        return programs.remember_secret((self.state_dir / "userauth.key").read_text().rstrip("\n"))

    # --- life ---

    def spawn(self, wrapper=()):
        """Starts the process and does not wait. `wrapper` is a command to run it under."""
        self.settings["PORT"] = self.port
        with open(self.stdout_path, "ab") as out, open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen([*wrapper, str(self.program)], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, env=programs.clean_env(self.settings),
                                            preexec_fn=programs.die_with_parent)
        return self

    def wait_ready(self):
        def answers():
            if self.process.poll() is not None:
                raise StartFailed(self, self.process.returncode)
            return self.is_ready()

        try:
            until(answers, "ready", READY_TIMEOUT_S)
        except StartFailed:
            raise
        except AssertionError:
            self.kill()
            raise AssertionError(f"{self.name} was not ready in {READY_TIMEOUT_S} s\n{self.tail()}") from None
        if (self.state_dir / "userauth.key").exists():
            programs.remember_secret(self.key)
        return self

    def start(self, wrapper=()):
        """Starts and waits for /readyz. Another process may take the chosen port first: then once more."""
        for attempt in range(3):
            try:
                return self.spawn(wrapper).wait_ready()
            except StartFailed as failed:
                if attempt == 2 or not self.has_own_port or not PORT_TAKEN.search(failed.stderr):
                    raise
                self.port = free_port()
        raise AssertionError("unreachable")

    def is_ready(self):
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.get(self.url + "/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        """After SIGSTOP it stands still: on a busy machine some of its threads go on for a while."""
        self.process.send_signal(number)
        if number == signal.SIGSTOP:
            until(lambda: not self.is_running() or
                  os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG), f"{self.name} stands still")

    def wait_exit(self, timeout_s=EXIT_TIMEOUT_S):
        """Waits for the end of a process that was told to end. Returns the exit code."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end in {timeout_s} s\n{self.tail()}") from None
        programs.assert_no_sanitizer_report(self.stderr_text())
        return code

    def stop(self):
        """SIGTERM; asserts a clean end. Returns the exit code (0)."""
        assert self.is_running(), f"{self.name} is not running any more\n{self.tail()}"
        self.signal(signal.SIGTERM)
        code = self.wait_exit(STOP_TIMEOUT_S)
        assert code == 0, f"{self.name} ended with {code}\n{self.tail()}"
        return code

    def kill(self):
        """SIGKILL, as a crash. Does nothing when it is down already."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self, **settings):
        """Stops (when running) and starts again, with some settings changed; the port is kept."""
        if self.is_running():
            self.stop()
        self.settings.update(settings)
        return self.start()

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.stop()
        else:
            self.kill()

    # --- what it printed ---

    def stdout_text(self):
        return self.stdout_path.read_text(errors="surrogateescape") if self.stdout_path.exists() else ""

    def stderr_text(self):
        return self.stderr_path.read_text(errors="surrogateescape") if self.stderr_path.exists() else ""

    def log_lines(self, **members):
        """Whole lines of stdout as JSON objects; with members given, only those lines that have them."""
        text = self.stdout_text()
        lines = [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines() if line.strip()]
        return [line for line in lines if all(line.get(name) == value for name, value in members.items())]

    def wait_log(self, timeout_s=30, **members):
        """The first log line that has these members; waits for it."""
        return until(lambda: self.log_lines(**members), f"log line {members} of {self.name}", timeout_s)[0]

    def tail(self):
        return (f"--- last of stdout ({self.stdout_path})\n{self.stdout_text()[-3000:]}\n"
                f"--- last of stderr ({self.stderr_path})\n{self.stderr_text()[-5000:]}")


class Userauth(Service):
    name = "userauth-svc"
    program = programs.USERAUTH_SVC

    def defaults(self):
        return {"PASSWORD_MEMORY_KIB": 64, "PASSWORD_PASSES": 1}

    file_name = "users.sqlite"

    def api(self, name="them", key=None):
        """A requests.Session that is signed in with a key (the generated one by default)."""
        return Api(self.url, name, self.key if key is None else key)


class Notes(Service):
    """`userauth` is a Userauth, a URL, or None (then USER_SERVICE_URL is what the test gives, or the default)."""
    name = "notes-svc"
    program = programs.NOTES_SVC

    def __init__(self, state_dir, userauth=None, printed_dir=None, **settings):
        self.userauth = userauth
        has_redis = any(name.startswith("REDIS_") for name in settings)
        redis_settings = {} if has_redis else shared_redis.settings_of(state_dir)
        super().__init__(state_dir, printed_dir, **{**redis_settings, **settings})

    def defaults(self):
        if self.userauth is None:
            return {}
        if isinstance(self.userauth, str):
            return {"USER_SERVICE_URL": self.userauth}
        shared = self.userauth.state_dir == self.state_dir
        return {"USER_SERVICE_URL": self.userauth.url,
                "USER_SERVICE_KEY": None if shared else self.userauth.key}

    file_name = "notes.sqlite"

# SPDX-License-Identifier: MIT
"""A container engine and what runs in it, over the command `docker`. tests/docker/engine.sh starts one where none runs.

    engine = docker.Engine()                    # Missing is raised with the reason where there can be none
    with docker.Project(engine, "compose.yaml", MYSQL_IMAGE=engine.image("mysql")) as project:
        project.up("--scale", "svc-notes=3")
        project.wait_healthy("svc-notes", 3)
        one = project.containers("svc-notes")[0]
        one.reach([("db-notes", 3306)])         # {("db-notes", 3306): "open"}
        one.kill()                              # the main process, as a crash
    engine.close()

A project has a name and a subnet that no other run on this machine has at the same time. What a run leaves behind
that was killed is removed by the next one.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import subprocess
import tempfile

from . import programs
from .wait import until

TESTS = programs.ROOT / "tests" / "docker"
USERS = pathlib.Path("/run/lock/notes-test-engine.users")
PROJECT_LABEL = "com.docker.compose.project"
STACK_LABEL = "com.docker.stack.namespace"
COMMAND_TIMEOUT_S = 120
UP_TIMEOUT_S = 600
HEALTHY_TIMEOUT_S = 300
REMOVAL_TIMEOUT_S = 120
PLACES_COUNT = 100
PROBE_TIMEOUT_S = 3


class Missing(Exception):
    """Why there is no engine, or no image."""


class CommandFailed(AssertionError):
    """A command of docker that ended with an error: `code`, `stdout`, `stderr`."""

    def __init__(self, command, done):
        self.code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        super().__init__(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _script(name, *args, **environment):
    """The lines that a script of tests/docker prints; Missing when it says that this machine can't."""
    done = subprocess.run([TESTS / name, *args], stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, **environment})
    if done.returncode == 77:
        raise Missing(done.stdout.strip())
    assert done.returncode == 0, done
    return done.stdout.splitlines()


class Engine:
    """The engine that runs, or one that is started. While this is open no other run stops it."""

    def __init__(self):
        users = USERS if os.getuid() == 0 else _places() / "users"  # only root's engine is ever stopped
        users.parent.mkdir(parents=True, exist_ok=True)
        self._use = open(users, "a")
        self._images = {}
        fcntl.flock(self._use, fcntl.LOCK_SH)
        try:
            self.settings = dict(line.split("=", 1) for line in _script("engine.sh", "start"))
            self.is_own = "notes.test-engine=1" in self.docker("info", "--format", "{{join .Labels \" \"}}").split()
            _sweep(self)
        except BaseException:
            self.close()
            raise

    def close(self):
        if not self._use.closed:
            self._use.close()
            _script("engine.sh", "stop")

    def has_other_users(self):
        """Whether another run uses it, too."""
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            fcntl.flock(self._use, fcntl.LOCK_SH)
        return False

    def run(self, *command, timeout_s=COMMAND_TIMEOUT_S, stdin=None, **settings):
        """Runs a command of docker; CompletedProcess with text, whatever its exit code."""
        return subprocess.run(["docker", *map(str, command)], env={**os.environ, **self.settings, **settings}, text=True,
                              input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, errors="replace", timeout=timeout_s, check=False)

    def docker(self, *command, **options):
        """The same, which must work; what it printed to stdout."""
        done = self.run(*command, **options)
        if done.returncode != 0:
            raise CommandFailed(["docker", *map(str, command)], done)
        return done.stdout

    def inspect(self, kind, name):
        return json.loads(self.docker(kind, "inspect", name))[0]

    def image(self, kind):
        """The name of an image of ours, of a kind that images.sh knows; made when it is not there."""
        if kind not in self._images:
            self._images[kind] = _script("images.sh", kind, **self.settings)[-1]
        return self._images[kind]

    def names(self, kind, *filters):
        """Ids of what there is of a kind: container, network, volume, image."""
        words = [word for text in filters for word in ("--filter", text)]
        return self.docker(kind, "ls", "--quiet", *(["--all"] if kind == "container" else []), *words).split()

    def remove_project(self, name):
        """Everything that belongs to a project or a stack, running or not, and the images that have its name for a tag."""
        self._remove_stack(name)
        for kind, how in (("container", ["--force", "--volumes"]), ("network", []), ("volume", ["--force"])):
            ids = self.names(kind, f"label={PROJECT_LABEL}={name}")
            if ids:
                self.docker(kind, "rm", *how, *ids)
        tagged = self.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        tagged = [image for image in tagged if image.endswith(f":{name}")]
        if tagged:
            self.docker("image", "rm", "--force", *tagged)


    def _remove_stack(self, name):
        label = f"label={STACK_LABEL}={name}"
        if self.docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() == "active":
            self.docker("stack", "rm", name)
            for kind in ("container", "network"):
                until(lambda: not self.names(kind, label), f"each {kind} of the stack {name} is gone", REMOVAL_TIMEOUT_S, every_s=0.2)
        for kind, how in (("container", ["--force", "--volumes"]), ("volume", ["--force"])):
            ids = self.names(kind, label)
            if ids:
                self.docker(kind, "rm", *how, *ids)


# --- places: what two runs at the same time must not share ---

def _places():
    folder = pathlib.Path(tempfile.gettempdir()) / f"notes-test-docker-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _lock(number):
    """The open file, locked; None when another run has this place."""
    file = open(_places() / str(number), "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _project_name(number):
    return f"notes-test-{os.getuid()}-{number}"


def _sweep(engine):
    """Removes what runs have left behind that were killed."""
    for path in _places().glob("[0-9]*"):
        lock = _lock(path.name)
        if lock is not None:
            with lock:
                engine.remove_project(_project_name(path.name))


class Place:
    """A number that no other run of this machine has while this is open: `name` and `subnet` follow from it."""

    def __init__(self):
        for self.number in range(PLACES_COUNT):
            self._file = _lock(self.number)
            if self._file is not None:
                self.name = _project_name(self.number)
                self.subnet = f"10.214.{self.number}.0/24"
                return
        raise AssertionError(f"{PLACES_COUNT} projects of tests run at once")

    def close(self):
        self._file.close()


# --- containers ---

# One answer a line, in any order. Names are looked up as the container does, for the probe has its network and its resolver.
_PROBE = """
ask() {
    said=$(LC_ALL=C timeout %d bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
    case $?:$said in
        0:*) result=open ;;
        124:*) result="no answer" ;;
        *refused*) result=refused ;;
        *unreachable* | *"No route"*) result="no route" ;;
        *resolution* | *"not known"* | *"No address"*) result="unknown name" ;;
        *) result=$said ;;
    esac
    printf '%%s %%s %%s\\n' "$1" "$2" "${result//$'\\n'/ }"
}
while read -r host port; do ask "$host" "$port" & done
wait
"""


class Container:
    def __init__(self, engine, name):
        self.engine = engine
        self.id = name

    def __repr__(self):
        return f"Container({self.id[:12]})"

    def inspect(self):
        return self.engine.inspect("container", self.id)

    @property
    def name(self):
        return self.inspect()["Name"].lstrip("/")

    @property
    def service(self):
        labels = self.inspect()["Config"]["Labels"]
        in_stack = labels.get("com.docker.swarm.service.name", "").removeprefix(labels.get(STACK_LABEL, "") + "_")
        return labels.get("com.docker.compose.service") or in_stack

    @property
    def pid(self):
        """Of the main process, as the machine of the engine counts; 0 while there is none."""
        return self.inspect()["State"]["Pid"]

    @property
    def is_running(self):
        return self.inspect()["State"]["Running"]

    @property
    def exit_code(self):
        return self.inspect()["State"]["ExitCode"]

    @property
    def health(self):
        """healthy, unhealthy, starting; None where nothing checks it."""
        return self.inspect()["State"].get("Health", {}).get("Status")

    @property
    def is_ready(self):
        state = self.inspect()["State"]
        return state["Running"] and not state["Restarting"] and state.get("Health", {}).get("Status") in (None, "healthy")

    @property
    def addresses(self):
        """IPv4 address by network; a network of a project has the name that compose.yaml gives it."""
        inside = self.inspect()
        labels = inside["Config"]["Labels"]
        prefix = labels.get(PROJECT_LABEL, labels.get(STACK_LABEL, "")) + "_"
        return {name.removeprefix(prefix): network["IPAddress"] for name, network in inside["NetworkSettings"]["Networks"].items()}

    def address(self, network):
        return self.addresses[network]

    @property
    def published(self):
        """Ports of this machine that lead into it, as pairs of the port inside and the one outside."""
        ports = self.inspect()["NetworkSettings"]["Ports"] or {}
        return {(inside, one["HostPort"]) for inside, outside in ports.items() for one in outside or []}

    @property
    def started_at(self):
        return self.inspect()["State"]["StartedAt"]

    def logs(self):
        done = self.engine.run("logs", self.id)
        return done.stdout + done.stderr

    def log_lines(self, **members):
        """Lines of the log that are JSON objects and have these members."""
        lines = [json.loads(line) for line in self.logs().splitlines() if line.startswith("{")]
        return [line for line in lines if all(line.get(name) == value for name, value in members.items())]

    def exec(self, *command, **options):
        """Runs a command inside, which must work; what it printed to stdout."""
        return self.engine.docker("exec", *(["--interactive"] if "stdin" in options else []), self.id, *command, **options)

    def exec_run(self, *command, **options):
        """The same, whatever comes of it: CompletedProcess."""
        return self.engine.run("exec", *(["--interactive"] if "stdin" in options else []), self.id, *command, **options)

    def stop(self, timeout_s=COMMAND_TIMEOUT_S):
        """As `docker stop`, with the container's own grace time. Returns the exit code."""
        self.engine.docker("stop", self.id, timeout_s=timeout_s)
        return self.exit_code

    def signal(self, name):
        """A signal to the main process, past the engine, which would take a kill of its own for a stop that was wanted."""
        pid = self.pid
        assert pid != 0, f"{self} does not run"
        self.engine.docker("run", "--rm", "--pid", "host", "--network", "none", self.engine.image("debian"), "bash", "-c",
                           f"kill -{name} {pid}")

    def kill(self):
        """SIGKILL, as a crash. Returns when the engine knows that this process is gone."""
        before = self.inspect()["State"]["StartedAt"]
        self.signal("KILL")
        until(lambda: self._has_ended_since(before), f"the end of {self} is noticed")

    def _has_ended_since(self, before):
        state = self.inspect()["State"]
        return not state["Running"] or state["Restarting"] or state["StartedAt"] != before

    def reach(self, targets, timeout_s=PROBE_TIMEOUT_S):
        """What a TCP connection from inside comes to: pairs of host (name or address) and port, with "open", "refused",
        "no answer", "no route" or "unknown name". The image of the container needs no program for it."""
        return probe(["docker", "run", "--rm", "--interactive", "--network", f"container:{self.id}", self.engine.image("debian"), "bash", "-c"],
                     targets, timeout_s, self.engine.settings)


def probe(command, targets, timeout_s=PROBE_TIMEOUT_S, settings=None):
    """What TCP connections to pairs of host and port come to, from where `command` runs a bash script."""
    lines = "".join(f"{host} {port}\n" for host, port in targets)
    done = subprocess.run([*command, _PROBE % timeout_s], input=lines, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S,
                          check=True, env={**os.environ, **(settings or {})})
    rows = [line.split(" ", 2) for line in done.stdout.splitlines()]
    found = {(host, int(port)): result for host, port, result in rows}
    assert set(found) == set(targets), done
    return found


class Project:
    """A project of compose with a name of its own. Names of settings are variables of the files;
    PLACE and PLACE_SUBNET, its name and its subnet, are there by themselves."""

    def __init__(self, engine, *files, **settings):
        self.engine = engine
        self.files = [pathlib.Path(programs.ROOT, file) for file in files]
        self.place = Place()
        self.name = self.place.name
        self.settings = {"PLACE": self.name, "PLACE_SUBNET": self.place.subnet, **{name: str(value) for name, value in settings.items()}}
        engine.remove_project(self.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Removes all of it: containers, networks, volumes, images with its name for a tag."""
        try:
            self.engine.remove_project(self.name)
        finally:
            self.place.close()

    def compose_run(self, *command, timeout_s=COMMAND_TIMEOUT_S, stdin=None):
        files = [word for file in self.files for word in ("--file", str(file))]
        return self.engine.run("compose", "--project-name", self.name, *files, *command, timeout_s=timeout_s, stdin=stdin, **self.settings)

    def compose(self, *command, **options):
        """A command of compose, which must work; what it printed to stdout."""
        done = self.compose_run(*command, **options)
        if done.returncode != 0:
            raise CommandFailed(["docker", "compose", *map(str, command)], done)
        return done.stdout

    def up(self, *words, timeout_s=UP_TIMEOUT_S):
        """Returns when the containers run and those that depend on others' health have got it."""
        try:
            self.compose("up", "--detach", "--quiet-pull", *words, timeout_s=timeout_s)
        except CommandFailed as failed:
            raise AssertionError(f"{failed}\n{self.trouble()}") from failed

    def down(self, *words):
        self.compose("down", *words)

    def containers(self, service=None):
        """Those of a service, or all, by number; a stopped one too."""
        filters = [f"label={PROJECT_LABEL}={self.name}"] + ([f"label=com.docker.compose.service={service}"] if service else [])
        found = [Container(self.engine, name) for name in self.engine.names("container", *filters)]
        return sorted(found, key=lambda one: (len(one.name), one.name))

    def one(self, service):
        found = self.containers(service)
        assert len(found) == 1, f"{len(found)} containers of {service}"
        return found[0]

    def wait_healthy(self, service, count=1, timeout_s=HEALTHY_TIMEOUT_S):
        """Waits for `count` containers of a service, all of them ready. Returns them."""
        def ready():
            with contextlib.suppress(CommandFailed):  # one may have gone in the midst of it
                found = self.containers(service)
                return found if len(found) == count and all(one.is_ready for one in found) else None
            return None

        try:
            return until(ready, f"{count} of {service} ready", timeout_s, every_s=0.2)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.trouble()}") from late

    def logs(self, *services):
        done = self.compose_run("logs", "--no-color", *services)
        return done.stdout + done.stderr

    def trouble(self):
        """What is to be known of containers that are not ready: state, last check of their health, end of their log."""
        told = []
        for one in self.containers():
            with contextlib.suppress(CommandFailed):
                if not one.is_ready:
                    state = one.inspect()["State"]
                    checks = state.get("Health", {}).get("Log") or [{}]
                    told.append(f"--- {one.name}: {state['Status']}, exit code {state['ExitCode']}, "
                                f"check: {checks[-1].get('Output', '').strip()!r}\n{one.logs()[-2000:]}")
        return "\n".join(told)

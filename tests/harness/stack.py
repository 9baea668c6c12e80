# SPDX-License-Identifier: MIT
"""The deployment of docker/stack.yaml, on a Swarm of one node that is there as long as this is open.

    with Stack(engine, tmp_path, secrets, **images) as site:
        site.deploy()                                  # returns when all tasks are healthy
        site.deploy(NOTES_SVC_IMAGE=newer)             # a rolling update
        site.wait_update("svc-notes")                  # "completed", "rollback_completed"
"""
import contextlib
import fcntl
import json
import pathlib
import shutil

from . import programs
from .deployment import Site
from .docker import Container, Missing, Place
from .wait import until

LOCK = pathlib.Path("/run/lock/notes-test-engine.swarm")
LABELS = ("notes.db-userauth", "notes.db-notes", "notes.redis")
READY_TIMEOUT_S = 240
UPDATE_TIMEOUT_S = 240
GONE_TIMEOUT_S = 120


class Stack(Site):
    def __init__(self, engine, folder, secrets, **settings):
        """`secrets` is a folder that ./dev has filled. Missing is raised where the engine must not be changed."""
        self.engine = engine
        self.place = Place()
        self.name = self.place.name
        self._lock = open(LOCK, "a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # an engine is in one Swarm at most
        try:
            if not engine.is_own:
                raise Missing("Swarm mode is switched on in the tests' own engine only")
            if self._state() != "inactive":
                raise Missing("the tests' engine is in a Swarm already")
        except BaseException:
            self._release()
            raise
        # Its secrets are files beside it.
        self.folder = folder / "docker"
        shutil.copytree(programs.ROOT / "docker", self.folder, ignore=shutil.ignore_patterns("secrets", "tls"))
        shutil.copytree(secrets, self.folder / "secrets")
        self.port = programs.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.passwords = {}
        self.settings = {"HTTP_PORT": str(self.port), "EDGENET_SUBNET": self.place.subnet, **settings}

    def _state(self):
        return self.engine.docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip()

    def _release(self):
        self._lock.close()
        self.place.close()

    def __enter__(self):
        try:
            self.engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--default-addr-pool", "10.216.0.0/16")
            labels = [word for label in LABELS for word in ("--label-add", f"{label}=true")]
            self.engine.docker("node", "update", *labels, "self")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self._state() != "inactive":
                self._remove()
                self.engine.docker("swarm", "leave", "--force")
        finally:
            self._release()

    def _remove(self):
        self.engine.run("stack", "rm", self.name)
        label = f"label=com.docker.stack.namespace={self.name}"
        with contextlib.suppress(AssertionError):  # what is left goes with the Swarm
            until(lambda: not self.engine.names("container", label) and not self.engine.names("network", label), "the end of the stack",
                  GONE_TIMEOUT_S, every_s=0.5)
        volumes = self.engine.names("volume", label)
        if volumes:
            self.engine.run("volume", "rm", "--force", *volumes)

    def deploy(self, **settings):
        """As `docker stack deploy`, with settings that stay. Images are this engine's own."""
        self.settings.update(settings)
        self.engine.docker("stack", "deploy", "--resolve-image", "never", "--compose-file", str(self.folder / "stack.yaml"), self.name,
                           **self.settings)

    def containers(self, service):
        """The running ones of a service."""
        ids = self.engine.names("container", f"label=com.docker.swarm.service.name={self.name}_{service}", "status=running")
        return [Container(self.engine, name) for name in ids]

    def wait_healthy(self, service, count, timeout_s=READY_TIMEOUT_S):
        def ready():
            found = self.containers(service)
            return found if len(found) == count and all(one.health == "healthy" for one in found) else None

        try:
            return until(ready, f"{count} of {service} ready", timeout_s, every_s=0.3)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.trouble(service)}") from late

    def trouble(self, service):
        """What became of the tasks of a service, and the end of its log."""
        tasks = self.engine.run("service", "ps", "--no-trunc", f"{self.name}_{service}").stdout
        return tasks + self.engine.run("service", "logs", "--tail", "20", f"{self.name}_{service}").stdout[-3000:]

    def service(self, name):
        return json.loads(self.engine.docker("service", "inspect", f"{self.name}_{name}"))[0]

    def wait_update(self, name):
        """Returns how the update of a service that is under way has ended."""
        def ended():
            state = self.service(name).get("UpdateStatus", {}).get("State", "")
            return state if state.endswith("completed") or state.endswith("paused") else None

        return until(ended, f"the end of the update of {name}\n{self.trouble(name)}", UPDATE_TIMEOUT_S, every_s=0.5)

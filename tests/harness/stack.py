# SPDX-License-Identifier: MIT
"""Stacks in a Swarm of one node, which is made in an engine of the tests' own only.

    with stack.swarm(engine), stack.Stack(engine, "stack.yaml", HTTP_PORT=port) as running:
        running.up()
        running.wait_healthy("svc-notes", 3)
        running.up(NOTES_SVC_IMAGE="notes:2")
        running.wait_updated("svc-notes")
"""
import contextlib
import fcntl

from . import docker
from .docker import CommandFailed, Container, Missing, Project, until

USERS = docker.USERS.with_suffix(".swarm")
STARTS = docker.USERS.with_suffix(".swarm-start")
POOL = "10.217.0.0/16"
NODE_LABELS = ("notes.db-userauth", "notes.db-notes", "notes.redis")
UPDATE_TIMEOUT_S = 300


@contextlib.contextmanager
def _locked(path, how=fcntl.LOCK_EX):
    with open(path, "a") as file:
        fcntl.flock(file, how)
        yield file


@contextlib.contextmanager
def swarm(engine):
    """The engine is a Swarm with one node that has all labels, as long as any run needs it. It stays one while others use the
    engine: leaving a Swarm makes it forget the names of all containers that run."""
    if not engine.is_own:
        raise Missing("a Swarm is made in an engine of the tests' own only, and another one runs here")
    with open(USERS, "a") as use:
        with _locked(STARTS):
            fcntl.flock(use, fcntl.LOCK_SH)
            if engine.docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() != "active":
                engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377",
                              "--default-addr-pool", POOL)
                labels = [word for name in NODE_LABELS for word in ("--label-add", f"{name}=true")]
                engine.docker("node", "update", *labels, engine.docker("info", "--format", "{{.Swarm.NodeID}}").strip())
        try:
            yield
        finally:
            with _locked(STARTS):
                use.close()
                with contextlib.suppress(BlockingIOError), _locked(USERS, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    if not engine.has_other_users():
                        engine.docker("swarm", "leave", "--force")


class Stack(Project):
    """A stack with a name of its own; what it shares with a Project is the same. Its containers are those that run."""

    def up(self, **settings):
        """Deploys it, or what has changed; settings are kept for the next time. Waits for nothing."""
        self.settings.update((name, str(value)) for name, value in settings.items())
        words = [word for file in self.files for word in ("--compose-file", str(file))]
        self.engine.docker("stack", "deploy", "--resolve-image", "never", *words, self.name, **self.settings)

    def containers(self, service=None):
        filters = [f"label={docker.STACK_LABEL}={self.name}", "status=running"]
        filters += [f"label=com.docker.swarm.service.name={self.name}_{service}"] if service else []
        found = [Container(self.engine, name) for name in self.engine.names("container", *filters)]
        return sorted(found, key=lambda one: (one.service, one.id))

    def scale(self, service, count):
        self.engine.docker("service", "scale", "--detach", f"{self.name}_{service}={count}")

    def update_state(self, service):
        """updating, completed, paused, rollback_started, rollback_completed ...; None when nothing was updated yet."""
        return (self.engine.inspect("service", f"{self.name}_{service}").get("UpdateStatus") or {}).get("State")

    def wait_updated(self, service, state="completed", timeout_s=UPDATE_TIMEOUT_S):
        try:
            until(lambda: self.update_state(service) == state, f"the update of {service} is {state}", timeout_s, every_s=0.2)
        except AssertionError as late:
            raise AssertionError(f"{late}: it is {self.update_state(service)}\n{self.trouble()}") from late

    def logs(self, *services):
        out = []
        for one in self.containers():
            if not services or one.service in services:
                with contextlib.suppress(CommandFailed):
                    out.append(one.logs())
        return "".join(out)

    def trouble(self):
        """What Project says, and the Swarm's own word on each task."""
        return self.engine.run("stack", "ps", "--no-trunc", "--format", "{{.Name}} {{.CurrentState}} {{.Error}}", self.name).stdout + super().trouble()

# SPDX-License-Identifier: MIT
"""The deployment of docker/compose.yaml, under a project, a port, a subnet, secrets and image names of its own.

    with Deployment(engine, tmp_path, **images) as site:    # images: MYSQL_IMAGE and its like, see tests/docker/conftest.py
        site.up()                                           # waits until all are healthy; builds images that were not given
        site.add_user("alice")
        alice = site.sign_in("alice")                       # a harness.client.Client

    with swarm(engine), StackDeployment(engine, tmp_path, **images) as site:    # docker/stack.yaml
        site.up()                                           # with images that are there
        site.wait_healthy("svc-notes", 3)
"""
import json
import os
import shutil
import subprocess

from . import programs
from .client import browser_session
from .docker import UP_TIMEOUT_S, CommandFailed, Project
from .ports import free_port
from .stack import Stack

FILE = "docker/compose.yaml"
OURS = {"NOTES_SVC_IMAGE": "notes-test/notes-svc", "USERAUTH_SVC_IMAGE": "notes-test/userauth-svc"}


def our_images(tag):
    """Settings that name the images of the two services; with a project's name for a tag they go when it goes."""
    return {name: f"{image}:{tag}" for name, image in OURS.items()}


class _Site:
    """What both have in common: settings of its own, secrets, users. `folder` is for the secrets."""

    def take_place(self, folder, settings):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.secrets = folder / "secrets"
        self.passwords = {}
        self.is_built = set(OURS) <= set(settings)
        self.settings = {
            "COMPOSE_PROJECT_NAME": self.name, "HTTP_PORT": str(self.port), "EDGENET_SUBNET": self.place.subnet,
            "SECRETS_DIR": str(self.secrets), "OWN_FILE": os.devnull, **our_images(self.name),
            **{name: str(value) for name, value in settings.items()}}
        try:
            self.dev("up", "--only-secrets")
        except BaseException:
            self.close()
            raise

    def dev(self, *command, timeout_s=UP_TIMEOUT_S, stdin=None):
        """A ./dev command on this deployment, which must work; what it printed to stdout."""
        done = subprocess.run(["./dev", *command], cwd=programs.ROOT, env={**os.environ, **self.engine.settings, **self.settings},
                              input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout_s, check=False)
        if done.returncode != 0:
            raise CommandFailed(["./dev", *command], done)
        return done.stdout

    def secret(self, name):
        """The text of a secret; from now on it must not be in any log."""
        return programs.remember_secret((self.secrets / name).read_text().strip())

    def cli(self, *words, stdin=None):
        """userauth-cli inside svc-userauth; what it printed as JSON."""
        container = self.containers("svc-userauth")[0]
        return json.loads(container.exec("userauth-cli", "--json", *words, **({} if stdin is None else {"stdin": stdin})))

    def add_user(self, name):
        """Makes a user; the password is in `passwords`."""
        self.passwords[name] = programs.new_password(name)
        return self.cli("add", name, "--password-stdin", stdin=self.passwords[name] + "\n")

    def sign_in(self, name):
        """A Client of that user, whom it makes if there is none."""
        if name not in self.passwords:
            self.add_user(name)
        return browser_session(self, name)


class Deployment(_Site, Project):
    def __init__(self, engine, folder, *more_files, **settings):
        """more_files come after docker/compose.yaml."""
        super().__init__(engine, FILE, *more_files)
        self.take_place(folder, settings)

    def up(self, *words, replicas=1, **options):
        super().up(*([] if self.is_built else ["--build"]), "--wait", "--scale", f"svc-notes={replicas}", *words, **options)


class StackDeployment(_Site, Stack):
    """stack.yaml reads the secrets beside itself: it is used in a copy of its folder."""

    def __init__(self, engine, folder, **settings):
        copy = folder / "docker"
        shutil.copytree(programs.ROOT / "docker", copy, ignore=shutil.ignore_patterns("secrets", "tls", ".env"))
        super().__init__(engine, copy / "stack.yaml")
        self.take_place(copy, {"CONFIGS_VERSION": self.name, **settings})

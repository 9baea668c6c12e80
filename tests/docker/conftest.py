# SPDX-License-Identifier: MIT
"""The engine of this run, and the deployment in it. NOTES_TEST_ENGINE chooses the database: mysql (as when it is not set)
or mariadb. Tests are skipped with the reason where there can be no engine, or no image of that database."""
import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
# What a person does with notes, and what a browser does, is written down there.
sys.path[:0] = [str(TESTS / folder) for folder in (".", "http", "replicas", "browser")]

from harness import docker, stack  # noqa: E402
from harness.deployment import FILE, OURS, Deployment, our_images  # noqa: E402
from harness.elsewhere import Elsewhere  # noqa: E402


@pytest.fixture(scope="session")
def engine():
    try:
        engine = docker.Engine()
    except docker.Missing as reason:
        pytest.skip(str(reason))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def images(engine):
    """Settings of compose files: images that stand in for the public ones, or those that the environment names."""
    database = "mariadb" if os.environ.get("NOTES_TEST_ENGINE") == "mariadb" else "mysql"
    try:
        return {"MYSQL_IMAGE": os.environ.get("MYSQL_IMAGE") or engine.image(database),
                "REDIS_IMAGE": os.environ.get("REDIS_IMAGE") or engine.image("redis"),
                "HAPROXY_IMAGE": os.environ.get("HAPROXY_IMAGE") or engine.image("haproxy"),
                "DEBIAN_IMAGE": os.environ.get("DEBIAN_IMAGE") or engine.image("debian")}
    except docker.Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def site_images(engine, images):
    """All images of docker/compose.yaml; ours are built once for the run, unless the environment names them."""
    given = {name: os.environ[name] for name in OURS if os.environ.get(name)}
    with docker.Project(engine, FILE, **images) as project:
        project.settings.update(our_images(project.name) | given)
        if len(given) < len(OURS):
            project.compose("build", timeout_s=docker.UP_TIMEOUT_S)
        yield {**images, **{name: project.settings[name] for name in OURS}}


@pytest.fixture(scope="session")
def deployment(engine, site_images, tmp_path_factory):
    """All of docker/compose.yaml, up and healthy, for tests that leave it as it was."""
    with Deployment(engine, tmp_path_factory.mktemp("deployment"), **site_images) as site:
        site.up()
        yield site


@pytest.fixture(scope="session")
def elsewhere():
    """A listener outside of all container networks, which containers with a way out reach."""
    place = docker.Place()
    try:
        with Elsewhere(place.number) as elsewhere:
            yield elsewhere
    except docker.Missing as reason:
        pytest.skip(str(reason))
    finally:
        place.close()


@pytest.fixture(scope="session")
def swarm(engine):
    """The engine is a Swarm."""
    try:
        with stack.swarm(engine):
            yield engine
    except docker.Missing as reason:
        pytest.skip(str(reason))

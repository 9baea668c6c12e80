# SPDX-License-Identifier: MIT
"""The test ground itself in a Swarm: stacks are made, reached, updated and removed."""
import pytest

from harness import docker, stack

HAPROXY_CFG = """
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend pages
    bind :80
    http-request return status 200
"""


@pytest.fixture(scope="module")
def ground(swarm, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("swarm")
    (folder / "haproxy.cfg").write_text(HAPROXY_CFG)
    with stack.Stack(swarm, "tests/docker/ground_stack.yaml", CONFIG_DIR=folder, RELEASE=1, **images) as ground:
        ground.up()
        ground.wait_healthy("pages", 2)
        ground.wait_healthy("neighbour")
        yield ground


def test_replicas_are_reached_by_name_and_one_by_one(ground):
    """Not by the service's own name: its virtual address needs IPVS, which a kernel may not have."""
    targets = [("tasks.pages", 80)] + [(one.address("inner"), 80) for one in ground.containers("pages")]
    assert len(set(targets)) == 3
    assert set(ground.one("neighbour").reach(targets).values()) == {"open"}


def test_there_is_no_way_out_of_an_internal_overlay_network(ground, elsewhere):
    place = (elsewhere.address, elsewhere.port)
    assert ground.one("neighbour").reach([place])[place] in ("no answer", "no route")


def test_a_killed_replica_is_replaced(ground):
    killed = ground.containers("pages")[0]
    killed.kill()
    assert killed.id not in [one.id for one in ground.wait_healthy("pages", 2)]


def test_an_update_replaces_all_replicas(ground):
    before = {one.id for one in ground.containers("pages")}
    ground.up(RELEASE=2)
    ground.wait_updated("pages")
    after = ground.wait_healthy("pages", 2)
    assert not before & {one.id for one in after}
    assert all("RELEASE=2" in one.inspect()["Config"]["Env"] for one in after)


def test_nothing_of_a_stack_is_left_after_it(swarm, images, tmp_path):
    (tmp_path / "haproxy.cfg").write_text(HAPROXY_CFG)
    short_lived = stack.Stack(swarm, "tests/docker/ground_stack.yaml", CONFIG_DIR=tmp_path, RELEASE=1, **images)
    label = f"label={docker.STACK_LABEL}={short_lived.name}"
    short_lived.up()
    short_lived.wait_healthy("neighbour")
    assert all(swarm.names(kind, label) for kind in ("container", "network", "volume", "service", "config"))
    short_lived.close()
    assert not any(swarm.names(kind, label) for kind in ("container", "network", "volume", "service", "config"))

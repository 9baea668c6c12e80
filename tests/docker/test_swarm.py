# SPDX-License-Identifier: MIT
"""docker/stack.yaml on a Swarm of one node: a rolling update that nobody notices, and one that is taken back."""
import pytest

from harness import docker
from harness.client import Client
from harness.deployment import StackDeployment
from harness.wait import until
from load import Load
from notes_verbs import create_note

REPLICAS = {"db-userauth": 1, "db-notes": 1, "redis": 1, "svc-userauth": 2, "svc-notes": 3, "edge": 1}


@pytest.fixture(scope="module")
def site(swarm, site_images, tmp_path_factory):
    with StackDeployment(swarm, tmp_path_factory.mktemp("stack"), **site_images) as site:
        site.up()
        for service, count in REPLICAS.items():
            site.wait_healthy(service, count)
        until(lambda: Client(site.url).get("/").status_code == 200, "the edge has found a replica", 60)
        create_note(site.sign_in("ann"), "rolling")
        yield site


def inspect(site, service):
    return site.engine.inspect("service", f"{site.name}_{service}")


def other_name(site, variable):
    """The same image under another name, which is another image for a Swarm."""
    name = f"notes-test/{variable.split('_')[0].lower()}-other:{site.name}"
    site.engine.docker("tag", site.settings[variable], name)
    return name


@pytest.mark.parametrize("service, variable, count", [("svc-notes", "NOTES_SVC_IMAGE", 3), ("svc-userauth", "USERAUTH_SVC_IMAGE", 2)])
def test_a_rolling_update_under_load_loses_nothing(site, service, variable, count):
    before = {one.id for one in site.containers(service)}
    with Load(site, "rolling") as load:
        load.go_on()
        sockets = load.sockets()
        site.up(**{variable: other_name(site, variable)})
        site.wait_updated(service)
        after = {one.id for one in site.wait_healthy(service, count)}
        load.go_on()
        load.settle()
    print(f"{service}:", load.told())
    assert not before & after
    assert load.faults() == []
    assert service != "svc-notes" or load.sockets() >= sockets + len(load.watchers), "not every socket was moved"


def test_an_image_that_does_not_run_is_rolled_back_and_nobody_notices(site):
    broken = f"notes-test/broken:{site.name}"
    container = site.engine.docker("create", site.settings["DEBIAN_IMAGE"]).strip()
    site.engine.docker("commit", "--change", 'ENTRYPOINT ["false"]', container, broken)
    site.engine.docker("rm", container)
    image = site.settings["NOTES_SVC_IMAGE"]
    before = {one.id for one in site.containers("svc-notes")}
    with Load(site, "rolling") as load:
        site.up(NOTES_SVC_IMAGE=broken)
        site.wait_updated("svc-notes", "rollback_completed")
        load.go_on()
        load.settle()
    print("rollback:", load.told())
    assert inspect(site, "svc-notes")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image
    assert {one.id for one in site.wait_healthy("svc-notes", 3)} & before, "no replica of before is left"
    assert load.faults() == []


def test_the_network_between_the_nodes_is_encrypted_and_only_the_edge_has_a_port(site):
    networks = site.engine.names("network", f"label={docker.STACK_LABEL}={site.name}")
    options = {network["Name"].removeprefix(site.name + "_"): network for network in (site.engine.inspect("network", one) for one in networks)}
    assert set(options) == {"authnet", "frontnet", "svcnet", "edgenet"}
    assert all("encrypted" in network["Options"] for network in options.values())
    assert {name for name, network in options.items() if network["Internal"]} == {"authnet", "frontnet", "svcnet"}
    ports = {service: inspect(site, service)["Endpoint"].get("Ports") for service in REPLICAS}
    assert [service for service, published in ports.items() if published] == ["edge"]
    assert [port["PublishMode"] for port in ports["edge"]] == ["host"]

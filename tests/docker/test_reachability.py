# SPDX-License-Identifier: MIT
"""Who reaches whom, tried from inside each container: every other container, by name and by each of its addresses, at every
port that any of them serves; and the way out, to this machine and past it. The log shows the table."""
import concurrent.futures
import itertools
import socket
import subprocess

import pytest

from harness import docker
from harness.elsewhere import Elsewhere

NETWORKS = {
    "db-userauth": {"authnet"},
    "svc-userauth": {"authnet", "svcnet"},
    "db-notes": {"frontnet"},
    "redis": {"frontnet"},
    "svc-notes": {"frontnet", "svcnet", "edgenet"},
    "edge": {"edgenet"},
}
PORT = {"db-userauth": 3306, "svc-userauth": 5858, "db-notes": 3306, "redis": 6379, "svc-notes": 3000, "edge": 8080}
# What else one might find: https, HAProxy's own health port, MySQL's other protocols, DNS of a machine.
PORTS = sorted({*PORT.values(), 53, 80, 443, 8404, 8443, 33060, 33062})
CLOSED_ONLY = [name for name, networks in NETWORKS.items() if "edgenet" not in networks]
NOT_REACHED = {"no answer", "no route", "unknown name"}
PAIRS = list(itertools.permutations(NETWORKS, 2))


@pytest.fixture(scope="module")
def addresses(deployment):
    """{service: {network: address}}"""
    return {name: deployment.one(name).addresses for name in NETWORKS}


@pytest.fixture(scope="module")
def world():
    """A place past this machine that knows nothing of container networks, as the world doesn't."""
    place = docker.Place()
    try:
        with Elsewhere(place.number, knows_way_back=False) as world:
            yield world
    except docker.Missing as reason:
        pytest.skip(str(reason))
    finally:
        place.close()


@pytest.fixture(scope="module")
def machine(addresses, elsewhere):
    """A port of this machine at its addresses: one in a network of its own, and those that it has, or might have, in the
    container networks."""
    gateways = {address.rsplit(".", 1)[0] + ".1" for name in NETWORKS for address in addresses[name].values()}
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield [(address, listener.getsockname()[1]) for address in (elsewhere.gateway, *sorted(gateways))]


@pytest.fixture(scope="module")
def reached(deployment, addresses, world, machine):
    """{service: {(host, port): what came of it}} of everything that is tried from each container inside."""
    def try_all(name):
        hosts = [host for other in NETWORKS if other != name for host in (other, *addresses[other].values())]
        outside = [(world.address, world.port), *machine]
        return deployment.one(name).reach([*((host, port) for host in hosts for port in PORTS), *outside])

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return dict(zip(NETWORKS, pool.map(try_all, NETWORKS)))


def wanted(one, other, network, port):
    """What the design says of a connection to `other` at its address in `network`, or by its name when that is None."""
    shared = NETWORKS[one] & NETWORKS[other]
    if not shared or (network and network not in shared):
        return NOT_REACHED
    return {"open"} if port == PORT[other] else {"refused"}


def test_each_container_is_on_the_networks_of_the_design(addresses):
    assert {name: set(networks) for name, networks in addresses.items()} == NETWORKS


@pytest.mark.parametrize("one, other", PAIRS, ids=[f"{one}-{other}" for one, other in PAIRS])
def test_a_container_reaches_the_port_of_a_neighbour_and_nothing_else(addresses, reached, one, other):
    hosts = [(other, None)] + [(address, network) for network, address in addresses[other].items()]
    tried = {(network or "name", port): (reached[one][host, port], wanted(one, other, network, port))
             for host, network in hosts for port in PORTS}
    assert {what: result for what, (result, allowed) in tried.items() if result not in allowed} == {}


def test_the_table_of_who_reaches_whom(addresses, reached):
    """The pairs as a table, for the log, and their number."""
    print("\n" + " " * 14 + "".join(f"{name:>20}" for name in NETWORKS))
    count = 0
    for one in NETWORKS:
        cells = []
        for other in NETWORKS:
            hosts = [other, *addresses[other].values()]
            are_open = sorted({port for host in hosts for port in PORTS if reached[one].get((host, port)) == "open"})
            count += len(are_open)
            cells.append("(itself)" if one == other else ", ".join(map(str, are_open)) or "-")
        print(f"{one:14}" + "".join(f"{cell:>20}" for cell in cells))
    print(f"{sum(len(found) for found in reached.values())} connections tried")
    neighbours = [pair for pair in PAIRS if NETWORKS[pair[0]] & NETWORKS[pair[1]]]
    assert count == len(neighbours) == 12


# --- the way out ---

def test_the_place_outside_is_reached_from_a_network_that_leads_out(engine, images, world):
    """Or the tests below would prove nothing."""
    name = engine.docker("run", "--detach", "--rm", images["DEBIAN_IMAGE"], "sleep", "60").strip()
    try:
        place = (world.address, world.port)
        assert docker.Container(engine, name).reach([place]) == {place: "open"}
    finally:
        engine.docker("kill", name)


@pytest.mark.parametrize("service", NETWORKS)
def test_no_container_gets_out_to_the_world(reached, world, service):
    assert reached[service][world.address, world.port] in NOT_REACHED


@pytest.mark.parametrize("service", CLOSED_ONLY)
def test_a_container_on_internal_networks_does_not_reach_this_machine(reached, machine, service):
    """The engine itself would let it. What is on edgenet, which must have a way in, is held by the machine's firewall only."""
    assert {place: reached[service][place] for place in machine if reached[service][place] not in NOT_REACHED} == {}


# --- the way in ---

def test_the_edge_alone_has_a_port_of_this_machine(deployment):
    assert {name: deployment.one(name).published for name in NETWORKS} == {
        **{name: set() for name in NETWORKS}, "edge": {("8080/tcp", str(deployment.port))}}


@pytest.fixture(scope="module")
def reached_from_outside(addresses, elsewhere):
    """{(service, network, port): what came of it} from a place that sends what is for container networks to this machine."""
    places = {(address, port): (name, network, port) for name in NETWORKS
              for network, address in addresses[name].items() for port in PORTS}
    return {places[place]: result for place, result in elsewhere.reach(list(places)).items()}


def forwards_by_itself():
    """Whether this machine had forwarding on before its engine started: then engines before 28 leave its rule as it is, which
    lets through what is for edgenet."""
    return "-P FORWARD ACCEPT" in subprocess.run(["iptables", "-S", "FORWARD"], check=True, capture_output=True, text=True).stdout


def test_from_outside_the_published_port_is_open(deployment, elsewhere):
    place = (elsewhere.gateway, deployment.port)
    assert elsewhere.reach([place]) == {place: "open"}


def test_from_outside_nobody_on_an_internal_network_is_reached(reached_from_outside):
    assert {place: result for place, result in reached_from_outside.items()
            if place[1] != "edgenet" and result not in NOT_REACHED} == {}


def test_from_outside_nobody_is_reached_past_the_published_port(reached_from_outside):
    """Where the way to edgenet is known the edge's port is as open as the machine's."""
    found = {(name, port): result for (name, network, port), result in reached_from_outside.items() if network == "edgenet"}
    if forwards_by_itself():
        print("this machine forwards by itself: who knows the way to edgenet reaches svc-notes, too")
        assert {place for place, result in found.items() if result == "open"} <= {("edge", 8080), ("svc-notes", 3000)}
    else:
        assert {place for place, result in found.items() if result not in NOT_REACHED} == {("edge", 8080)}

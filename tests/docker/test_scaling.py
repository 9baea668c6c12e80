# SPDX-License-Identifier: MIT
"""More and fewer replicas while the site is in use, new ones in the place of old ones, and one that hangs."""
import concurrent.futures
import contextlib
import threading

import pytest
import websocket

from harness.client import Client
from harness.live import Raw
from harness.wait import until
from load import Load
from notes_verbs import create_note, view_path

# A request that hangs is given up by the edge long before.
PATIENCE_S = 120


def served(container):
    """How many requests of people a replica has in its log."""
    return len([line for line in container.log_lines(event="http.request_done") if line.get("route") not in ("/readyz", "/healthz")])


def test_from_one_to_three_and_back_under_load_nothing_is_lost(deployment):
    create_note(deployment.sign_in("ann"), "scaling")
    with Load(deployment, "scaling", people=("ann", "bob")) as load:
        load.go_on()
        deployment.up("--no-recreate", replicas=3)
        replicas = deployment.wait_healthy("svc-notes", 3)
        until(lambda: all(served(one) >= 20 for one in replicas), "each of the three serves people", 60)
        load.more_watchers(6)
        load.go_on()
        sockets = load.sockets()
        deployment.up("--no-recreate", replicas=1)
        deployment.wait_healthy("svc-notes", 1)
        load.go_on()
        load.settle()
    print(load.told())
    assert load.faults() == []
    assert load.sockets() > sockets, "no socket was on a replica that went"


def test_new_containers_take_the_place_of_the_old_ones_under_load_and_nothing_is_lost(deployment):
    """The commands of docker/README.md, "More replicas", on a new version of the image."""
    create_note(deployment.sign_in("ann"), "replacing")
    old = deployment.containers("svc-notes")
    image = deployment.settings["NOTES_SVC_IMAGE"]
    was = deployment.engine.inspect("image", image)["Id"]
    try:
        with Load(deployment, "replacing", people=("ann", "bob")) as load:
            load.go_on()
            sockets = load.sockets()
            deployment.engine.docker("build", "--tag", image, "-", stdin=f"FROM {image}\nLABEL notes.test.version=2\n", DOCKER_BUILDKIT="0")
            deployment.compose("up", "-d", "--wait", "--no-recreate", "--scale", f"svc-notes={2 * len(old)}", "svc-notes")
            deployment.engine.docker("stop", *[one.id for one in old])
            deployment.engine.docker("rm", *[one.id for one in old])
            load.go_on()
            load.settle()
        print(load.told())
        assert load.faults() == []
        assert load.sockets() >= sockets + len(load.watchers), "not every socket was moved"
        new = deployment.containers("svc-notes")
        assert len(new) == len(old) and {one.inspect()["Image"] for one in new} == {deployment.engine.inspect("image", image)["Id"]} != {was}
        deployment.up()
        assert {one.id for one in deployment.containers("svc-notes")} == {one.id for one in new}, "there is nothing left to replace"
    finally:
        deployment.engine.docker("tag", was, image)
        deployment.up()


@pytest.fixture
def hanging(deployment):
    """One of two replicas, which hangs from stop() to go_on()."""
    deployment.up("--no-recreate", replicas=2)
    one = deployment.wait_healthy("svc-notes", 2)[0]
    until(lambda: all(served_by_edge(deployment, replica) for replica in deployment.containers("svc-notes")), "the edge uses both", 60)
    yield one
    one.signal("CONT")
    deployment.up("--no-recreate", replicas=1)
    deployment.wait_healthy("svc-notes", 1)


def served_by_edge(deployment, replica):
    before = served(replica)
    for _ in range(4):
        assert Client(deployment.url).get("/").status_code == 200
    return served(replica) > before


def is_cut(raw):
    """Whether the socket is closed from the other side; pings that come until then are answered."""
    raw.socket.settimeout(0.2)
    try:
        while True:
            raw.receive()
    except websocket.WebSocketTimeoutException:
        return False
    except (websocket.WebSocketException, OSError):
        return True


def again_and_again(is_over, pause_s, ask):
    """The answers that somebody gets who asks until it is over, or until he is told that he can't be served."""
    answers = [ask()]
    while answers[-1].status_code in (200, 302) and not is_over.wait(pause_s):
        answers.append(ask())
    return answers


def sign_in(deployment):
    form = {"username": "ann", "password": deployment.passwords["ann"]}
    return Client(deployment.url).post("/users/login", form, csrf=False, timeout=PATIENCE_S)


def test_who_waits_for_a_replica_that_hangs_is_served_by_another_one_or_told(deployment, hanging):
    """Eight who read and eight who sign in, again and again until the edge has noticed: those whom it sends to the one that hangs
    before it has are some of both. A form is never sent twice."""
    edge = deployment.one("edge")
    answered = len(edge.log_lines(event="http.request"))
    create_note(deployment.sign_in("ann"), "hanging")
    with concurrent.futures.ThreadPoolExecutor(16) as people, contextlib.ExitStack() as stack:
        has_noticed = threading.Event()
        stack.callback(has_noticed.set)
        sockets = [stack.enter_context(Raw(deployment.url, timeout_s=PATIENCE_S)) for _ in range(6)]
        for socket in sockets:
            socket.join(key="hanging")
        readers = [people.submit(again_and_again, has_noticed, 0.2, lambda client=Client(deployment.url): client.get(
            view_path("hanging"), timeout=PATIENCE_S)) for _ in range(8)]
        guests = [people.submit(again_and_again, has_noticed, 0, lambda: sign_in(deployment)) for _ in range(8)]
        hanging.signal("STOP")
        until(lambda: any(is_cut(socket) for socket in sockets), "sockets of the one that hangs are cut", 60)
        has_noticed.set()
        assert {answer.status_code for one in readers for answer in one.result()} == {200}
        answers = [answer for one in guests for answer in one.result()]
        assert {answer.status_code for answer in answers} == {302, 503}
        assert all("Notes will be back in a moment" in answer.text for answer in answers if answer.status_code == 503)
        for _ in range(8):
            assert Client(deployment.url).get("/").status_code == 200
    lines = edge.log_lines(event="http.request")[answered:]
    assert [line for line in lines if line["method"] == "GET" and line["retries"] > 0], "no reader has met it"
    assert not [line for line in lines if line["method"] == "POST" and line["retries"] > 0]
    hanging.signal("CONT")
    until(lambda: served_by_edge(deployment, hanging), "it is used again", 60)

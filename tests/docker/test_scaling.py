# SPDX-License-Identifier: MIT
"""More and fewer replicas while the site is in use: nobody notices."""
from harness.wait import until
from load import Load
from notes_verbs import create_note


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

# SPDX-License-Identifier: MIT
"""`./dev run` as a newcomer meets it: in a copy of the tree, with ports and a folder of its own."""
import os
import signal
import socket
import subprocess

import pytest
import requests

from harness.dev_run import START_S, STOP_S, free_port, services_of, start

pytestmark = pytest.mark.sqlite_only(reason="./dev run chooses the engine itself")


def test_first_run_prints_a_password_that_works_and_ctrl_c_stops_both(tree, tmp_path):
    folder = tmp_path / "data of mine"
    run, port = start(tree, folder)
    password = run.password()
    session = requests.Session()
    answer = session.post(f"http://127.0.0.1:{port}/users/login", {"username": "me", "password": password},
                          allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "/users/logout" in session.get(f"http://127.0.0.1:{port}/").text
    assert len(services_of(folder)) == 2
    assert run.stop() == 0 and services_of(folder) == []
    again, _ = start(tree, folder)
    assert "password" not in again.text(), "the password is shown only once"
    assert again.stop(signal.SIGTERM) == 0 and services_of(folder) == []
    run.out.write_text("")


def test_second_run_on_the_same_folder_is_refused_and_harms_nothing(tree, tmp_path):
    run, port = start(tree, tmp_path)
    log = (tmp_path / "notes-svc.log").read_bytes()
    refused = subprocess.run([str(tree / "dev"), "run", "--port", str(free_port()), "--users-port", str(free_port()),
                              "--var", str(tmp_path)], cwd=tree, capture_output=True, text=True, timeout=START_S)
    assert refused.returncode == 1 and "another ./dev run uses" in refused.stderr
    assert (tmp_path / "notes-svc.log").read_bytes().startswith(log)
    assert requests.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    assert run.stop() == 0


def test_port_in_use_is_said_at_once(tree, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for option, other in (("--port", "--users-port"), ("--users-port", "--port")):
            done = subprocess.run([str(tree / "dev"), "run", option, str(port), other, str(free_port()), "--var",
                                   str(tmp_path)], cwd=tree, capture_output=True, text=True, timeout=START_S)
            assert done.returncode == 1 and f"port {port} is in use" in done.stderr
    assert services_of(tmp_path) == []


def test_service_that_dies_takes_the_other_one_along(tree, tmp_path):
    run, _ = start(tree, tmp_path)
    victim = services_of(tmp_path)[0]
    os.kill(victim, signal.SIGKILL)
    assert run.process.wait(STOP_S) == 1
    assert services_of(tmp_path) == [], "an orphan is left"
    assert "ended by itself" in run.text()


@pytest.mark.parametrize("options,says", [
    (["--port", "abc"], "not a port"), (["--port", "0"], "not a port"), (["--port", "65536"], "not a port"),
    (["--port", "3999", "--users-port", "3999"], "must differ"), (["--nix"], "does not know"), (["--port"], "needs a value"),
    (["--var", "/proc/none"], "can't be made"),
], ids=str)
def test_wrong_option_is_one_clear_line(tree, options, says):
    done = subprocess.run([str(tree / "dev"), "run", *options], cwd=tree, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and says in done.stderr.splitlines()[-1]


def test_help(tree):
    done = subprocess.run([str(tree / "dev"), "run", "--help"], cwd=tree, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "--users-port" in done.stdout

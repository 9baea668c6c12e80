# SPDX-License-Identifier: MIT
"""`./dev run` as a newcomer meets it: in a copy of the tree, with ports and a folder of its own."""
import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess

import pytest
import requests

from harness import programs
from harness.dev_run import START_S, STOP_S, Run, name_of, services_of, start
from harness.ports import free_port
from harness.wait import until

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


def test_with_a_provider_the_printed_address_is_the_sites(tree, tmp_path):
    """It sends browsers back to one address, where their cookies must be."""
    run, port = start(tree, tmp_path, OIDC_ISSUER="http://127.0.0.1:9", OIDC_CLIENT_ID="notes", OIDC_NAME="Company")
    form = {"username": "me", "password": run.password()}
    statuses = [requests.post(f"http://127.0.0.1:{port}/users/login", form, headers={"Origin": f"http://{host}:{port}"},
                              allow_redirects=False).status_code for host in ("localhost", "127.0.0.1")]
    assert statuses == [302, 403]
    assert "Log in with Company" in requests.get(f"http://localhost:{port}/").text
    assert run.stop() == 0
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


@pytest.mark.parametrize("service", ["notes-svc", "userauth-svc"])
def test_service_that_dies_takes_the_other_one_along(tree, tmp_path, service):
    run, _ = start(tree, tmp_path)
    victim, = [pid for pid in services_of(tmp_path) if name_of(pid) == service]
    os.kill(victim, signal.SIGKILL)
    assert run.process.wait(STOP_S) == 1
    assert services_of(tmp_path) == [], "an orphan is left"
    assert f"dev: {service} ended by itself; the last lines of {tmp_path}/{service}.log:" in run.text()
    assert run.text().count("ended by itself") == 1 and ": line " not in run.text(), "bash's own words"


def test_ctrl_c_stops_both_though_it_was_started_in_the_background(tree, tmp_path):
    """A shell without job control has what it starts so ignore the signal."""
    run, _ = start(tree, tmp_path, ignored=[signal.SIGINT])
    assert len(services_of(tmp_path)) == 2
    assert run.stop() == 0 and services_of(tmp_path) == []
    assert "Stopped." in run.text()


def test_what_a_killed_script_had_called_may_end_first(tree, tmp_path):
    """It has the script's descriptors, and with them its lock. The two seconds for which that is waited are sixty here: this
    test itself may be late with the end."""
    flock, folder = tmp_path / "flock", tmp_path / "var"
    flock.write_text('#!/bin/bash\n[ "$1" != -w ] || { touch "$0.waits"; set -- -w 60 "${@:3}"; }\n'
                     f'exec {shutil.which("flock")} "$@"\n')
    flock.chmod(0o755)
    folder.mkdir()
    with (folder / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = free_port()
        run = Run(tree, "--port", port, "--users-port", free_port(), "--var", folder, PATH=f"{tmp_path}:{os.environ['PATH']}")
        until(lambda: (tmp_path / "flock.waits").exists() or run.process.poll() is not None, "it waits for the lock")
    run.wait_for_text(f"http://localhost:{port}/")
    assert run.stop() == 0


def test_folder_that_exists_keeps_its_mode_and_its_data_are_private(tree, tmp_path):
    tmp_path.chmod(0o755)
    run, _ = start(tree, tmp_path)
    assert run.stop() == 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    readable = [path.name for path in tmp_path.iterdir() if stat.S_IMODE(path.stat().st_mode) != 0o600]
    assert sorted(readable) == ["processes.lock", "run.lock"]


def test_ctrl_c_during_the_build_says_so(tmp_path):
    """With a build that takes as long as is wanted."""
    (tmp_path / "tools").mkdir()
    for script in (programs.ROOT / "dev", *programs.ROOT.glob("tools/*.sh")):
        shutil.copy2(script, tmp_path / script.relative_to(programs.ROOT))
    meson = tmp_path / "meson"
    meson.write_text('#!/bin/sh\nmkdir -p build && touch build/build.ninja\n[ "$1" = setup ] || { touch building; sleep 600; }\n')
    meson.chmod(0o755)
    with subprocess.Popen([str(tmp_path / "dev"), "build"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}) as build:
        until(lambda: (tmp_path / "building").exists() or build.poll() is not None, "the build begins", START_S)
        assert build.poll() is None, build.stderr.read()
        os.killpg(build.pid, signal.SIGINT)
        assert build.wait(STOP_S) == 130
        assert build.stderr.read() == "dev: stopped in the midst of the build; the next one goes on from there\n"


@pytest.mark.parametrize("options,says", [
    (["--port", "abc"], "not a port"), (["--port", "0"], "not a port"), (["--port", "65536"], "not a port"),
    (["--port", "3999", "--users-port", "3999"], "must differ"), (["--nix"], "does not know"), (["--port"], "needs a value"),
    (["--port=abc"], '--port: "abc" is not a port'), (["--port="], "needs a value"), (["--local-servers=yes"], "does not know yes"),
    (["--redis=redis://u:p=q@127.0.0.1:1/x"], "--redis: this is not of the form"),
    (["--var", "/proc/none"], "the folder /proc/none can't be used: No such file or directory"),
    (["--var", "/proc"], "the folder /proc can't be written to"), (["--var", "dev"], "the folder dev can't be used: File exists"),
], ids=str)
def test_wrong_option_is_one_clear_line(tree, options, says):
    done = subprocess.run([str(tree / "dev"), "run", *options], cwd=tree, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and says in done.stderr.splitlines()[-1]
    assert done.stdout == "" and (len(done.stderr.splitlines()) == 1 or done.stderr.startswith("usage: "))


def test_up_takes_an_option_and_its_value_as_one_word_too(tree):
    """What is wrong is said before an engine is asked for."""
    done = subprocess.run([str(tree / "dev"), "up", "--replicas=99"], cwd=tree, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "dev: --replicas needs a number from 1 to 20\n")


def test_help(tree):
    done = subprocess.run([str(tree / "dev"), "run", "--help"], cwd=tree, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "--users-port" in done.stdout


def test_steps_of_the_tests_are_listed_and_others_refused(tree):
    def ask(*words):
        return subprocess.run([str(tree / "dev"), "test", *words], cwd=tree, capture_output=True, text=True, timeout=60)

    steps = ask("--list").stdout.split()
    assert {"build-gcc", "unit", "http", "http-mariadb", "http-mysql", "cli", "fuzz"} < set(steps)
    assert ask("--help").stdout.startswith("usage: ./dev test [STEP...]")
    refused = ask("unit", "nix")
    assert refused.returncode == 2 and refused.stdout == ""
    assert refused.stderr.splitlines()[-1] == 'dev: there is no test step "nix"'
    assert not (tree / "build-test").exists(), "nothing was begun"

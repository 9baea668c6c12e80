# SPDX-License-Identifier: MIT
"""What a running service has given up, as the kernel tells it, and what that does to somebody who broke in."""
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile

import pytest
import requests

from harness.api import Api
from harness.ports import free_port
from harness.services import StartFailed

both_services = pytest.mark.parametrize("kind", ["userauth", "notes"])
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners, listen below port 1024, and look into a service")
NOBODY = 65534
ALL_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def make(services, kind, **settings):
    """A service of this kind, not started. Notes is told of no user service that is there: it must start anyway."""
    if kind == "userauth":
        return services.userauth(**settings)
    return services.notes(f"http://127.0.0.1:{free_port()}", **{"USER_SERVICE_KEY": "unused-key", **settings})


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def statuses_of_threads(service):
    """Of those that stay: what it needed to start has ended when it tells that it has started."""
    service.wait_log(event="service.started")
    threads = [entry.name for entry in pathlib.Path(f"/proc/{service.pid}/task").iterdir()]
    assert len(threads) > 4
    return [status_of(f"{service.pid}/task/{thread}") for thread in threads]


def low_port():
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port below 1024 is free")


# --- as the kernel tells it ---

@both_services
def test_every_thread_is_filtered_and_has_no_capability(services, kind):
    for status in statuses_of_threads(make(services, kind).start()):
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status["Name"]
        if os.geteuid() == 0:
            assert {name: int(status[name], 16) for name in ALL_SETS} == dict.fromkeys(ALL_SETS, 0), status["Name"]
        else:
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status["Name"]


@as_root
@both_services
def test_a_port_below_1024_leaves_the_capability_for_it_and_no_other(services, kind):
    service = make(services, kind, PORT=low_port()).start()
    for status in statuses_of_threads(service):
        assert int(status["CapEff"], 16) == 1 << 10  # CAP_NET_BIND_SERVICE
        assert int(status["CapBnd"], 16) == 0


@as_root
@both_services
def test_its_secrets_are_locked_and_in_no_core(services, kind):
    service = make(services, kind).start()
    maps = pathlib.Path(f"/proc/{service.pid}/smaps").read_text()
    flags = [line.split()[1:] for line in maps.splitlines() if line.startswith("VmFlags:")]
    locked = [each for each in flags if "lo" in each]
    assert locked and all("dd" in each for each in locked), locked
    assert re.search(r"^Max core file size +0 +0 ", pathlib.Path(f"/proc/{service.pid}/limits").read_text(), re.M)


@as_root
@both_services
def test_no_memory_is_both_written_and_run(services, kind):
    service = make(services, kind).start()
    rights = [line.split()[1] for line in pathlib.Path(f"/proc/{service.pid}/maps").read_text().splitlines()]
    assert rights and not [each for each in rights if "w" in each and "x" in each]


@as_root
@pytest.mark.parametrize("kind,setting,value", [
    ("userauth", "API_KEYS", "them:a-key-of-more-than-16-characters"),
    ("notes", "USER_SERVICE_KEY", "a-key-of-more-than-16-characters"),
])
def test_a_secret_is_wiped_from_the_environment(services, kind, setting, value):
    service = make(services, kind, **{setting: value}).start()
    environment = pathlib.Path(f"/proc/{service.pid}/environ").read_bytes()
    assert b"STATE_DIR=" in environment and setting.encode() + b"=" in environment
    assert value.encode() not in environment and b"a-key-of" not in environment


@as_root
@both_services
def test_it_runs_as_anybody_and_its_memory_is_closed_to_that_user(services, kind):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        service = make(services, kind, state_dir=pathlib.Path(folder) / "state")
        service.state_dir.mkdir()
        os.chown(service.state_dir, NOBODY, NOBODY)
        programs_folder = pathlib.Path(folder) / "programs"  # the build folder may be closed to others
        programs_folder.mkdir()
        service.program = shutil.copy(service.program, programs_folder)
        service.start(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])
        status = status_of(service.pid)
        assert status["Uid"].split()[0] == str(NOBODY) and status["Seccomp"] == "2"
        assert os.stat(f"/proc/{service.pid}/mem").st_uid == 0, "PR_SET_DUMPABLE: else it is its user's"
        assert service.log_lines(event="service.unprotected") == []
        service.stop()


# --- what is missing is told ---

@both_services
def test_the_filter_can_be_switched_off(services, kind):
    service = make(services, kind, SECCOMP="off").start()
    assert status_of(service.pid)["Seccomp"] == "0"
    assert service.log_lines(event="service.unprotected") == []


@both_services
def test_without_filters_in_the_kernel_it_serves_and_says_so(services, kind, compiled):
    service = make(services, kind, LD_PRELOAD=compiled("no_seccomp")).start()
    told = service.wait_log(event="service.unprotected")
    assert (told["level"], told["missing"], told["why"]) == ("warn", "syscall filter", "Invalid argument")
    assert status_of(service.pid)["Seccomp"] == "0"


def test_without_locked_memory_it_serves_and_says_so_once(services):
    service = services.userauth().start(["prlimit", "--memlock=0:0"])
    assert service.wait_log(event="service.unprotected")["missing"] == "locked memory"
    service.stop()
    assert len(service.log_lines(event="service.unprotected")) == 1


@as_root
def test_root_in_the_folder_of_another_is_told_why_it_may_not(services):
    service = services.userauth()
    service.state_dir.mkdir(mode=0o700)
    os.chown(service.state_dir, NOBODY, NOBODY)
    with pytest.raises(StartFailed) as failed:
        service.start()
    assert "Permission denied (root has only its own rights here" in failed.value.stderr


# --- somebody has broken in ---

@pytest.fixture
def intruder(compiled, tmp_path):
    """Settings that let an intruder in, what wakes it, and the file that it makes when it can run a program."""
    fifo, file = tmp_path / "fifo", tmp_path / "it-was-here"
    os.mkfifo(fifo)
    settings = {"LD_PRELOAD": compiled("intruder"), "INTRUDER_FIFO": fifo, "INTRUDER_FILE": file}
    return settings, lambda: fifo.write_bytes(b"x"), file


@both_services
def test_an_intruder_who_runs_a_program_is_the_end_of_the_process(services, kind, intruder):
    settings, wake, file = intruder
    service = make(services, kind, **settings).start()
    wake()
    assert service.wait_exit() == -signal.SIGSYS
    assert not file.exists()


@both_services
def test_without_the_filter_the_same_intruder_runs_a_program(services, kind, intruder):
    settings, wake, file = intruder
    service = make(services, kind, SECCOMP="off", **settings).start()
    wake()
    assert service.wait_exit() == 0 and file.exists()


# --- the service manager ---

@both_services
@pytest.mark.parametrize("is_abstract", [False, True])
def test_the_service_manager_is_told_when_it_is_ready_and_when_it_ends(services, kind, is_abstract, tmp_path):
    name = f"@notes-test-{os.getpid()}-{kind}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if is_abstract else name)
        manager.settimeout(60)
        service = make(services, kind, NOTIFY_SOCKET=name).spawn()
        assert manager.recv(100) == b"READY=1"
        assert requests.get(service.url + "/readyz", timeout=60).status_code == 200
        service.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_a_service_manager_that_is_gone_holds_nothing_up(services, tmp_path):
    service = services.userauth(NOTIFY_SOCKET=tmp_path / "nobody").start()
    assert Api(service.url).get("/healthz").status_code == 200

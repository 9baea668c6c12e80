# SPDX-License-Identifier: MIT
"""The systemd units, read by systemd itself; nothing of the machine's own is started or asked."""
import re
import shutil
import subprocess

import pytest

from harness import programs
from harness.programs import ROOT

UNITS = {"notes-svc.service": programs.NOTES_SVC, "userauth-svc.service": programs.USERAUTH_SVC}
EXPOSURE_MAX = 16  # tenths; a service without any restriction has 96
STOP_SLACK_S = 5

each_unit = pytest.mark.parametrize("name", UNITS)
pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def analyze(*words):
    return subprocess.run(["systemd-analyze", "--no-pager", *map(str, words)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def unit(tmp_path):
    """unit(name, add=lines) -> the unit's file, with the program where it was built."""
    def copy(name, add=""):
        text = (ROOT / "systemd" / name).read_text()
        assert f"ExecStart=/usr/bin/{UNITS[name].name}\n" in text
        path = tmp_path / name
        path.write_text(text.replace(f"/usr/bin/{UNITS[name].name}\n", f"{UNITS[name]}\n").replace("[Install]", add + "\n[Install]"))
        return path

    return copy


@each_unit
def test_systemd_finds_no_fault_in_a_unit(unit, name):
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit(name))
    assert (done.returncode, done.stdout) == (0, "")


@each_unit
def test_systemd_would_find_a_fault(unit, name):
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit(name, "ProtectSistem=strict"))
    assert "ProtectSistem" in done.stdout


@each_unit
def test_a_unit_leaves_little_open(unit, name):
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit(name))
    assert done.returncode == 0, done.stdout


@each_unit
def test_a_unit_that_leaves_more_open_would_be_found(unit, name):
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}",
                   unit(name, "CapabilityBoundingSet=CAP_SYS_ADMIN\nPrivateDevices=no\nRestrictNamespaces=no\nSystemCallFilter=\n"))
    assert done.returncode != 0


def values_of(name, setting):
    return re.findall(rf"^{setting}=(.*)$", (ROOT / "systemd" / name).read_text(), re.M)


@each_unit
def test_stopping_has_time_for_the_drain(name):
    printed = programs.run(UNITS[name], "--print-config").stdout
    drain_ms = sum(int(re.search(rf"^{setting} +(\d+)", printed, re.M)[1]) for setting in ("DRAIN_DELAY_MS", "DRAIN_WAIT_MS"))
    assert int(values_of(name, "TimeoutStopSec")[0].rstrip("s")) * 1000 >= drain_ms + STOP_SLACK_S * 1000


@each_unit
def test_the_limit_of_open_files_is_enough_for_the_default_settings(services, name):
    service = services.userauth() if name == "userauth-svc.service" else services.notes(USER_SERVICE_KEY="unused-key")
    service.start(["prlimit", f"--nofile={values_of(name, 'LimitNOFILE')[0]}"])


@each_unit
def test_every_setting_that_a_unit_gives_exists(name):
    printed = programs.run(UNITS[name], "--print-config").stdout
    given = [each.partition("=")[0] for line in values_of(name, "Environment") for each in line.split()]
    assert len(given) >= 2
    for setting in given:
        assert re.search(rf"^{setting.removesuffix('_FILE')} ", printed, re.M), setting


@each_unit
def test_no_secret_stands_in_a_unit(name):
    text = (ROOT / "systemd" / name).read_text()
    assert not re.search(r"(KEY|PASSWORD|API_KEYS)=(?!%d/)", text)

# SPDX-License-Identifier: MIT
"""Packages of Node for tests: those of tests/FOLDER/package-lock.json, installed beside the build. Test runs that go on
at the same time share them."""
import fcntl
import functools
import pathlib
import shutil
import subprocess

from . import programs

INSTALL_TIMEOUT_S = 300


@functools.cache
def install(folder):
    """Returns (where tests/FOLDER was copied and installed to, None), or (None, why there is nothing)."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None, "no node and npm here"
    source, place = pathlib.Path(__file__).resolve().parents[1] / folder, programs.BUILD / folder
    place.mkdir(parents=True, exist_ok=True)
    with open(programs.BUILD / f"{folder}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _install(source, place)


def _install(source, place):
    wanted = (source / "package-lock.json").read_bytes()
    stamp = place / "installed"
    for file in source.iterdir():
        copy = place / file.name
        if file.is_file() and not (copy.exists() and copy.read_bytes() == file.read_bytes()):
            shutil.copy(file, copy)
    if stamp.exists() and stamp.read_bytes() == wanted:
        return place, None
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, timeout=INSTALL_TIMEOUT_S,
                              capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired:
        return None, "npm ci took too long"
    if done.returncode != 0:
        return None, "npm ci: " + done.stderr.strip()[-200:]
    stamp.write_bytes(wanted)
    return place, None

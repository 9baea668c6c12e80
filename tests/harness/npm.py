# SPDX-License-Identifier: MIT
"""Packages of Node for tests: those of tests/FOLDER/package-lock.json, installed beside the build, once per run."""
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
    place = programs.BUILD / folder
    shutil.copytree(pathlib.Path(__file__).resolve().parents[1] / folder, place, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("node_modules"))
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, timeout=INSTALL_TIMEOUT_S,
                              capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired:
        return None, "npm ci took too long"
    return (place, None) if done.returncode == 0 else (None, "npm ci: " + done.stderr.strip()[-200:])

# SPDX-License-Identifier: MIT
"""README and docs say what is there: settings, commands, options, files."""
import pathlib
import re
import subprocess

import pytest

from harness import programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "common/README.md",
         *(ROOT / f"{folder}/README.md" for folder in ("docker", "systemd", "sql/from-node"))]


def printed(program):
    return programs.run(program, "--print-config").stdout


def test_every_setting_named_in_readme_is_in_a_settings_table():
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`", README)) - {"NAME_FILE"}
    tables = printed(programs.NOTES_SVC) + printed(programs.USERAUTH_SVC) + printed(programs.USERAUTH_CLI)
    known = set(re.findall(r"^([A-Z][A-Z0-9_]+) ", tables, re.M)) | set(re.findall(r"\(alias ([A-Z0-9_]+)\)", tables))
    assert named and named <= known, named - known


def test_every_dev_command_in_readme_is_in_its_help():
    commands = set(re.findall(r"\./dev ([a-z]+)", README))
    told = subprocess.run([str(ROOT / "dev"), "help"], capture_output=True, text=True, check=True).stdout
    assert commands and all(re.search(rf"^  {name}\b", told, re.M) for name in commands), commands


def test_options_of_the_services_in_readme_are_in_their_help():
    options = set(re.findall(r"notes-svc (--[a-z-]+)", README))
    told = programs.run(programs.NOTES_SVC, "--help").stdout
    assert options and all(option in told for option in options), options


def test_options_in_readme_are_in_the_help_of_some_program():
    options = set(re.findall(r"`(--[a-z-]+)[ `]", README)) | set(re.findall(r"^\./dev run.* (--[a-z-]+)", README, re.M))
    told = "".join(subprocess.run([str(ROOT / "dev"), command, "--help"], capture_output=True, text=True, check=True).stdout
                   for command in ("run", "test", "bench", "up"))
    told += "".join(programs.run(program, "--help").stdout for program in (programs.NOTES_SVC, programs.USERAUTH_SVC))
    told += programs.run(programs.USERAUTH_CLI, "--help").stdout + programs.run(programs.USERAUTH_CLI, "add", "--help").stdout
    assert {"--mysql", "--replicas"} <= options and all(option in told for option in options), options


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    for link in links:
        assert (page.parent / link).exists(), link
    for path in re.findall(r"`((?:common|notes-svc|userauth-svc|tests|docs|sql|tools)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path

# SPDX-License-Identifier: MIT
"""The list of common passwords: how it is made, what tools/compile_passwords.py makes of it, and what it says of bad ones."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "compile_passwords.py"
MAKER = ROOT / "tools" / "make_common_passwords.py"
LIST = ROOT / "userauth-svc" / "rules" / "common_passwords.txt"
FILLER = [f"filler{number:05d}" for number in range(3000)]

PRINTER = r"""
#include <stdio.h>
#include "rules/password_rules.h"
extern const struct common_passwords some;
int main(void)
{
    for (size_t i = 0; i < some.count; i++)
        printf("%s\n", some.texts + some.starts[i]);
    return 0;
}
"""


def run_tool(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    out = tmp_path / "out.c"
    done = subprocess.run([sys.executable, TOOL, out, "some", tmp_path / "list.txt"], capture_output=True, text=True, check=False)
    return done, out


def test_entries_arrive_byte_by_byte_in_order(tmp_path):
    entries = sorted(FILLER + ['"quoted"', "back\\slash", "what??=is", "1234567890", "5 %s 0x", "~~~~~", "x" * 64])
    done, out = run_tool(tmp_path, "# a remark\n" + "\n".join(entries) + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "main.c").write_text(PRINTER, encoding="utf-8")
    subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/userauth-svc", out,
                    tmp_path / "main.c", "-o", tmp_path / "program"], check=True)
    printed = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == entries


@pytest.mark.parametrize("lines, place, fault", [
    (["Alpha1"], ":1:", "upper-case"),
    (["alpha", "alpha"], ":2:", "sorted and stand once"),
    (["# remark", "gamma", "alpha"], ":3:", "sorted and stand once"),
    (["four"], ":1:", "4 characters, 5 to 64"),
    (["x" * 65], ":1:", "65 characters, 5 to 64"),
    (["naïve"], ":1:", "not printable ASCII"),
    (["tab\there"], ":1:", "not printable ASCII"),
    ([b"\xff\xfe\xff\xfe\xff"], ":1:", "not printable ASCII"),
    (["alpha"], ":", "1 entries, at least 3000"),
    ([], ":", "0 entries, at least 3000"),
])
def test_bad_list_is_refused_with_its_place(tmp_path, lines, place, fault):
    content = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines)
    done, out = run_tool(tmp_path, content)
    assert done.returncode == 1 and not out.exists()
    assert f"list.txt{place}" in done.stderr and fault in done.stderr


def test_wrong_usage_is_2():
    for tool in (TOOL, MAKER):
        done = subprocess.run([sys.executable, tool], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and done.stderr.startswith("usage: ")


def test_committed_list_is_what_its_maker_makes(tmp_path):
    subprocess.run([sys.executable, MAKER, tmp_path / "made.txt"], check=True)
    assert (tmp_path / "made.txt").read_bytes() == LIST.read_bytes()


def test_list_has_enough_entries_that_count_at_the_default_length():
    entries = [line for line in LIST.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    assert sum(len(entry) >= 15 for entry in entries) >= 3000

# SPDX-License-Identifier: MIT
"""tools/compile_statements.py: what it makes of good files, and what it says of bad ones."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "compile_statements.py"

PRINTER = r"""
#include <stdio.h>
#include "data/db.h"
extern const struct db_statement some_a_one;
extern const struct db_statement some_a_two;
int main(void)
{
    printf("%s|%d|%s|%s\n", some_a_one.sql, !some_a_one.mysql, some_a_two.sql, some_a_two.mysql);
    return 0;
}
"""


def run_tool(tmp_path, text):
    (tmp_path / "a.sql").write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, TOOL, tmp_path / "out.c", "some", tmp_path / "a.sql"], capture_output=True, text=True,
                          check=False)


def test_statements_arrive_on_one_line_without_comments(tmp_path):
    done = run_tool(tmp_path, "-- About.\n\n-- statement: one\nSELECT 1,\n    '\"??=\\'\n-- dropped\nFROM x;\n"
                              "-- statement: two\n-- on sqlite:\nSELECT a\n-- on mysql:\nSELECT b\n")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "main.c").write_text(PRINTER, encoding="utf-8")
    program = tmp_path / "program"
    subprocess.run(["cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/common", tmp_path / "out.c", tmp_path / "main.c", "-o",
                    program], check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert printed == "SELECT 1, '\"??=\\' FROM x|1|SELECT a|SELECT b\n"


@pytest.mark.parametrize("text", [
    "SELECT 1\n",
    "-- statement: one\n-- on mysql:\nSELECT 1\n",
    "-- statement: one\n",
    "-- statement: one\nDELETE FROM x\n",
    "-- statement: one\nSELECT 1; DELETE FROM x\n",
    "-- statement: one\nSELECT 1\n-- statement: one\nSELECT 2\n",
    "-- statement: one\nSELECT 1\n-- on mysql:\nSELECT 2\n",
    "-- on mysql:\nSELECT 2\n",
    "-- statement: one\nSELECT 'ü'\n",
])
def test_what_is_wrong_fails_the_build(tmp_path, text):
    done = run_tool(tmp_path, text)
    assert done.returncode == 1 and done.stderr and not (tmp_path / "out.c").exists()

# SPDX-License-Identifier: MIT
"""tools/compile_sql.py: what it makes of good folders, and what it says of bad ones."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "compile_sql.py"
GOOD = "-- oldest program: 1\nCREATE TABLE a (x INTEGER);\n"

PRINTER = r"""
#include <stdio.h>
#include "data/migrate.h"
extern const struct migrations some;
int main(void)
{
    for (size_t i = 0; i < some.count; i++)
        printf("%lld|%s|%lld|%s\n---\n", (long long)some.items[i].version, some.items[i].name,
               (long long)some.items[i].oldest_program, some.items[i].sql);
    return 0;
}
"""


def write_files(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def run_tool(tmp_path, files):
    write_files(tmp_path / "sql", files)
    out = tmp_path / "out.c"
    done = subprocess.run([sys.executable, TOOL, out, "some", tmp_path / "sql"], capture_output=True, text=True, check=False)
    return done, out


def compile_and_print(tmp_path, out):
    (tmp_path / "main.c").write_text(PRINTER, encoding="utf-8")
    program = tmp_path / "program"
    subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/common", out,
                    tmp_path / "main.c", "-o", program], check=True)
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_scripts_arrive_byte_by_byte_in_order(tmp_path):
    hostile = "-- oldest program: 2\n-- \"quotes\" \\ back ??= ??/ %s Grüße\tTab\nINSERT INTO a VALUES ('\\n', \"??)\");\n"
    long = "-- oldest program: 1\n" + "".join(f"INSERT INTO a VALUES ({n}); -- {'x' * 60}\n" for n in range(300))
    done, out = run_tool(tmp_path, {"0001_a.sql": GOOD, "0002_more_2.sql": hostile, "0003_long.sql": long})
    assert (done.returncode, done.stderr) == (0, "")
    expected = f"1|a|1|{GOOD}\n---\n2|more_2|2|{hostile}\n---\n3|long|1|{long}\n---\n"
    assert compile_and_print(tmp_path, out) == expected


def test_the_same_folder_gives_the_same_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = {"0002_b.sql": GOOD, "0001_a.sql": GOOD, "README": "not a script"}
    _, first = run_tool(tmp_path / "a", files)
    _, second = run_tool(tmp_path / "b", dict(reversed(files.items())))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("service", ["notes", "userauth"])
def test_the_projects_own_migrations_compile(tmp_path, service):
    out = tmp_path / "out.c"
    subprocess.run([sys.executable, TOOL, out, "some", ROOT / "sql" / service / "sqlite"], check=True)
    assert compile_and_print(tmp_path, out).startswith("1|")


@pytest.mark.parametrize("files, place, what", [
    ({}, "sql", "no migration in it"),
    ({"0002_a.sql": GOOD}, "0002_a.sql:1", "migration 2 where 1 must come"),
    ({"0001_a.sql": GOOD, "0003_b.sql": GOOD}, "0003_b.sql:1", "migration 3 where 2 must come"),
    ({"0001_a.sql": GOOD, "0001_b.sql": GOOD}, "0001_b.sql:1", "migration 1 where 2 must come"),
    ({"0000_a.sql": GOOD}, "0000_a.sql:1", "migration 0 where 1 must come"),
    ({"1_a.sql": GOOD}, "1_a.sql:1", "the name is not of the form"),
    ({"0001_A.sql": GOOD}, "0001_A.sql:1", "the name is not of the form"),
    ({"0001_a.sql": ""}, "0001_a.sql:1", "the last line has no line end"),
    ({"0001_a.sql": "CREATE TABLE a (x);\n"}, "0001_a.sql:1", "the first line must be"),
    ({"0001_a.sql": "\n-- oldest program: 1\n"}, "0001_a.sql:1", "the first line must be"),
    ({"0001_a.sql": "-- oldest program: 0\n"}, "0001_a.sql:1", "the first line must be"),
    ({"0001_a.sql": "-- oldest program: 2\n"}, "0001_a.sql:1", "oldest program 2 is newer than this migration, 1"),
    ({"0001_a.sql": GOOD + "x"}, "0001_a.sql:3", "the last line has no line end"),
    ({"0001_a.sql": GOOD + "a\r\n"}, "0001_a.sql:3", "a control character"),
    ({"0001_a.sql": b"-- oldest program: 1\n\xff\n"}, "0001_a.sql:2", "not UTF-8"),
    ({"0001_a.sql": GOOD + "COMMIT;\n"}, "0001_a.sql:3", "one transaction"),
    ({"0001_a.sql": GOOD + "  begin immediate;\n"}, "0001_a.sql:3", "one transaction"),
])
def test_a_bad_folder_is_refused_with_its_place(tmp_path, files, place, what):
    done, out = run_tool(tmp_path, files)
    assert done.returncode == 1
    assert f"{place}: " in done.stderr
    assert what in done.stderr
    assert not out.exists()


def test_a_trigger_may_begin_and_end(tmp_path):
    trigger = GOOD + "CREATE TRIGGER t AFTER INSERT ON a\nBEGIN\n    DELETE FROM a;\nEND;\n"
    done, _ = run_tool(tmp_path, {"0001_a.sql": trigger})
    assert (done.returncode, done.stderr) == (0, "")


def test_wrong_usage_is_told(tmp_path):
    done = subprocess.run([sys.executable, TOOL], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")

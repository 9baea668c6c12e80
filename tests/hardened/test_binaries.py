# SPDX-License-Identifier: MIT
"""How the programs were built, read back from the programs. Each check is shown to find a program that was built without it."""
import json
import platform
import re
import subprocess

import pytest

from harness import programs

PROGRAMS = [programs.NOTES_SVC, programs.USERAUTH_SVC, programs.USERAUTH_CLI]
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="looks for instructions of x86-64")

# Has all that the checks look for: a large frame, a buffer, a call that the C library checks.
SMALL_PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int fill(char *large, size_t size);
int main(int argc, char **argv)
{
    char large[100000];
    char text[32];
    (void)snprintf(text, (size_t)argc * 8, "%s", argv[0]);
    return fill(large, sizeof(large)) + (int)strlen(text);
}
int __attribute__((noinline)) fill(char *large, size_t size)
{
    return read(0, large, size) > 0;
}
"""
GOOD = ["-O2", "-fPIE", "-pie", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong",
        "-fstack-clash-protection", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
if platform.machine() == "x86_64":
    GOOD.append("-fcf-protection=full")


def told(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def segment(program, name):
    """The flags of a segment, "" when there is none."""
    match = re.search(rf"^ +{name} .*? (0x[0-9a-f]+ 0x[0-9a-f]+) ([RWE ]{{3}})", told("readelf", "-Wl", program), re.M)
    return match[2] if match else ""


def names(program):
    return set(re.findall(r"\bUND (\w+)", told("readelf", "-W", "--dyn-syms", program)))


def is_pie(program):
    return bool(re.search(r"Type: +DYN", told("readelf", "-h", program))) and "PIE" in told("readelf", "-Wd", program)


def has_full_relro(program):
    return bool(segment(program, "GNU_RELRO")) and bool(re.search(r"\bBIND_NOW\b|Flags:.*\bNOW\b", told("readelf", "-Wd", program)))


def has_no_executable_stack(program):
    return segment(program, "GNU_STACK").strip() == "RW"


def has_stack_protector(program):
    return "__stack_chk_fail" in names(program)


def is_fortified(program):
    """Calls that can be checked are the checked ones."""
    return bool({name for name in names(program) if re.fullmatch(r"__v?snprintf_chk", name)})


def probes_large_frames(program):
    """A frame of many pages is touched page by page."""
    return bool(re.search(r"sub +\$0x1000,%rsp[ \t]*\n.*\bor[lq] +\$0x0,", told("objdump", "-d", "--no-show-raw-insn", program)))


def marks_branch_targets(program):
    """A function that is called by its address begins with a mark; main is."""
    return bool(re.search(r"<main>:\n.*\bendbr64", told("objdump", "-d", "--no-show-raw-insn", program)))


CHECKS = [
    (is_pie, ["-no-pie", "-fno-pie"]),
    (has_full_relro, ["-Wl,-z,lazy"]),
    (has_full_relro, ["-Wl,-z,norelro"]),
    (has_no_executable_stack, ["-Wl,-z,execstack"]),
    (has_stack_protector, ["-fno-stack-protector"]),
    (is_fortified, ["-U_FORTIFY_SOURCE"]),
]
CHECKS_OF_X86 = [
    (probes_large_frames, ["-fno-stack-clash-protection"]),
    (marks_branch_targets, ["-fcf-protection=none"]),
]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """build(flags...) -> a small program that was built with the good flags, then these."""
    folder = tmp_path_factory.mktemp("small")
    source = folder / "small.c"
    source.write_text(SMALL_PROGRAM)

    def compile_small(*flags):
        program = folder / f"small-{len(list(folder.iterdir()))}"
        subprocess.run(["cc", *GOOD, *flags, "-w", "-o", program, source], check=True)
        return program

    return compile_small


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("check", dict.fromkeys(check for check, _ in CHECKS))
def test_a_program_is_hardened(program, check):
    assert check(program)


@on_x86
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("check", [check for check, _ in CHECKS_OF_X86])
def test_a_program_for_x86_is_hardened(program, check):
    assert check(program)


@pytest.mark.parametrize("check,without", CHECKS)
def test_the_check_finds_a_program_that_is_not(build, check, without):
    assert check(build())
    assert not check(build(*without))


@on_x86
@pytest.mark.parametrize("check,without", CHECKS_OF_X86)
def test_the_check_of_x86_finds_a_program_that_is_not(build, check, without):
    assert check(build())
    assert not check(build(*without))


def test_every_file_was_compiled_at_the_highest_level_of_checked_calls():
    """The level can't be read from a program."""
    commands = json.loads((programs.BUILD / "compile_commands.json").read_text())
    assert len(commands) > 100
    assert [each["file"] for each in commands if "-D_FORTIFY_SOURCE=3" not in each["command"].split()] == []

# SPDX-License-Identifier: MIT
"""Every route of both services has a black-box test, and no row of a route table leaves its protection unsaid.

The programs print their own tables (`--print-routes`: a head after "# ", then a line each),
so a new route without a test fails here.
"""

import pathlib
import re

import pytest

from harness import programs

TESTS = pathlib.Path(__file__).resolve().parent
ALLOWED_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}


def routes(program):
    done = programs.run(program, "--print-routes")
    assert done.returncode == 0 and done.stderr == ""
    head, *lines = done.stdout.splitlines()
    assert head == "# METHOD PATTERN PROTECTION LANE BODY_MAX_BYTES"
    assert lines
    return [line.split() for line in lines]


def sources():
    """Text of the tests that talk to a service, without this file."""
    files = [path for folder in ("http", "cli") for path in (TESTS.parent / folder).glob("test_*.py")
             if path.name != "test_routes_covered.py"]
    return {path.name: path.read_text() for path in files}


def pattern_of(path):
    """What a test's text shows of a route: the path up to its first variable, at the start of a string."""
    fixed = re.split(r"[:*{<]", path)[0]
    if fixed == "/":
        return re.compile(r"[\"']/[\"'?]")
    end = "" if fixed != path else r"(?![A-Za-z0-9_/-])"
    return re.compile(r"[\"' ]" + re.escape(fixed if fixed == path else fixed.rstrip("/") + "/") + end)


VERBS = {"GET": r"\.get\(|\.html\(|\bGET\b", "HEAD": r"\.head\(|\bHEAD\b", "POST": r"\.post\(|\bPOST\b",
         "DELETE": r"\.delete\(|\bDELETE\b",
         "PUT": r"\.put\(|\bPUT\b", "PATCH": r"\.patch\(|\bPATCH\b"}


@pytest.mark.parametrize("program", [programs.NOTES_SVC, programs.USERAUTH_SVC], ids=lambda path: path.name)
def test_every_route_has_a_test(program):
    texts = sources()
    untested = []
    for method, path, *_ in routes(program):
        found = [name for name, text in texts.items()
                 if pattern_of(path).search(text) and re.search(VERBS[method], text)]
        if not found:
            untested.append(f"{method} {path}")
    assert untested == []


@pytest.mark.parametrize("program", [programs.NOTES_SVC, programs.USERAUTH_SVC], ids=lambda path: path.name)
def test_rows_are_whole_and_said_once(program):
    rows = routes(program)
    assert all(len(row) == 5 for row in rows), rows
    assert all(method in ALLOWED_METHODS for method, *_ in rows)
    assert all(path.startswith("/") for _, path, *_ in rows)
    assert all(re.fullmatch("[0-9]+", limit) for *_, limit in rows)
    names = [(method, path) for method, path, *_ in rows]
    assert len(names) == len(set(names))


def test_pages_that_change_something_are_never_open():
    """Of the routes that take a form only login may be open to strangers. /socket.io/ takes none: it answers 400."""
    rows = {(method, path): protection for method, path, protection, *_ in routes(programs.NOTES_SVC)}
    open_name = rows["GET", "/healthz"]
    signed_in = rows["POST", "/notes/save"]
    assert signed_in != open_name
    for (method, path), protection in rows.items():
        if method not in ("GET", "HEAD") and path not in ("/users/login", "/socket.io/"):
            assert protection != open_name, f"{method} {path} is open"
    for path in ("/notes/add", "/notes/edit", "/notes/destroy"):
        assert rows["GET", path] != open_name


def test_every_route_of_the_specification_is_there():
    notes = {(method, path) for method, path, *_ in routes(programs.NOTES_SVC)}
    for path in ("/", "/notes/view", "/notes/add", "/notes/edit", "/notes/destroy", "/users/login", "/users/logout",
                 "/healthz", "/readyz",
                 "/favicon.ico", "/socket.io/"):
        assert ("GET", path) in notes
    for path in ("/notes/save", "/notes/destroy/confirm", "/notes/comment", "/notes/comment/destroy", "/users/login",
                 "/users/logout"):
        assert ("POST", path) in notes
    userauth = {(method, re.sub(r"[:{<*].*", "", path)) for method, path, *_ in routes(programs.USERAUTH_SVC)}
    for wanted in (("POST", "/create-user"), ("POST", "/update-user/"), ("POST", "/find-or-create"),
                   ("GET", "/find/"), ("DELETE", "/destroy/"),
                   ("POST", "/disable/"), ("POST", "/enable/"), ("POST", "/revoke/"), ("POST", "/change-password"),
                   ("POST", "/password-check"), ("GET", "/list"), ("GET", "/healthz"), ("GET", "/readyz")):
        assert wanted in userauth

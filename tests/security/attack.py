# SPDX-License-Identifier: MIT
"""What several attacks need: the services' own lists of routes, and all that is stored, to see that nothing changed."""
import re

from harness import programs, stored

# What a request does by itself, whoever asks.
CLOCKS = {"used_unix_ms", "checked_unix_ms"}


def routes(program):
    """(method, pattern, protection) of every route, as the program itself prints them."""
    done = programs.run(program, "--print-routes")
    assert done.returncode == 0, done.stderr
    return [tuple(line.split()[:3]) for line in done.stdout.splitlines()[1:]]


def unsafe_routes(program):
    return [row for row in routes(program) if row[0] not in ("GET", "HEAD")]


def path_of(pattern, value="x"):
    """A path of this pattern, its parameters filled."""
    return re.sub(r"[:*][a-z_]+", value, pattern)


def everything(*services):
    """All rows of all tables."""
    found = {}
    for service in services:
        with stored.opened(service.database) as database:
            for table in stored.tables(database):
                rows = database.execute(f"SELECT * FROM `{table}`").fetchall()
                names = [name for name in (rows[0].names if isinstance(rows[0], stored.Row) else rows[0].keys()) if name not in CLOCKS] if rows else []
                found[service.name, table] = sorted(repr([row[name] for name in names]) for row in rows)
    return found

# SPDX-License-Identifier: MIT
"""userauth-cli as a command."""
import json

from . import programs


class Cli:
    """Runs userauth-cli against a Userauth (its URL and key are in the environment)."""

    def __init__(self, userauth, **settings):
        self.settings = {"USER_SERVICE_URL": userauth.url, "USER_SERVICE_ID": "them",
                         "USER_SERVICE_KEY": userauth.key, **settings}

    def run(self, *args, stdin=None, **settings):
        return programs.run(programs.USERAUTH_CLI, *args, stdin=stdin, **{**self.settings, **settings})

    def ok(self, *args, stdin=None):
        """Runs, asserts exit 0 and silence on stderr; returns stdout."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, (args, done)
        assert done.stderr == "", done.stderr
        return done.stdout

    def json(self, *args, stdin=None):
        """As ok, with --json; returns what was printed, read."""
        return json.loads(self.ok("--json", *args, stdin=stdin))

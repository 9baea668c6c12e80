# SPDX-License-Identifier: MIT
"""userauth-cli as a command."""
import json

import pexpect

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

    def at_terminal(self, *args):
        """Starts it at a terminal of its own that echoes; a pexpect child."""
        return pexpect.spawn(str(programs.USERAUTH_CLI), list(args), env=programs.clean_env({**self.settings, "TERM": "dumb"}),
                             encoding="utf-8", timeout=20, echo=True)

    def type_password(self, *args, password):
        """Runs it at a terminal and types the password each of the two times it is asked for, when nothing is echoed.
        Its exit code, and all that was to be seen."""
        child = self.at_terminal(*args)
        seen = ""
        for _ in range(2):
            child.expect("(?i)password[^:]*: ?")
            seen += child.before + child.after
            child.waitnoecho(10)
            child.sendline(password)
        child.expect(pexpect.EOF)
        seen += child.before
        child.close()
        return child.exitstatus, seen

    def json(self, *args, stdin=None):
        """As ok, with --json; returns what was printed, read."""
        return json.loads(self.ok("--json", *args, stdin=stdin))

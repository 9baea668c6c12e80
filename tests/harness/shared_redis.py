# SPDX-License-Identifier: MIT
"""With NOTES_TEST_REDIS=1 every notes-svc of the black-box tests keeps its sessions in Redis: one server for the run,
and a numbered database for each state folder, as each has a file (or a database) of its own."""
import atexit
import os

from .redis import Redis

DATABASES_COUNT = 4096
TIMEOUT_MS = 5000  # the longest there is: no test has this one stand still, but a busy machine may

_server = None
_numbers = {}


def is_wanted():
    return os.environ.get("NOTES_TEST_REDIS") == "1"


def _shared():
    global _server
    if _server is None:
        _server = Redis(has_password=True)
        _server.arguments += ["--databases", str(DATABASES_COUNT)]
        _server.start()
        atexit.register(_server.close)
    return _server


def settings_of(state_dir):
    """Nothing when it is not wanted. The same folder has the same database after a restart."""
    if not is_wanted():
        return {}
    number = _numbers.setdefault(str(state_dir), len(_numbers))
    assert number < DATABASES_COUNT
    server = _shared()
    return {**server.settings(), "REDIS_URL": f"redis://127.0.0.1:{server.port}/{number}", "REDIS_TIMEOUT_MS": TIMEOUT_MS}

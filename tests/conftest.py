# SPDX-License-Identifier: MIT
"""Fixtures of the black-box tests. Each service is a real process on a free port with a state folder of its own.

A module may set USERAUTH_ENV or NOTES_ENV (dicts of settings) for the services that its fixtures start.
"""
import signal

import pytest

from harness import mariadb, mysql, programs
from harness.client import browser_session as open_browser_session
from harness.services import Notes, Userauth
from harness.site import Site

NEEDED = (programs.USERAUTH_SVC, programs.USERAUTH_CLI, programs.NOTES_SVC)

# Modules that ask nothing of the database that others don't ask: they run with SQLite only, as each run costs minutes.
ANY_ENGINE = {
    "test_raw_http": "HTTP as bytes",
    "test_userauth_hostile": "HTTP as bytes",
    "test_live_protocol": "the live protocol as bytes",
    "test_pages_markdown": "rendering, which comes before storing",
    "test_settings": "the command line; what settings of servers do is in test_mysql_*.py",
    "test_readme": "texts",
    "test_routes_covered": "texts",
    "test_audit": "the log",
    "test_dev_run": "brings its own settings",
    "test_compose": "texts",
    "test_secrets": "comes before any database",
    "test_reachability": "networks",
    "test_scaling": "replicas and the edge",
    "test_swarm": "replicas and the edge",
    "test_ground_swarm": "stacks",
    "test_crash": "the site as a whole; what a database does is in tests/replicas",
    "test_container_secrets": "what is read before any database",
}


def pytest_configure(config):
    # A shell that starts the tests in the background has them ignore it, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "slow: takes more than some seconds")
    config.addinivalue_line("markers", "sqlite_only(reason): is about the SQLite file")
    config.addinivalue_line("markers", "server_only: runs with NOTES_TEST_ENGINE=mariadb or mysql")


def pytest_collection_modifyitems(config, items):
    """Black-box tests without programs would fail one by one: say what is missing once."""
    for item in items:
        only = item.get_closest_marker("sqlite_only")
        if only and mariadb.is_wanted():
            item.add_marker(pytest.mark.skip(reason="SQLite only: " + only.kwargs["reason"]))
    if mariadb.is_wanted():
        dropped = [item for item in items if item.path.stem in ANY_ENGINE]
    else:
        dropped = [item for item in items if item.get_closest_marker("server_only")]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]
    why_not = mysql.missing() if mariadb.engine() == "mysql" and not config.option.collectonly else None
    for item in items if why_not else ():
        item.add_marker(pytest.mark.skip(reason=why_not))
    missing = [str(path) for path in NEEDED if not path.exists()]
    needs = [item for item in items if item.path.parent.name in ("http", "cli", "browser", "replicas", "soak", "hardened", "security", "providers")]
    if missing and needs and not config.option.collectonly:
        pytest.exit("build first (or set NOTES_BUILD); missing: " + ", ".join(missing), returncode=4)


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_any_log():
    """After the last test: no password and no key of this run is in anything that a service printed."""
    yield
    assert programs.leaked_secrets() == []


def _stop(service):
    """End of a fixture's service: a crash during the tests shows here."""
    if service.is_running():
        service.stop()
    else:
        programs.assert_no_sanitizer_report(service.stderr_text())
        code = None if service.process is None else service.process.returncode
        assert code in (None, 0, -9), f"{service.name} ended with {code}\n{service.tail()}"


@pytest.fixture(scope="module")
def server():
    """A database server of this module's own: what happens to it must not happen to other tests."""
    options = {"has_tls": True} if mariadb.engine() == "mysql" else {}
    own = mariadb.own(is_durable=True, **options)
    with mariadb.instead(own):
        yield own
    own.close()


@pytest.fixture(scope="module")
def userauth(request, tmp_path_factory):
    """A running userauth-svc with a fresh state folder, one per module."""
    folder = tmp_path_factory.mktemp("userauth")
    service = Userauth(folder / "state", **getattr(request.module, "USERAUTH_ENV", {})).start()
    yield service
    _stop(service)


@pytest.fixture
def api(userauth):
    """A session of REST calls to `userauth`, with its key."""
    with userauth.api() as session:
        yield session


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """userauth-svc and notes-svc on one state folder, users `me` and `you`; one per module."""
    folder = tmp_path_factory.mktemp("site")
    both = Site(folder, getattr(request.module, "NOTES_ENV", {}), getattr(request.module, "USERAUTH_ENV", {}))
    try:
        both.start()
    except BaseException:
        both.kill()
        raise
    yield both
    try:
        _stop(both.notes)
    finally:
        _stop(both.userauth)


@pytest.fixture
def make_site(tmp_path):
    """make_site(**settings of notes-svc) -> a started Site that is stopped at the end."""
    made = []

    def make(**settings):
        made.append(Site(tmp_path / str(len(made)), settings))
        return made[-1].start()

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def browser_session():
    """The function browser_session(site, user=None) -> Client, signed in when a user is named."""
    return open_browser_session


@pytest.fixture
def services(tmp_path):
    """Makes services for one test: services.userauth(**settings), services.notes(userauth, **settings), not started.

    What still runs at the end is stopped and must end cleanly."""
    made = []

    class Maker:
        state_dir = tmp_path / "state"

        def userauth(self, state_dir=None, **settings):
            made.append(Userauth(state_dir or self.state_dir, **settings))
            return made[-1]

        def notes(self, userauth=None, state_dir=None, **settings):
            made.append(Notes(state_dir or self.state_dir, userauth, **settings))
            return made[-1]

    yield Maker()
    faults = []
    for service in reversed(made):
        try:
            if service.is_running():
                service.stop()
            programs.assert_no_sanitizer_report(service.stderr_text())
        except AssertionError as fault:
            service.kill()
            faults.append(str(fault))
    assert not faults, "\n".join(faults)

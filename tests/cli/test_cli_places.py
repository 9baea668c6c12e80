# SPDX-License-Identifier: MIT
"""userauth-cli whose services are not where it was told: each command says which address it tried, what gave it that address,
and what to do."""
import contextlib
import socket
import ssl
import threading
import time

import pytest

from harness.certificates import Authority
from harness.cli import Cli
from harness.ports import free_port

DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
OF_USERS = [["list-users"], ["add", "x", "--password", "pw"], ["find-or-create", "x"], ["find-or-create", "x", "--password", "pw"],
            ["update", "me", "--given-name", "y"], ["set-password", "me", "--password-stdin"], ["find", "me"], ["disable", "me"],
            ["enable", "me"], ["sessions", "me"], ["revoke", "me"], ["revoke", "me", "12ab"], ["identities", "me"],
            ["link", "me", "twitter", "1"], ["unlink", "me", "twitter", "1"], ["destroy", "me"], ["password-check", "me", "pw"]]
OF_NOTES = [["sessions", "me"], ["revoke", "me", "12ab"]]
of_users = pytest.mark.parametrize("command", OF_USERS, ids=" ".join)
of_notes = pytest.mark.parametrize("command", OF_NOTES, ids=" ".join)


@pytest.fixture
def cli(site):
    return Cli(site.userauth, NOTES_URL=site.notes.url)


@pytest.fixture
def nobody():
    """An address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


@contextlib.contextmanager
def listener(answer):
    """The port of a server that gives each connection to `answer` and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(10)
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture(scope="module")
def shake_hands(tmp_path_factory):
    """What a listener does with TLS."""
    key, certificate = Authority(tmp_path_factory.mktemp("tls") / "authority").sign("localhost", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return lambda connection: context.wrap_socket(connection, server_side=True).close()


def saying(text):
    """Answers a request with this text."""
    def answer(connection):
        connection.recv(65536)
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    return answer


def assert_says(done, *words):
    """Nothing for people to mistake on stdout, and a message of a few lines that has all these words."""
    assert done.returncode == UNREACHABLE and done.stdout == "", done
    assert done.stderr.startswith("userauth-cli: ") and len(done.stderr.splitlines()) <= 3, done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def run(cli, command, **settings):
    return cli.run(*command, stdin="pw", **settings)


# --- userauth-svc ---

@of_users
def test_nothing_listens(cli, nobody, command):
    assert_says(run(cli, command, USER_SERVICE_URL=nobody), f"can't reach {nobody} (from USER_SERVICE_URL)", "Is userauth-svc running?",
                "with --url or USER_SERVICE_URL")


@of_users
def test_notes_svc_is_there(cli, site, command):
    """It answers what it doesn't know with 404 and JSON, as userauth-svc does for a user who is not there."""
    done = run(cli, ["--url", site.notes.url, *command])
    assert_says(done, f"{site.notes.url} (from --url) answers, but not like userauth-svc (status 404)", "with --url or USER_SERVICE_URL")
    assert run(cli, ["--json", "--url", site.notes.url, *command]).stdout == ""


@of_users
@pytest.mark.parametrize("status, kind", [(200, "text/html"), (301, "text/html"), (400, "text/html"), (404, "text/html"),
                                          (301, "application/json"), (403, "application/json"), (404, "application/json"),
                                          (405, "application/json")])
def test_another_http_server_is_there(cli, command, status, kind):
    body = '{"code":"x","message":"y"}'
    with listener(saying(f"HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())) as port:
        done = run(cli, ["-p", str(port), *command])
    assert_says(done, f"http://127.0.0.1:{port} (from --port) answers, but not like userauth-svc (status {status})")
    assert ("Does it want https:// instead?" in done.stderr) == (status in (301, 400))


@of_users
def test_https_is_asked_for_where_there_is_none(cli, site, command):
    url = site.userauth.url.replace("http://", "https://")
    assert_says(run(cli, command, USER_SERVICE_URL=url), f"{url} (from USER_SERVICE_URL) does not speak TLS", "say http:// in its address")


@of_users
def test_http_is_asked_for_where_there_is_tls(cli, shake_hands, command):
    with listener(shake_hands) as port:
        done = run(cli, ["-p", str(port), *command])
        assert_says(done, f"http://127.0.0.1:{port} (from --port) takes connections, but does not answer", "Does it want https:// instead?")
        done = run(cli, ["--url", f"https://127.0.0.1:{port}", *command])
        assert_says(done, f"the certificate of https://127.0.0.1:{port} (from --url) is not trusted here", "with --url or USER_SERVICE_URL")


def test_tls_is_waited_for(cli, shake_hands):
    """As it is over a long way, or on a crowded machine: longer than a service waits for the other."""
    def late(connection):
        time.sleep(4)
        shake_hands(connection)

    with listener(late) as port:
        assert_says(cli.run("--url", f"https://127.0.0.1:{port}", "find", "me"), "is not trusted here")


@pytest.mark.parametrize("text", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"])
def test_what_is_there_is_no_http_server(cli, text):
    with listener(saying(text)) as port:
        assert_says(cli.run("-p", str(port), "find", "me"), f"http://127.0.0.1:{port} (from --port) takes connections, but does not answer")


def test_every_way_to_give_the_address_is_named(cli, nobody):
    port = nobody.rsplit(":", 1)[1]
    for args, settings, words in ((["-p", port], {}, "(from --port)"),
                                  (["-h", "localhost", "-p", port], {}, "(from --host and --port)"),
                                  (["-h", "no-such-host.invalid"], {}, "(from --host)"),
                                  (["-u", nobody, "-p", "1"], {}, f"{nobody} (from --url)"),
                                  ([], {"USER_SERVICE_URL": nobody}, f"{nobody} (from USER_SERVICE_URL)"),
                                  (["-p", port], {"USER_SERVICE_URL": None}, "(from --port)")):
        assert_says(cli.run(*args, "find", "me", **settings), words)


def test_default_is_called_so(cli):
    for settings in ({"USER_SERVICE_URL": None}, {"USER_SERVICE_URL": ""}):
        done = cli.run("-h", "no-such-host.invalid", "find", "me", **settings)
        assert_says(done, "http://no-such-host.invalid:5858 (from --host)")
    with contextlib.closing(socket.socket()) as probe:
        if probe.connect_ex(("127.0.0.1", 5858)) != 0:
            assert_says(cli.run("find", "me", USER_SERVICE_URL=None), "http://127.0.0.1:5858 (the default of USER_SERVICE_URL)")


# --- notes-svc ---

@of_notes
def test_notes_nothing_listens(cli, nobody, command):
    assert_says(run(cli, command, NOTES_URL=nobody), f"can't reach {nobody} (from NOTES_URL)", "Is notes-svc running?", "with NOTES_URL")


@of_notes
def test_notes_userauth_svc_is_there(cli, site, command):
    """A session that is not there is a 404 with JSON, too."""
    for option in ([], ["--json"]):
        assert_says(run(cli, [*option, *command], NOTES_URL=site.userauth.url),
                    f"{site.userauth.url} (from NOTES_URL) answers, but not like notes-svc (status 404)", "with NOTES_URL")


@of_notes
def test_notes_https_is_asked_for_where_there_is_none(cli, site, command):
    url = site.notes.url.replace("http://", "https://")
    assert_says(run(cli, command, NOTES_URL=url), f"{url} (from NOTES_URL) does not speak TLS", "with NOTES_URL")


def test_session_that_is_not_there_is_refused_where_notes_svc_is(cli):
    done = cli.run("revoke", "me", "12ab")
    assert done.returncode == REFUSED and done.stderr.startswith('userauth-cli: "me" has no session 12ab.'), done


def test_refused_key_names_the_address(cli, site):
    for settings, words in (({}, f"{site.userauth.url} (from USER_SERVICE_URL)"),
                            ({"USER_SERVICE_URL": None}, f"{site.userauth.url} (from --url)")):
        options = [] if "USER_SERVICE_URL" not in settings else ["--url", site.userauth.url]
        done = cli.run(*options, "find", "me", USER_SERVICE_KEY="x" * 43, **settings)
        assert done.returncode == REFUSED and words in done.stderr and "x" * 43 not in done.stderr

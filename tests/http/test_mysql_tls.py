# SPDX-License-Identifier: MIT
"""DATABASE_TLS against servers with and without TLS: who is let in, and what a listener on the wire can read."""
import contextlib
import socket
import threading

import pytest

from harness import mariadb
from harness.certificates import Authority
from harness.services import StartFailed

pytestmark = pytest.mark.server_only


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "theirs")


def running(server):
    with mariadb.instead(server):
        yield server
    server.close()


@pytest.fixture(scope="module")
def clear():
    """A server without TLS."""
    yield from running(mariadb.own())


@pytest.fixture(scope="module")
def encrypted(authority):
    """A server with a certificate for localhost, and not for 127.0.0.1."""
    server = mariadb.own()
    server.stop()
    server.use_tls(*authority.sign("server", "DNS:localhost"))
    server.start()
    yield from running(server)


class Listener:
    """A relay that keeps what services and server say to each other."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.heard = bytearray()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.server.accept()
                other = socket.create_connection(self.target)
                for pair in ((one, other), (other, one)):
                    threading.Thread(target=self._relay, args=pair, daemon=True).start()

    def _relay(self, source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                self.heard += chunk
                sink.sendall(chunk)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def through(server, services, host="127.0.0.1", **settings):
    """A userauth-svc, not started, and the listener between it and the server."""
    service = services.userauth(WORKERS=1, **settings)
    relay = Listener(server.port)
    name = service.database.name
    service.settings["DATABASE_URL"] = f"mysql://{mariadb.USER}@{host}:{relay.port}/{name}"
    return service, relay


def use(service):
    """Starts it and says something that a listener could look for."""
    service.start()
    answer = service.api().post("/create-user", json={"username": "overheard", "provider": "x"})
    assert answer.status_code == 200, answer.text


def assert_refused(service, relay, *words):
    service.spawn()
    line = service.wait_log(event="service.waiting")
    assert line["level"] == "error" and any(word in line["why"] for word in words), line
    assert service.is_running() and not service.is_ready()
    assert service.settings["DATABASE_PASSWORD"].encode() not in relay.heard
    service.stop()


def test_prefer_without_tls_is_in_the_clear_but_for_the_password(clear, services):
    service, relay = through(clear, services, DATABASE_TLS="prefer")
    use(service)
    assert b"overheard" in relay.heard
    assert service.settings["DATABASE_PASSWORD"].encode() not in relay.heard


def test_password_is_never_readable_whatever_the_server_remembers(clear, services):
    """The first sign-in after a start of a MySQL server is another one than those that follow."""
    for _ in range(2):
        clear.root(f"ALTER USER {mariadb.USER}@'127.0.0.1' IDENTIFIED BY '{clear.password}'", "FLUSH PRIVILEGES")
        service, relay = through(clear, services, DATABASE_TLS="prefer")
        service.start()
        assert relay.heard and service.settings["DATABASE_PASSWORD"].encode() not in relay.heard
        service.stop()


def test_require_without_tls_is_refused(clear, services):
    clear.root("FLUSH PRIVILEGES")
    service, relay = through(clear, services, DATABASE_TLS="require")
    assert_refused(service, relay, "the server has no TLS")


def test_verify_without_tls_is_refused(clear, services, authority):
    service, relay = through(clear, services, DATABASE_TLS="verify", DATABASE_TLS_CA=authority.certificate)
    assert_refused(service, relay, "TLS", "SSL")


@pytest.mark.parametrize("tls", ["prefer", "require"])
def test_encrypts_with_a_certificate_of_anybodys(encrypted, services, tls):
    service, relay = through(encrypted, services, DATABASE_TLS=tls)
    use(service)
    assert relay.heard and b"overheard" not in relay.heard
    assert service.settings["DATABASE_PASSWORD"].encode() not in relay.heard


def test_verify_with_the_right_authority_and_name(encrypted, services, authority):
    service, relay = through(encrypted, services, "localhost", DATABASE_TLS="verify", DATABASE_TLS_CA=authority.certificate)
    use(service)
    assert relay.heard and b"overheard" not in relay.heard


def test_verify_refuses_another_name(encrypted, services, authority):
    service, relay = through(encrypted, services, DATABASE_TLS="verify", DATABASE_TLS_CA=authority.certificate)
    assert_refused(service, relay, "TLS", "SSL")


def test_verify_refuses_another_authority(encrypted, services, stranger):
    service, relay = through(encrypted, services, "localhost", DATABASE_TLS="verify", DATABASE_TLS_CA=stranger.certificate)
    assert_refused(service, relay, "TLS", "SSL", "certificate")


def test_verify_with_the_systems_authorities_does_not_know_ours(encrypted, services):
    service, relay = through(encrypted, services, "localhost", DATABASE_TLS="verify")
    assert_refused(service, relay, "TLS", "SSL", "certificate")


def test_authority_that_can_not_be_read_stops_the_start(encrypted, services, tmp_path):
    service, _ = through(encrypted, services, "localhost", DATABASE_TLS="verify", DATABASE_TLS_CA=tmp_path / "missing.pem")
    with pytest.raises(StartFailed) as failed:
        service.start()
    assert failed.value.code == 2 and "DATABASE_TLS_CA: " in failed.value.stderr and "missing.pem" in failed.value.stderr


GREETING = (b"\x0a8.0.40\x00" + b"\x01\x00\x00\x00" + b"saltsalt\x00" + b"\x0f\xa2" + b"\xff" + b"\x02\x00" + b"\x08\x00" + b"\x15"
            + bytes(10) + b"saltsaltsalt\x00" + b"mysql_native_password\x00")
HAND_IT_OVER = b"\xfemysql_clear_password\x00"


class Impostor:
    """Takes the server's place, without TLS, and asks for the password itself."""

    def __init__(self):
        self.heard = bytearray()
        self.asked = threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.server.accept()
                threading.Thread(target=self._talk, args=(one,), daemon=True).start()

    def _talk(self, one):
        with contextlib.suppress(OSError), one:
            one.settimeout(10)
            one.sendall(len(GREETING).to_bytes(3, "little") + b"\x00" + GREETING)
            answer = one.recv(65536)
            self.heard += answer
            if not answer:
                return
            one.sendall(len(HAND_IT_OVER).to_bytes(3, "little") + bytes([answer[3] + 1]) + HAND_IT_OVER)
            self.asked.set()
            while chunk := one.recv(65536):
                self.heard += chunk


def test_server_that_asks_for_the_password_itself_does_not_get_it(clear, services):
    impostor = Impostor()
    service = services.userauth(WORKERS=1, DATABASE_TLS="prefer")
    service.settings["DATABASE_URL"] = f"mysql://{mariadb.USER}@127.0.0.1:{impostor.port}/{service.database.name}"
    service.spawn()
    assert impostor.asked.wait(20)
    service.wait_log(event="service.waiting")
    service.kill()
    assert clear.password.encode() not in bytes(impostor.heard)

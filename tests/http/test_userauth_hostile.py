# SPDX-License-Identifier: MIT
"""Clients that mean no good, or are broken: the service answers, or closes, and goes on for everyone else."""
import concurrent.futures
import json

import pytest

from harness.errors import assert_error
from harness.programs import HASH, assert_no_secret, new_password
from harness.raw import Connection, basic, exchange, request_bytes
from harness.wait import until

USERAUTH_ENV = {"READ_TIMEOUT_S": 4, "LOG_LEVEL": "debug"}
REFUSED = (400, 408, 413, 414, 431, 501, 505)


@pytest.fixture
def auth(userauth):
    return [("Authorization", basic("them", userauth.key)), ("Content-Type", "application/json")]


@pytest.fixture(autouse=True)
def still_serves(userauth):
    """After each test: the service is the same process and answers."""
    pid = userauth.pid
    yield
    assert userauth.is_running() and userauth.pid == pid, userauth.tail()
    with userauth.api() as api:
        assert api.get("/list?limit=1").status_code == 200


def assert_refused(answer):
    """Refused, or just closed."""
    assert answer is None or answer.status in REFUSED, answer


# --- cut, slow and large ---

@pytest.mark.parametrize("sent", [0, 1, 20, 49])
def test_cut_body_makes_nothing(userauth, auth, sent):
    body = json.dumps({"username": "cutoff", "provider": "x", "familyName": "x" * 20}).encode()
    request = request_bytes("POST", "/create-user", auth, body)
    with Connection(userauth.port) as connection:
        connection.send(request[:len(request) - len(body) + sent])
    with userauth.api() as api:
        until(lambda: api.get("/healthz").status_code == 200, "health")
        assert api.get("/find/cutoff").status_code == 404


def test_body_shorter_than_announced_is_not_taken(userauth, auth):
    with Connection(userauth.port) as connection:
        connection.send(request_bytes("POST", "/create-user", auth + [("Content-Length", "500")],
                                      b'{"username":"shorter","provider":"x"}'))
        answer = connection.answer()  # READ_TIMEOUT_S ends it
        assert answer is None or answer.status == 408
    with userauth.api() as api:
        assert api.get("/find/shorter").status_code == 404


def test_slow_body_hinders_nobody_and_is_taken_when_it_arrives_in_time(services):
    service = services.userauth(WORKERS=2, HTTP_LOOPS=1, READ_TIMEOUT_S=60).start()
    headers = [("Authorization", basic("them", service.key)), ("Content-Type", "application/json")]
    slow = []
    for number in range(40):
        body = json.dumps({"username": f"slow{number}", "provider": "x"}).encode()
        request = request_bytes("POST", "/create-user", headers, body)
        slow.append((Connection(service.port), request[-10:]))
        slow[-1][0].send(request[:-10])
    api = service.api()
    for number in range(50):
        assert api.get("/list").status_code == 200
    for connection, rest in slow:
        for byte in rest:
            connection.send(bytes([byte]))
    for connection, _ in slow:
        assert connection.answer().status == 200
        connection.close()
    assert len(api.get("/list").json()) == 40


@pytest.mark.parametrize("start", [b"", b"G", b"GET /list HTTP/1.1\r\n", b"GET /list HTTP/1.1\r\nHost: x\r\nX-Slow: ",
                                   b"POST /create-user HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"])
def test_request_that_never_ends_is_ended_by_the_service(services, start):
    service = services.userauth(READ_TIMEOUT_S=1, IDLE_TIMEOUT_S=2).start()
    with Connection(service.port, timeout_s=40) as connection:
        connection.try_send(start)
        answer = connection.answer()
        assert answer is None or answer.status == 408, answer
        assert answer is None or connection.is_closed()


def test_byte_by_byte_request_is_ended_too(services):
    """A client that always sends a little must not hold a connection for ever."""
    service = services.userauth(READ_TIMEOUT_S=1, IDLE_TIMEOUT_S=2).start()
    with Connection(service.port, timeout_s=0.2) as connection:
        connection.send(b"GET /list HTTP/1.1\r\nHost: x\r\nX-Slow: ")

        def ended():
            return not connection.try_send(b"a") or connection.is_closed()

        until(ended, "closed by the service", 40)


@pytest.mark.parametrize("size", [33_000, 65_536, 1_000_000])
def test_huge_header_is_refused(userauth, auth, size):
    assert_refused(exchange(userauth.port, "GET", "/list", auth + [("X-Big", "x" * size)]))


def test_many_headers_of_64_kib_in_all_are_refused(userauth, auth):
    assert_refused(exchange(userauth.port, "GET", "/list", auth + [(f"X-{n}", "x" * 64) for n in range(1_000)]))


@pytest.mark.parametrize("header", ["Authorization", "Content-Type", "X-Request-Id", "Host", "Cookie"])
def test_64_kib_in_a_known_header_are_refused(userauth, header):
    assert_refused(exchange(userauth.port, "GET", "/list", [(header, "x" * 65_536)]))


def test_headers_of_some_kib_are_fine(userauth, auth):
    assert exchange(userauth.port, "GET", "/list", auth + [("X-Big", "x" * 8_000)]).status == 200


@pytest.mark.parametrize("size", [9_000, 65_536, 1_000_000])
def test_huge_target_is_refused(userauth, auth, size):
    assert_refused(exchange(userauth.port, "GET", "/find/" + "a" * size, auth))


def test_body_beyond_what_is_drained_ends_the_connection(userauth, auth):
    with Connection(userauth.port) as connection:
        size = 64 * 1024 * 1024
        connection.send(request_bytes("POST", "/create-user", auth + [("Content-Length", str(size))], b""))
        block = b" " * 1_000_000
        for _ in range(64):
            if not connection.try_send(block):
                break
        answer = connection.answer()
        assert answer is None or answer.status == 413
        assert connection.is_closed()


# --- broken HTTP ---

@pytest.mark.parametrize("value", ["-1", "abc", "1e3", "0x10", "99999999999999999999999", "5, 6", "", "+5", "18446744073709551616"])
def test_broken_content_length_is_refused(userauth, auth, value):
    with Connection(userauth.port) as connection:
        connection.send(request_bytes("POST", "/create-user", auth + [("Content-Length", value)], b"{}"))
        answer = connection.answer()
        assert answer is None or 400 <= answer.status < 500, answer


def test_two_content_lengths_are_no_way_to_smuggle(userauth, auth):
    inner = request_bytes("DELETE", "/destroy/smuggled", auth)
    with userauth.api() as api:
        api.post("/find-or-create", json={"username": "smuggled", "provider": "x"})
        with Connection(userauth.port) as connection:
            connection.send(request_bytes("POST", "/password-check",
                                          auth + [("Content-Length", "2"), ("Content-Length", str(2 + len(inner)))],
                                          b"{}" + inner))
            connection.answer()
        answer = api.get("/find/smuggled")
        assert answer.status_code == 200


@pytest.mark.parametrize("data", [
    b"\r\n\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET /list\r\n\r\n", b"GET /list HTTP/9.9\r\n\r\n",
    b"GET /list HTTP/1.1\r\nno colon here\r\nHost: x\r\n\r\n", b"GET  /list  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil.example/list HTTP/1.1\r\nHost: x\r\n\r\n", b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 200,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\0list HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff\xfe" * 500 + b"\r\n\r\n",
    b"GET /list HTTP/1.1\r\n Host: folded\r\n\r\n", b"get /list http/1.1\r\n\r\n", b"GET /list HTTP/1.1\r\n\r\n",
    b"POST /create-user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"POST /create-user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    b"POST /create-user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    b"POST /create-user HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 2\r\n\r\n{}",
])
def test_broken_request_is_refused_or_dropped(userauth, data):
    with Connection(userauth.port, timeout_s=20) as connection:
        connection.try_send(data)
        answer = connection.answer()
        assert answer is None or 400 <= answer.status < 500 or answer.status in (501, 505), answer


def test_pipelined_requests_are_answered_in_order(userauth, auth):
    with Connection(userauth.port) as connection:
        ids = [f"pipe-{number}" for number in range(10)]
        connection.send(b"".join(request_bytes("GET", "/list?limit=1", auth + [("X-Request-Id", name)]) for name in ids))
        assert [connection.answer().header("x-request-id") for _ in ids] == ids


def test_connection_is_kept_after_refusals(userauth, auth):
    with Connection(userauth.port) as connection:
        for path, status in (("/nothing", 404), ("/list?limit=0", 400), ("/find/nobody", 404), ("/list", 200)):
            connection.send(request_bytes("GET", path, auth))
            assert connection.answer().status == status


def test_hundred_thousand_bytes_of_garbage_on_many_connections(userauth):
    def attack(number):
        with Connection(userauth.port, timeout_s=20) as connection:
            connection.try_send(bytes((number * 31 + index * 7) % 256 for index in range(100_000)))
            connection.answer()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(attack, range(32)))


# --- what must not come out ---

def test_nothing_secret_is_in_answers_or_logs(services):
    """Passwords in every place where one can be typed by mistake, right and wrong, with debug logging."""
    service = services.userauth(LOG_LEVEL="debug").start()
    api, password = service.api(), new_password("secretpw")
    answers = [
        api.post("/create-user", json={"username": "careful", "password": password}),
        api.post("/create-user", json={"username": "careful", "password": password}),
        api.post("/create-user", json={"username": "c2", "password": [password]}),
        api.post("/create-user", data=b'{"password":"' + password.encode() + b'",', headers={"Content-Type": "application/json"}),
        api.post("/create-user", data=password.encode(), headers={"Content-Type": "application/json"}),
        api.post("/create-user", json={"username": "c3", "password": password, "plainPassword": password}),
        api.post("/create-user", json={"username": "c4", "password": "$2b$99$" + password}),
        api.post("/find-or-create", json={"username": "c5", "plainPassword": password * 60}),
        api.post("/update-user/careful", json={"plainPassword": password, "username": "other"}),
        api.post("/update-user/careful", json={"plainPassword": password}),
        api.post("/update-user/nobody", json={"password": password}),
        api.check("careful", password), api.check("careful", password + "x"), api.check("nobody", password),
        api.check("careful", password * 60),
        api.get("/find/careful"), api.get("/list"),
    ]
    for _ in range(6):
        answers.append(api.check("careful", password + "y"))
    wrong = service.api(key=password)
    answers.append(wrong.get("/list"))
    for answer in answers:
        assert_no_secret(answer.text + str(answer.headers))
        assert answer.status_code < 500
    service.stop()
    printed = service.stdout_text() + service.stderr_text()
    assert printed.count("\n") > len(answers)
    assert_no_secret(printed)
    assert not HASH.search(printed)
    assert service.key not in printed


def test_user_text_cannot_forge_a_log_line(services):
    service = services.userauth(LOG_LEVEL="debug").start()
    api = service.api()
    evil = 'x"},"event":"forged.line'
    api.check(evil, "wrong", 'c"\\ \u2028 {"event":"forged.line"}')
    api.get("/find/" + "a%0A%7B%22event%22%3A%22forged.line%22%7D")
    api.get("/list", headers={"X-Request-Id": '","event":"forged.line'})
    api.get("/nothing%0A%7B%22event%22%3A%22forged.line%22%7D")
    service.stop()
    assert service.log_lines() != []
    assert service.log_lines(event="forged.line") == []


def test_text_log_keeps_terminal_codes_out(services):
    service = services.userauth(LOG_LEVEL="debug", LOG_FORMAT="text").start()
    api = service.api()
    api.check("plain", "wrong", "\u009b31m-c1-code")
    api.get("/find/%1B%5B2J")
    api.get("/%1B%5B2J", headers={"X-Request-Id": "seen"})
    service.stop()
    text = service.stdout_text()
    assert "\x1b[2J" not in text and "\u009b" not in text


def test_no_answer_speaks_of_the_inside(userauth, api):
    for body in ({"username": "x'", "password": "'"}, {"username": "x\\", "password": "--"}, {"username": "x;", "provider": "';"}):
        for path in ("/create-user", "/find-or-create", "/password-check", "/update-user/x'"):
            answer = api.post(path, json=body)
            assert answer.status_code < 500
            if answer.status_code >= 400:
                assert_error(answer, answer.status_code)
    answer = api.get("/healthz")
    for name in ("Server", "X-Powered-By"):
        assert name not in answer.headers

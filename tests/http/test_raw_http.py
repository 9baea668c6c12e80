# SPDX-License-Identifier: MIT
"""What only a hand-made client sends: malformed, doubtful and unusual HTTP/1 messages.

The rule for everything doubtful is RFC 9112: one reading, or a refusal. A second answer to what was one request, or
a request that is answered from another path than its own, would let one visitor speak in another's name behind a proxy.
"""

import pytest

from harness.raw import Connection


@pytest.fixture(scope="module")
def port(site):
    return site.notes.port


def exchange(port, payload, count=1, methods=("GET",)):
    """Sends exactly `payload` and reads up to `count` answers. Returns (answers, whether the peer closed)."""
    with Connection(port) as connection:
        connection.try_send(payload)
        answers = []
        while len(answers) < count:
            answer = connection.answer(methods[min(len(answers), len(methods) - 1)])
            if answer is None:
                return answers, True
            answers.append(answer)
        return answers, False


def still_serves(port):
    """After any of this the next visitor is served."""
    answers, _ = exchange(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answers[0].status == 200


def refused(port, payload, statuses=(400,)):
    """The request gets one refusal (or just the end of the connection), and nothing else is read from it."""
    answers, closed = exchange(port, payload, count=2)
    assert closed, f"the connection stays open after {payload[:80]!r}"
    assert len(answers) <= 1, f"{payload[:80]!r} got {len(answers)} answers"
    for answer in answers:
        assert answer.status in statuses
    still_serves(port)


MALFORMED = {
    "no request line": b"\r\n\r\n\r\n\r\nnonsense\r\n\r\n",
    "one word": b"GARBAGE\r\n\r\n",
    "binary": bytes(range(128, 256)) + b"\r\n\r\n",
    "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    "header without colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon here\r\nConnection: close\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Thing : 1\r\nConnection: close\r\n\r\n",
    "nul in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Thing: a\x00b\r\nConnection: close\r\n\r\n",
    "nul in the path": b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "method with a bracket": b"G(T / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("line", range(4))
def test_head_line_that_is_ended_by_lf_alone_is_refused(port, line):
    """A proxy that ends lines otherwise would see other fields than we do. The last line is the empty one."""
    lines = [b"GET /healthz HTTP/1.1", b"Host: localhost", b"X-Thing: 1", b""]
    refused(port, b"".join(text + (b"\n" if number == line else b"\r\n") for number, text in enumerate(lines)) + SMUGGLED)


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_message_is_refused(port, name):
    """None of these is a request that a browser or proxy sends; none may be read as a page view."""
    answers, _ = exchange(port, MALFORMED[name], count=1)
    assert all(answer.status in (400, 404, 405, 501) for answer in answers), [a.status for a in answers]
    still_serves(port)


def test_http_2_preface_and_unknown_versions_are_refused(port):
    for line in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n"):
        answers, _ = exchange(port, line)
        assert all(answer.status in (400, 404, 405, 501, 505) for answer in answers)
    still_serves(port)


def login_post(*extra, body=b"username=me&password=x"):
    lines = [b"POST /users/login HTTP/1.1", b"Host: localhost", b"Content-Type: application/x-www-form-urlencoded"]
    return b"\r\n".join(lines + list(extra)) + b"\r\n\r\n" + body


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_two_different_content_lengths_are_refused(port):
    refused(port, login_post(b"Content-Length: 22", b"Content-Length: 0") + SMUGGLED)
    refused(port, login_post(b"Content-Length: 0", b"Content-Length: 22") + SMUGGLED)


def test_list_of_content_lengths_is_refused(port):
    refused(port, login_post(b"Content-Length: 22, 0") + SMUGGLED)


@pytest.mark.parametrize("value", [b"-1", b"+22", b"0x16", b"22 2", b"abc", b"", b"18446744073709551617",
                                   b"99999999999999999999999999"])
def test_content_length_that_is_no_number_is_refused(port, value):
    refused(port, login_post(b"Content-Length: " + value) + SMUGGLED, statuses=(400, 413))


def test_content_length_with_transfer_encoding_is_one_message_at_most(port):
    """RFC 9112 6.1: refuse it, or go by the chunks and close. A second answer is request smuggling."""
    chunked = b"0\r\n\r\n"
    for extra in ([b"Content-Length: 5", b"Transfer-Encoding: chunked"],
                  [b"Transfer-Encoding: chunked", b"Content-Length: 5"]):
        payload = login_post(*extra, body=chunked + SMUGGLED)
        answers, closed = exchange(port, payload, count=2)
        assert closed
        assert len(answers) <= 1
        assert all(answer.status == 400 for answer in answers)
    still_serves(port)


@pytest.mark.parametrize("coding", [b"xchunked", b"gzip, chunked", b"chunked, identity", b"identity",
                                    b"chunked, chunked"])
def test_transfer_coding_that_is_not_just_chunked_is_refused(port, coding):
    payload = login_post(b"Transfer-Encoding: " + coding, body=b"0\r\n\r\n" + SMUGGLED)
    refused(port, payload, statuses=(400, 501))


@pytest.mark.parametrize("chunks", [b"zz\r\nab\r\n0\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\nab\r\n0\r\n\r\n",
                                    b"2\r\nabXX0\r\n\r\n"])
def test_malformed_chunks_are_refused(port, chunks):
    refused(port, login_post(b"Transfer-Encoding: chunked", body=chunks) + SMUGGLED, statuses=(400, 413))


def test_chunked_body_is_read_as_a_form(port):
    body = b"b\r\nusername=me\r\nb\r\n&password=x\r\n0\r\n\r\n"
    answers, _ = exchange(port, login_post(b"Transfer-Encoding: chunked", b"Connection: close", body=body))
    assert answers[0].status == 302
    assert answers[0].header("Location") == "login"


def test_two_hosts_are_refused(port):
    refused(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: other.example\r\n\r\n")


def test_host_is_needed_in_http_1_1(port):
    refused(port, b"GET / HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize("host", [b"local host", b"a/b", b"user@host", b"a,b", b"<script>"])
def test_host_that_is_no_host_is_refused(port, host):
    answers, _ = exchange(port, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    assert all(answer.status == 400 for answer in answers)
    still_serves(port)


def test_http_1_0_needs_no_host_and_ends_the_connection(port):
    answers, closed = exchange(port, b"GET /healthz HTTP/1.0\r\n\r\n", count=2)
    assert closed
    assert [answer.status for answer in answers] == [200]
    assert answers[0].header("Transfer-Encoding") is None, "HTTP/1.0 has no chunks"


def test_absolute_form_is_taken_as_its_path(port):
    """RFC 9112 3.2.2: a server must accept it."""
    request = b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers, _ = exchange(port, request)
    assert answers[0].status == 200
    assert b'"ok"' in answers[0].body


def test_authority_and_asterisk_forms_are_no_pages(port):
    for line in (b"CONNECT localhost:443 HTTP/1.1", b"OPTIONS * HTTP/1.1"):
        answers, _ = exchange(port, line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert all(answer.status in (400, 404, 405, 501) for answer in answers)
    still_serves(port)


def path_status(port, path):
    answers, _ = exchange(port, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answers, f"no answer for {path!r}"
    return answers[0]


TRICKS = [
    b"/notes%2Fview?key=a", b"/notes%2fadd", b"//users/login", b"/users//login", b"/users/login/", b"/./users/login",
    b"/users/./login", b"/notes/../users/login", b"/notes/%2e%2e/users/login", b"/notes/..%2fusers/login",
    b"/users/login%00", b"/users/login%20", b"/users/login;a=b", b"/users/login%3fx", b"/users\\login",
    b"/Users/Login", b"/USERS/LOGIN", b"/assets/../users/login", b"/assets/%2e%2e/%2e%2e/etc/passwd",
    b"/assets/..%2f..%2fetc%2fpasswd", b"/assets/....//etc/passwd", b"/assets//etc/passwd", b"/assets/", b"/assets",
    b"/%ff%fe", b"/%zz", b"/%", b"/users/login%", b"/notes", b"/notes/", b"/users", b"/healthz/", b"/index.html",
    b"/.git/config", b"/var/notes.sqlite",
]


@pytest.mark.parametrize("path", TRICKS)
def test_paths_are_exact(port, path):
    """A path is one of the route table, byte by byte, or it is not found; it never means another path."""
    answer = path_status(port, path)
    assert answer.status in (400, 404), f"{path!r} answered {answer.status}"
    assert b"root:" not in answer.body


def test_question_mark_without_query_is_the_same_page(port):
    assert path_status(port, b"/users/login?").status == 200


def test_fragment_and_spaces_in_the_target_are_no_page_of_another_path(port):
    for path in (b"/healthz#x", b"/health z"):
        assert path_status(port, path).status in (400, 404)


def test_pipelined_requests_are_answered_in_their_order(port):
    first = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    second = b"GET /users/login HTTP/1.1\r\nHost: localhost\r\n\r\n"
    third = b"GET /no-such-page HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answers, _ = exchange(port, first + second + third, count=3)
    assert [answer.status for answer in answers] == [200, 200, 404]
    assert b'"ok"' in answers[0].body
    assert b'name="password"' in answers[1].body


def test_pipelined_request_after_a_form_is_its_own_request(port):
    form = login_post(b"Content-Length: 22")
    answers, _ = exchange(port, form + SMUGGLED, count=2, methods=("POST", "GET"))
    assert [answer.status for answer in answers] == [302, 200]
    assert b'"ok"' in answers[1].body


def test_keep_alive_serves_many_requests_on_one_connection(port):
    with Connection(port) as connection:
        for _ in range(20):
            connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = connection.answer()
            assert answer is not None and answer.status == 200


def test_head_has_the_headers_of_get_and_no_body(port):
    get, _ = exchange(port, b"GET /users/login HTTP/1.1\r\nHost: localhost\r\n\r\n")
    both = b"HEAD /users/login HTTP/1.1\r\nHost: localhost\r\n\r\n" + SMUGGLED
    head, _ = exchange(port, both, count=2, methods=("HEAD", "GET"))
    assert head[0].status == 200
    assert head[0].header("Content-Length") == get[0].header("Content-Length")
    assert head[0].header("Content-Type") == get[0].header("Content-Type")
    assert b'"ok"' in head[1].body


def test_expect_continue_is_answered_before_the_body(port):
    """A client with a big body may wait for the 100 and would hang without it."""
    with Connection(port) as connection:
        connection.send(login_post(b"Content-Length: 22", b"Expect: 100-continue", b"Connection: close", body=b""))
        first = connection.socket.recv(65536)
        assert first.startswith(b"HTTP/1.1 100")
        connection.send(b"username=me&password=x")
        assert connection.answer("POST").status == 302


def test_request_in_single_bytes_is_a_request(port):
    with Connection(port) as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":
            connection.send(bytes([byte]))
        assert connection.answer().status == 200


def test_client_that_leaves_in_the_middle_harms_nobody(port):
    for payload in (b"GET / HT", b"GET / HTTP/1.1\r\nHost: loc", login_post(b"Content-Length: 5000"),
                    login_post(b"Transfer-Encoding: chunked", body=b"ff\r\nuser")):
        with Connection(port) as connection:
            connection.send(payload)
    still_serves(port)


def test_body_on_get_does_not_become_the_next_request(port):
    """The body belongs to the GET: it is dropped, or the connection ends; it is never read as a request."""
    hidden = b"GET /users/login HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    answers, _ = exchange(port, request + hidden + SMUGGLED, count=2)
    assert answers[0].status in (200, 400, 413)
    assert all(b'name="password"' not in answer.body for answer in answers)
    still_serves(port)


def test_unknown_method_on_a_page_is_405_with_allow(port):
    for method in (b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"PROPFIND", b"get"):
        request = method + b" /users/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answers, _ = exchange(port, request)
        assert answers[0].status == 405, method
        allowed = {name.strip() for name in answers[0].header("Allow").split(",")}
        assert allowed == {"GET", "HEAD", "POST"}


def test_no_header_of_the_answer_repeats_what_was_sent(port):
    """A line end in a query or path never becomes a header of the answer."""
    for path in (b"/notes/view?key=a%0d%0aX-Evil:%201", b"/no%0d%0aX-Evil:%201", b"/notes/add?x=%0d%0aX-Evil:%201"):
        answer = path_status(port, path)
        assert "x-evil" not in {name for name, _ in answer.headers}


@pytest.mark.parametrize("value", [b"a", b"=", b"a=", b'a="', b'"', b'a="b', b'a="b"', b"a=b;", b";;;", b"a=\xff",
                                   b"a=b,c", b"a=b=c"])
def test_odd_cookie_gets_one_whole_answer(port, value):
    """Other programs on this host set cookies too; whatever they hold, the page comes, once."""
    with Connection(port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: " + value + b"\r\n\r\n")
        answer = connection.answer()
        assert answer.status in (200, 400)
        assert answer.body.count(b"HTTP/1.1") == 0
        assert connection.is_closed()


def test_slow_reader_gets_the_whole_page(port):
    with Connection(port) as connection:
        connection.send(b"GET /users/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        data = b""
        while True:
            part = connection.socket.recv(97)
            if not part:
                break
            data += part
        assert data.rstrip().endswith(b"</html>")


def test_connection_close_is_honoured(port):
    with Connection(port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.is_closed()

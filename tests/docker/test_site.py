# SPDX-License-Identifier: MIT
"""The site as people use it, through the edge's port, with three replicas behind it."""
import contextlib
import re
import select
import socket
import time
import uuid

import pytest
import requests

from harness import raw
from harness.browser import Browser
from harness.client import Client, browser_session, read_page
from harness.live import Live, Raw
from harness.wait import until
from notes_verbs import check_page, comment, create_note, edit_note, error_page, note_titles, shown_comments, view_path
from rounds import messages, view, whole_round

REPLICAS = 3
TRIES_COUNT = 30
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def site(deployment):
    deployment.up("--no-recreate", replicas=REPLICAS)
    deployment.wait_healthy("svc-notes", REPLICAS)
    yield deployment
    deployment.up("--no-recreate", replicas=1)
    deployment.wait_healthy("svc-notes", 1)


@pytest.fixture(scope="module")
def me(site):
    return site.sign_in("me")


@pytest.fixture
def browser(site, me, tmp_path):
    one = Browser(site, tmp_path / "profile")
    yield one
    one.driver.quit()


def replicas_of(site, request_ids):
    """{request id: the container that has answered it}; None while a log does not say so yet of one of them."""
    found = {line["req_id"]: one.id for one in site.containers("svc-notes") for line in one.log_lines(event="http.request_done")
             if line.get("req_id") in request_ids}
    return found if len(found) == len(request_ids) else None


def new_id():
    return f"test-{uuid.uuid4().hex}"


def at_all_replicas(site, ask):
    """Calls ask(request id) until each replica has answered one; {container: what ask returned}."""
    answers = {}
    for _ in range(TRIES_COUNT):
        asked = {number: ask(number) for number in (new_id() for _ in range(REPLICAS * 2))}
        for number, replica in until(lambda: replicas_of(site, asked), "lines of the logs").items():  # noqa: B023
            answers.setdefault(replica, asked[number])
        if len(answers) == REPLICAS:
            return answers
    raise AssertionError(f"only {len(answers)} of {REPLICAS} replicas are ever asked")


# --- people ---

def test_a_note_is_written_changed_commented_and_destroyed(site, me):
    create_note(me, "life", "Its title", "Its *text*")
    edit_note(me, "life", title="Another title")
    comment(me, "life", "a comment")
    stranger = Client(site.url)
    page = check_page(stranger.html(view_path("life")))
    assert page.text("notetitle") == "Another title"
    assert [item.first(class_="comment-text").text for item in shown_comments(page).values()] == ["a comment"]
    assert ("life", "Another title") in note_titles(stranger.html("/"))
    assert me.post("/notes/destroy/confirm", {"notekey": "life"}).status_code == 302
    error_page(me.get(view_path("life")), 404)

    def ask(request_id):
        return stranger.get(view_path("life"), headers={"X-Request-Id": request_id}).status_code

    until(lambda: set(at_all_replicas(site, ask).values()) == {404}, "strangers are told so at all replicas, which may keep the page")


def test_a_login_at_one_replica_is_valid_at_all(site, me):
    def ask(request_id):
        client = browser_session(site)
        client.http.cookies.update(me.http.cookies)
        return client.get("/notes/add", headers={"X-Request-Id": request_id}).status_code

    assert set(at_all_replicas(site, ask).values()) == {200}


def test_a_logout_is_one_at_all_replicas(site):
    leaver = site.sign_in("leaver")
    cookies = dict(leaver.http.cookies)
    assert leaver.logout().status_code == 302

    def ask(request_id):
        return requests.get(site.url + "/notes/add", cookies=cookies, headers={"X-Request-Id": request_id}, allow_redirects=False,
                            timeout=30).status_code

    assert set(at_all_replicas(site, ask).values()) == {302}


def test_a_comment_at_one_replica_is_heard_at_all(site, me):
    create_note(me, "heard")

    def ask(request_id):
        live = Raw(site.url, headers=[f"X-Request-Id: {request_id}"])
        live.join(key="heard")
        return live

    lives = list(at_all_replicas(site, ask).values())
    for one in lives:  # the state of the note, which has no revision in common with a page
        while one.event()[1] != "snapshot":
            pass
        one.settle()
    made = comment(me, "heard", "to all of you")
    for one in lives:
        _, name, data = one.event()
        assert (name, data["id"], data["message"]) == ("newmessage", made["id"], "to all of you")
        one.socket.shutdown()


def test_the_official_client_hears_a_comment_through_the_edge(site, me):
    create_note(me, "official")
    with Live(site.url, cookie=me.session_cookie, notes={"key": "official"}) as live:
        assert live.call("create-message", {"message": "said by the socket"}) == "ok"
        assert live.wait("newmessage")["message"] == "said by the socket"
        comment(me, "official", "said by the form")
        assert live.wait("newmessage", 2)["message"] == "said by the form"


def test_the_whole_round_in_a_browser(browser):
    whole_round(browser, "round", True)
    assert browser.complaints() == []


def test_a_comment_appears_in_an_open_browser(site, browser, me):
    create_note(me, "open")
    browser.open(view("open"))
    browser.idle()
    comment(me, "open", "it comes by itself")
    browser.until(lambda: any("it comes by itself" in text for text in messages(browser)), "the comment")
    assert browser.complaints() == []


# --- whose address ---

def test_the_clients_address_reaches_the_log_whatever_a_client_says_of_itself(site, elsewhere):
    """From another machine: what comes by this machine's loopback has lost its address in the engine."""
    request_id = new_id()
    with elsewhere.network():
        answer = requests.get(f"http://{elsewhere.gateway}:{site.port}/", timeout=30, headers={
            "X-Forwarded-For": "198.51.100.7", "X-Real-IP": "198.51.100.7", "Forwarded": "for=198.51.100.7", "X-Request-Id": request_id})
    assert answer.status_code == 200
    until(lambda: replicas_of(site, {request_id}), "the log")
    lines = [line for one in site.containers("svc-notes") for line in one.log_lines(event="http.request_done", req_id=request_id)]
    assert [line["peer"] for line in lines] == [elsewhere.address]
    lines = until(lambda: site.one("edge").log_lines(event="http.request", req_id=request_id), "the edge's log")
    assert [line["client"] for line in lines] == [elsewhere.address]


def test_failed_logins_are_limited_by_the_clients_address_over_all_replicas(site, elsewhere):
    """Ten a minute: in each 6 s that it takes here, one more."""
    def fail(url, number):
        return Client(url).post("/users/login", {"username": f"nobody{number}", "password": "x"},
                                headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code

    begun = time.monotonic()
    with elsewhere.network():
        statuses = [fail(f"http://{elsewhere.gateway}:{site.port}", number) for number in range(20)]
    more = int((time.monotonic() - begun) / 6)
    assert statuses[:10] == [302] * 10 and set(statuses[10:]) <= {302, 429}
    assert statuses.count(302) <= 10 + more
    assert fail(site.url, 0) == 302, "another address is limited too"


# --- what a proxy must get right ---

def test_a_body_that_is_too_large_gets_the_services_own_page(site, me):
    """The form again, with what was typed."""
    body = "x" * (3 * MIB)
    answer = me.post("/notes/save", {"docreate": "create", "notekey": "large", "title": "T", "body": body})
    assert answer.status_code == 413
    page = check_page(read_page(answer))
    assert page.first(role="alert").text.strip()
    assert page.form("/notes/save").fields()["body"] == body


def test_a_body_beyond_all_measure_is_refused_at_its_head(site):
    with raw.Connection(site.port) as connection:
        connection.send(b"POST /notes/save HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                        b"Content-Length: 999999999\r\n\r\n")
        assert connection.answer().status == 413


def head(*fields):
    return b"POST /notes/comment HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n" + b"".join(
        field + b"\r\n" for field in fields) + b"\r\n"


SMUGGLED = b"GET /smuggled-%s HTTP/1.1\r\nHost: x\r\n\r\n"
TRICKS = {
    "two lengths": (head(b"Content-Length: 3", b"Content-Length: 4"), b"a=bc"),
    "a length that is none": (head(b"Content-Length: +3"), b"a=b"),
    "chunked twice": (head(b"Transfer-Encoding: chunked, chunked"), b"0\r\n\r\n"),
    "another coding after chunked": (head(b"Transfer-Encoding: chunked, identity"), b"0\r\n\r\n"),
    "a space before the colon": (head(b"Transfer-Encoding : chunked"), b"0\r\n\r\n"),
    "a bad chunk size": (head(b"Transfer-Encoding: chunked"), b"0x1\r\na\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("name", TRICKS)
def test_a_request_of_two_readings_is_refused(site, name):
    with raw.Connection(site.port) as connection:
        connection.send(b"".join(TRICKS[name]))
        answer = connection.answer()
        assert answer is None or answer.status == 400, answer
        assert connection.is_closed()


def test_a_length_beside_chunks_smuggles_nothing_in(site):
    """The chunks count, for the edge and for the service; what comes after them is refused with the connection."""
    mark = uuid.uuid4().hex.encode()
    with raw.Connection(site.port) as connection:
        body = b"3\r\na=b\r\n0\r\n\r\n" + SMUGGLED % mark
        connection.send(head(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked") + body)
        assert connection.answer().status in (302, 400, 403)
        assert connection.is_closed()
    assert Client(site.url).get(f"/after-{mark.decode()}").status_code == 404
    until(lambda: f"/after-{mark.decode()}" in site.one("edge").logs(), "the log of the edge")
    assert f"/smuggled-{mark.decode()}" not in site.one("edge").logs()


def test_pages_of_strangers_are_compressed_and_pages_with_a_form_token_are_not(site, me):
    packed = {"Accept-Encoding": "gzip"}
    stranger = Client(site.url)
    page = stranger.get("/", headers=packed)
    assert page.headers.get("Content-Encoding") == "gzip"
    asset = read_page(page).first("link", rel="stylesheet")["href"]
    assert stranger.get(asset, headers=packed).headers.get("Content-Encoding") == "gzip"
    assert me.get(asset, headers=packed).headers.get("Content-Encoding") == "gzip"
    assert "Content-Encoding" not in me.get("/notes/add", headers=packed).headers


def test_no_cookie_of_a_neighbour_hides_from_the_edge_who_is_signed_in(site, me):
    """A quote begins a value that holds semicolons, as the edge reads cookies; the service and browsers read it otherwise."""
    for planted in ('a="', 'a="\\', "a=1,"):
        cookies = f"{planted}; notescookie.sid={me.session_cookie}"
        headers = {"Cookie": cookies, "Accept-Encoding": "gzip"}
        answer = requests.get(site.url + "/notes/add", headers=headers, allow_redirects=False, timeout=30)
        assert answer.status_code == 200 and "Content-Encoding" not in answer.headers


def test_an_address_has_so_many_requests_at_once_and_live_sockets_beside_them(site):
    """A request that waits for its body holds a connection of a replica, of which two addresses could have had all."""
    head = b"POST /notes/save HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n"
    with contextlib.ExitStack() as stack:
        senders = [stack.enter_context(socket.create_connection(("127.0.0.1", site.port))) for _ in range(300)]
        for sender in senders:
            sender.sendall(head)

        def told():
            return select.select(senders, [], [], 0)[0]

        until(lambda: len(told()) >= 300 - 256, "those beyond 256 are told")
        assert told()[0].recv(64).startswith(b"HTTP/1.1 503 ") and len(told()) < 150
        with Raw(site.url):
            pass
    until(lambda: requests.get(site.url + "/healthz", timeout=30).status_code == 200, "requests are served again")


def test_every_replica_has_served_people(site, me):
    for _ in range(REPLICAS * 4):
        assert me.get("/").status_code == 200
    counts = {one.name: len([line for line in one.log_lines(event="http.request_done") if line["route"] not in ("/readyz", "/healthz")])
              for one in site.containers("svc-notes")}
    print("requests served:", counts)
    assert len(counts) == REPLICAS and min(counts.values()) > 0


def test_without_a_replica_the_edge_says_so_in_its_own_words(site):
    replicas = site.containers("svc-notes")
    site.engine.docker("stop", *(one.id for one in replicas))
    try:
        answer = requests.get(site.url + "/notes/add", timeout=30)
        page = read_page_of_the_edge(answer)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        assert page.first("h1").text == "Notes will be back in a moment"
        assert re.search(r"default-src 'none'", answer.headers["Content-Security-Policy"])
    finally:
        site.engine.docker("start", *(one.id for one in replicas))
    site.wait_healthy("svc-notes", REPLICAS)
    until(lambda: requests.get(site.url, timeout=30).status_code == 200, "the site is back")


def read_page_of_the_edge(answer):
    page = read_page(answer)
    assert page.first("main").all("a"), "no way on"
    return page

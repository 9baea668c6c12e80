# SPDX-License-Identifier: MIT
"""What notes-svc does while userauth-svc is away, slow, or refuses our key."""

import concurrent.futures
import itertools
import signal
import threading
import time

import pytest

from harness import kept_sessions
from harness.client import Client
from harness.client import browser_session as open_session
from harness.client import read_page
from harness.site import Site
from harness.wait import until
from notes_verbs import check_page, comment, create_note, edit_note, error_page, note_titles, shown_comments, view_path
from odd_service import Odd, Relay, http_answer


@pytest.fixture(scope="module")
def down(tmp_path_factory):
    """A site with a note and a signed-in client, whose userauth-svc has been killed."""
    site = Site(tmp_path_factory.mktemp("down"), {"WRITES_PER_MIN": 0, "USER_CHECK_S": 1})
    site.start()
    site.client = open_session(site, "me")
    create_note(site.client, "still-here", "Still here", "body")
    comment(site.client, "still-here", "a comment")
    site.userauth.kill()
    yield site
    site.stop()


def check_whale(answer):
    page = error_page(answer, 503)
    drawing = page.first("main").first("img")
    assert drawing is not None and drawing.get("alt"), "the drawing has no description"
    assert int(answer.headers.get("Retry-After", "1")) >= 1
    return page, drawing["src"]


def test_login_shows_the_whale(down):
    client = Client(down.url)
    answer = client.login("me", down.passwords["me"])
    page, source = check_whale(answer)
    assert not client.is_signed_in
    assert down.notes.wait_log(event="auth.service_unreachable", req_id=answer.headers["X-Request-Id"])["level"] == "error"
    drawing = client.get(source)
    assert drawing.status_code == 200
    assert drawing.headers["Content-Type"].startswith("image/")
    assert down.passwords["me"] not in page.source
    assert [node for node in page.first("main").all("a") if node.get("href") in ("/", "/users/login")]


def test_wrong_password_shows_the_whale_too(down):
    check_whale(Client(down.url).login("me", "wrong password"))


def test_login_page_itself_is_shown(down):
    check_page(Client(down.url).html("/users/login"))


def test_reading_goes_on(down):
    stranger = Client(down.url)
    assert ("still-here", "Still here") in note_titles(check_page(stranger.html("/")))
    page = check_page(stranger.html(view_path("still-here")))
    assert len(shown_comments(page)) >= 1
    error_page(stranger.get("/notes/view?key=none"), 404)


def test_signed_in_session_goes_on(down):
    client = down.client
    assert client.get("/notes/add").status_code == 200
    create_note(client, "made while it is away")
    edit_note(client, "made while it is away", body="edited while it is away")
    comment(client, "still-here", "commented while it is away")
    assert "commented while it is away" in client.html(view_path("still-here")).source


def test_logout_works(down):
    client = Client(down.url)
    value = down.client.session_cookie
    again = client.get("/notes/add", headers={"Cookie": f"notescookie.sid={value}"})
    assert again.status_code == 200
    assert client.get("/users/logout").headers["Location"] == "/"


def test_readiness_says_what_is_lost_and_stays_ready(down):
    """A lost user service must not take every replica out of service at once."""
    client = Client(down.url)

    def lost():
        answer = client.get("/readyz")
        assert answer.status_code == 200
        body = answer.json()
        assert body["status"] == "ready" and body["dependencies"]["database"] == "ok"
        return body["dependencies"]["userauth"] != "ok"

    until(lost, "/readyz says that userauth is lost", 30)
    assert client.get("/healthz").status_code == 200


def test_service_starts_without_the_user_service(services):
    notes = services.notes(None, USER_SERVICE_URL="http://127.0.0.1:9",
                           USER_SERVICE_KEY="a key that nobody has").start()
    check_page(Client(notes.url).html("/"))
    check_whale(Client(notes.url).login("me", "x"))


def test_it_comes_back_by_itself(services):
    userauth = services.userauth().start()
    with userauth.api() as api:
        api.create("me", "a password for me")
    notes = services.notes(userauth).start()
    userauth.kill()
    check_whale(Client(notes.url).login("me", "a password for me"))
    userauth.start()
    client = Client(notes.url)
    until(lambda: client.login("me", "a password for me").status_code == 302, "login works again", 30)
    assert client.is_signed_in


def test_refused_key_is_a_whale_and_an_error_in_the_log(services):
    userauth = services.userauth().start()
    with userauth.api() as api:
        api.create("me", "a password for me")
    notes = services.notes(userauth, USER_SERVICE_KEY="not the key of this service").start()
    page, _ = check_whale(Client(notes.url).login("me", "a password for me"))
    assert "not the key of this service" not in page.source
    assert until(lambda: [line for line in notes.log_lines() if line.get("level") == "error"], "an error line")
    assert "not the key of this service" not in notes.stdout_text() + notes.stderr_text()


def test_refused_key_is_told_until_the_right_one_is_in_the_file(services, tmp_path):
    """/readyz says "refused", which is not "lost"; the log says it once. The key in STATE_DIR is read anew: no restart."""
    userauth = services.userauth(tmp_path / "users").start()
    password = "a password for me"
    with userauth.api() as api:
        api.create("me", password)
    path = tmp_path / "notes" / "userauth.key"
    path.parent.mkdir(mode=0o700)
    path.write_text("an old key of this service\n")
    notes = services.notes(userauth, path.parent, USER_SERVICE_KEY=None).start()

    def state():
        answer = Client(notes.url).get("/readyz")
        assert answer.status_code == 200 and answer.json()["status"] == "ready"
        return answer.json()["dependencies"]["userauth"]

    until(lambda: state() == "refused", "the refused key is told", 30)
    check_whale(Client(notes.url).login("me", password))
    line = notes.wait_log(event="dependency.refused", level="error")
    assert line["name"] == "userauth" and "refuses our API key" in line["why"]
    refused_count = len(userauth.log_lines(event="auth.key_refused"))
    until(lambda: len(userauth.log_lines(event="auth.key_refused")) > refused_count, "another try of the key", 30)
    assert len(notes.log_lines(event="dependency.refused")) == 1
    path.write_text(userauth.key + "\n")
    client = Client(notes.url)
    until(lambda: client.login("me", password).status_code == 302, "login works", 30)
    assert client.is_signed_in
    until(lambda: state() == "ok", "it is told that all is well again", 30)
    notes.wait_log(event="dependency.found", name="userauth")
    path.unlink()
    check_whale(Client(notes.url).login("me", password))
    until(lambda: state() == "refused", "it is told that there is no key", 30)
    why = until(lambda: notes.log_lines(event="dependency.refused")[1:], "and logged")[0]["why"]
    assert why == f"USER_SERVICE_KEY is not set, and {path}: No such file or directory"


def test_key_that_is_refused_after_a_restart_of_the_user_service_is_told(services):
    """What was accepted once is tried again when the service was away."""
    userauth = services.userauth().start()
    notes = services.notes(userauth, USER_SERVICE_KEY=userauth.key).start()

    def is_told(word):
        return Client(notes.url).get("/readyz").json()["dependencies"]["userauth"] == word

    with userauth.api() as api:
        until(lambda: is_told("ok") and api.get("/list").status_code == 200, "both work")
    userauth.stop()
    until(lambda: is_told("lost"), "lost", 30)
    userauth.settings["API_KEYS"] = "them:another-key-of-this-service"
    userauth.start()
    until(lambda: is_told("refused"), "refused", 30)


def test_a_key_is_not_taken_for_accepted_by_an_answer_of_before_it_was_looked_at(services):
    """Its health is fine, the rest is 503 for a while; then the key, of which nobody has said anything yet, is refused."""
    relay = Relay()
    userauth = services.userauth().start()
    relay.port = userauth.port
    relay.before = lambda path: None if path == "/healthz" else 503
    try:
        notes = services.notes(userauth, USER_SERVICE_URL=relay.url, USER_SERVICE_KEY="not the key of this service").start()

        def is_told(word):
            return Client(notes.url).get("/readyz").json()["dependencies"]["userauth"] == word

        until(lambda: is_told("lost"), "lost", 30)
        assert "status 503" in notes.wait_log(event="dependency.lost", name="userauth")["why"]
        relay.before = lambda path: None
        until(lambda: is_told("refused"), "refused", 30)
    finally:
        relay.close()


def test_a_service_that_is_healthy_but_does_not_serve_yet_is_told_as_lost(services):
    """So answers one whose start waits for its database: what was accepted before does not count."""
    relay, asked = Relay(), []

    def not_yet(path):
        asked.append(path)
        return None if path == "/healthz" else 503

    userauth = services.userauth().start()
    relay.port = userauth.port
    try:
        notes = services.notes(userauth, USER_SERVICE_URL=relay.url, USER_SERVICE_KEY=userauth.key).start()

        def is_told(word):
            return Client(notes.url).get("/readyz").json()["dependencies"]["userauth"] == word

        until(lambda: notes.log_lines(event="service.started") and is_told("ok"), "ok", 30)
        assert Client(notes.url).login("nobody", "a password").status_code == 302
        relay.before = not_yet
        check_whale(Client(notes.url).login("nobody", "a password"))
        until(lambda: asked.count("/find/them") >= 2, "two more looks with the key", 30)
        assert is_told("lost")
        relay.before = lambda path: None
        until(lambda: is_told("ok"), "ok again", 30)
    finally:
        relay.close()


JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ODD = {
    "says nothing": None,
    "closes": b"",
    "is no http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "is html": http_answer("<html>hello</html>", kind="text/html"),
    "is broken json": http_answer('{"check":true'),
    "is another json": http_answer("[1,2,3]"),
    "is a string for true": http_answer('{"check":"true","username":"me"}'),
    "says true without a name": http_answer('{"check":true}'),
    "says true for a number": http_answer('{"check":true,"username":7}'),
    "is 500": http_answer('{"code":"InternalError","message":"x"}', "500 Internal Server Error"),
    "is 404": http_answer("{}", "404 Not Found"),
    "redirects": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
    "is endless": JSON_HEAD + b"Content-Length: 99999999\r\n\r\n" + b"x" * 3_000_000,
    "is cut": JSON_HEAD + b'Content-Length: 100\r\n\r\n{"check":true,"username":"me"}',
}


@pytest.mark.parametrize("name", ODD)
def test_odd_answers_never_sign_in(services, name):
    """Whatever stands at USER_SERVICE_URL: a whale (or a refusal), nobody is signed in, the pages go on."""
    odd = Odd(ODD[name])
    try:
        notes = services.notes(odd.url, USER_SERVICE_KEY="a key of some service").start()
        client = Client(notes.url)
        answer = client.post("/users/login", {"username": "me", "password": "x"}, timeout=60)
        assert not client.is_signed_in
        check_whale(answer)
        assert client.get("/").status_code == 200
    finally:
        odd.close()


def test_slow_user_service_does_not_stop_reading(services):
    """More logins wait than there are workers; the home page and notes are served meanwhile."""
    odd = Odd(None)
    try:
        notes = services.notes(odd.url, USER_SERVICE_KEY="a key of some service", WORKERS=2,
                               LOGIN_FAILURES_PER_MIN=0).start()
        warm = Client(notes.url)
        assert warm.get("/").status_code == 200
        answers = []

        def login():
            answers.append(Client(notes.url).post("/users/login", {"username": "me", "password": "x"}, timeout=90))

        threads = [threading.Thread(target=login) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert warm.get("/healthz").status_code == 200
        assert warm.get("/users/login").status_code == 200
        assert warm.get("/", timeout=60).status_code == 200
        for thread in threads:
            thread.join()
        for answer in answers:
            assert answer.status_code == 503
            check_page(read_page(answer))
    finally:
        odd.close()


READING_MAX_S = 4  # below what a login or a look at a hanging user service takes
TURN_WAIT_S = 1.5  # so long somebody waits for others to look at their users; he is a stranger then, unless it is known by then that it hangs


@pytest.fixture
def hanging(tmp_path):
    """A site with five signed-in clients, whose userauth-svc takes connections and answers none."""
    site = Site(tmp_path, {"WORKERS": 3, "USER_CHECK_S": 1, "LOGIN_FAILURES_PER_MIN": 0})
    site.start()
    site.clients = [open_session(site, "me") for _ in range(5)]
    create_note(site.clients[0], "read-me", "Read me", "body")
    site.userauth.signal(signal.SIGSTOP)
    yield site
    site.userauth.signal(signal.SIGCONT)
    site.stop()


def wait_asked(site, client):
    """Until it is asked for users again: after an answer that came too late it is left alone for a while."""
    def is_asked():
        kept_sessions.age(site.notes, checked=100)
        assert client.get("/notes/add").status_code == 200
        return any(time.time() * 1000 - row["checked_unix_ms"] < 50_000 for row in kept_sessions.rows(site.notes))

    until(is_asked, "the user service is asked again", every_s=1)


def test_hanging_user_service_does_not_stop_reading(hanging):
    """Twenty logins wait, and all sessions are due for a check: everybody reads on, and stays signed in. A round in which the
    machine itself kept somebody waiting is none."""
    path = view_path("read-me")
    expected = [[200, 200, 200]] * 5 + [[200, 200, 302]] * 2
    slowest_s = []  # of a round

    def login(number):
        return Client(hanging.url).post("/users/login", {"username": f"user{number}", "password": "x"}, timeout=60)

    def get(client, wanted):
        began_s = time.monotonic()
        status = client.get(wanted).status_code
        slowest_s[-1] = max(slowest_s[-1], time.monotonic() - began_s)
        return status

    def read(client):
        return [get(client, wanted) for wanted in ("/", path, "/notes/add")]

    strangers = [Client(hanging.url) for _ in range(2)]
    for _ in range(10):
        slowest_s.append(0)
        are_right = True
        kept_sessions.age(hanging.notes, checked=100)
        with concurrent.futures.ThreadPoolExecutor(27) as pool:
            logins = [pool.submit(login, number) for number in range(20)]
            while not all(job.done() for job in logins):
                pages = list(pool.map(read, hanging.clients + strangers))
                assert pages == expected or slowest_s[-1] >= TURN_WAIT_S
                are_right = are_right and pages == expected
        for job in logins:
            assert job.result().status_code == 503
            assert int(job.result().headers["Retry-After"]) >= 1
            check_page(read_page(job.result()))
        if are_right and slowest_s[-1] < READING_MAX_S:
            break
        hanging.userauth.signal(signal.SIGCONT)
        wait_asked(hanging, hanging.clients[0])
        hanging.userauth.signal(signal.SIGSTOP)
    else:
        pytest.fail(f"reading waits, or this machine is too slow for the test: {slowest_s}")


def test_sessions_are_checked_again_after_a_hang(hanging):
    """Once the user service answers, a user that it does not know any more is signed out."""
    client = hanging.clients[0]
    assert client.get("/notes/add").status_code == 200
    hanging.userauth.signal(signal.SIGCONT)
    assert hanging.api.delete("/destroy/me").status_code == 200
    until(lambda: client.get("/notes/add").status_code == 302, "the session ends", 30)


def test_a_short_deadline_leaves_time_to_find_out_that_the_service_hangs(tmp_path):
    """Then the last answer holds, as it does with a longer one."""
    site = Site(tmp_path, {"USER_CHECK_S": 60})
    site.start()
    try:
        client = open_session(site, "me")
        site.notes.restart(REQUEST_DEADLINE_MS=900)
        kept_sessions.age(site.notes, checked=100)
        site.userauth.signal(signal.SIGSTOP)
        until(lambda: client.get("/notes/add").status_code == 200, "the last answer holds", 30)
    finally:
        site.userauth.signal(signal.SIGCONT)
        site.stop()


def test_few_sessions_are_checked_at_once_by_a_service_that_hangs(tmp_path):
    """A round in which the machine kept somebody waiting for longer than others may have the turn is none."""
    site = Site(tmp_path, {"USER_CHECK_S": 1})
    site.start()
    try:
        clients = [open_session(site, "me") for _ in range(8)]
        for _ in range(10):
            kept_sessions.age(site.notes, checked=100)
            site.userauth.kill()
            odd = Odd(None, site.userauth.port)
            try:
                began_s = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(8) as pool:
                    statuses = list(pool.map(lambda client: client.get("/notes/add").status_code, clients))
                took_s = time.monotonic() - began_s
                assert 1 <= odd.asked(b"GET /find/") <= 2 + int(took_s / 2)
            finally:
                odd.close()
            if statuses == [200] * 8:
                break
            assert took_s >= TURN_WAIT_S, statuses
            site.userauth.start()
            wait_asked(site, clients[0])
        else:
            pytest.fail("this machine is too slow for the test")
    finally:
        site.stop()


MANY = 40


def test_a_slow_user_service_keeps_nobody_from_reading(tmp_path):
    """Of many whose check is due two are asked for at once: not all come to their turn in time, for which all had to wait 12 s."""
    relay = Relay()
    site = Site(tmp_path, {"USER_SERVICE_URL": relay.url, "WORKERS": MANY})
    site.start()
    relay.port = site.userauth.port
    try:
        clients = [open_session(site, "me") for _ in range(MANY)]
        create_note(clients[0], "slow", "Slow", "body")
        kept_sessions.age(site.notes, checked=100)
        relay.before = lambda path: time.sleep(0.6)
        with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
            pages = list(pool.map(lambda client: client.get(view_path("slow")).status_code, clients))
        assert pages == [200] * MANY
    finally:
        site.stop()
        relay.close()


class Busy:
    """Holds the looks at `you` that come to a relay, for less than notes-svc waits for an answer."""

    def __init__(self):
        self.held = threading.Semaphore(0)
        self.release = threading.Event()

    def before(self, path):
        if path == "/find/you":
            self.held.release()
            self.release.wait(10)


def test_who_keeps_the_user_service_busy_keeps_nobody_signed_in(tmp_path):
    """Two sessions of `you` are asked for, as many as may be at once, when a session of `me`, who is disabled, is due too: it waits
    for its turn. A round in which the two were held for too long is none: the service counts as away then."""
    relay = Relay()
    site = Site(tmp_path, {"USER_SERVICE_URL": relay.url, "USER_CHECK_S": 60, "LOGIN_FAILURES_PER_MIN": 0})
    site.start()
    relay.port = site.userauth.port
    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for _ in range(20):
                assert site.api.post("/enable/me").status_code == 200
                busy, me, others = Busy(), open_session(site, "me"), [open_session(site, "you") for _ in range(2)]
                assert site.api.post("/disable/me").status_code == 200
                kept_sessions.age(site.notes, checked=100)
                relay.before = busy.before
                began_s = time.monotonic()
                jobs = [pool.submit(other.get, "/notes/add") for other in others]
                are_held = all(busy.held.acquire(timeout=10) for _ in jobs)
                mine = pool.submit(me.get, "/notes/add")
                concurrent.futures.wait([mine], timeout=0.2)
                busy.release.set()
                relay.before = lambda path: None
                statuses = [job.result().status_code for job in jobs]
                if are_held and time.monotonic() - began_s < 0.8:
                    break
                wait_asked(site, open_session(site, "you"))
            else:
                pytest.fail("this machine is too slow for the test")
        assert (statuses, mine.result().status_code) == ([200, 200], 302)
    finally:
        site.stop()
        relay.close()


def test_full_queue_of_logins_is_an_immediate_503(services):
    odd = Odd(None)
    try:
        notes = services.notes(odd.url, USER_SERVICE_KEY="a key of some service", LOGIN_WORKERS=1, LOGIN_QUEUE_LIMIT=1,
                               LOGIN_FAILURES_PER_MIN=0).start()

        def login(_):
            return Client(notes.url).post("/users/login", {"username": "me", "password": "x"}, timeout=60)

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(login, number) for number in range(6)]
            list(itertools.islice(concurrent.futures.as_completed(jobs), 3))
            assert not all(job.done() for job in jobs), "one is asked about, one or two wait, the others are refused"
            for answer in [job.result() for job in jobs]:
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) >= 1
                check_page(read_page(answer))
    finally:
        odd.close()


def test_logins_with_a_large_body_do_not_hold_up_large_saves(tmp_path):
    """Whatever a stranger sends along with a login, it waits for the user service among logins."""
    site = Site(tmp_path, {"WRITES_PER_MIN": 0, "USER_CHECK_S": 3600, "LOGIN_FAILURES_PER_MIN": 0})
    site.start()
    try:
        client = open_session(site, "me")
        create_note(client, "before", body="x" * 100_000)
        site.userauth.signal(signal.SIGSTOP)

        def login(number):
            fields = {"username": f"user{number}", "password": "x", "padding": "x" * 40_000}
            return Client(site.url).post("/users/login", fields, timeout=60)

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            logins = [pool.submit(login, number) for number in range(20)]
            while concurrent.futures.wait(logins, timeout=0.5).not_done:
                create_note(client, f"amid {time.monotonic_ns()}", body="x" * 100_000)
        assert {job.result().status_code for job in logins} == {503}
    finally:
        site.userauth.signal(signal.SIGCONT)
        site.stop()

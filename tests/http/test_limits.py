# SPDX-License-Identifier: MIT
"""Limits by address, by user and by connection, and whose word counts for an address."""
import concurrent.futures
import contextlib
import signal
import time

import pytest

from harness import mariadb, stored
from harness.client import browser_session as open_session
from harness.client import read_page
from harness.raw import Connection, exchange, request_bytes
from harness.wait import until
from notes_verbs import check_page, comment, create_note, shown_comments, view_path

JSON = {"Accept": "application/json"}


def fail(site, number, **headers):
    """A failed login with a name of its own, so that only the address can be limited."""
    client = open_session(site)
    return client.post("/users/login", {"username": f"nobody{number}", "password": "x"}, headers=headers)


def be_shut_out(site, name):
    """Wrong passwords until one has to wait, for longer than the next requests take."""
    until(lambda: open_session(site).login(name, "a guess").status_code == 429, f"{name} has to wait", 60)
    stored.prolong_waits(site.userauth.database, 600)


def check_429(answer):
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    return check_page(read_page(answer))


# --- failed logins ---

def test_failed_logins_of_one_address_are_limited(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=3)
    assert [fail(site, number).status_code for number in range(3)] == [302, 302, 302]
    page = check_429(fail(site, 4))
    assert page.form("/users/login").fields() == {"username": "nobody4", "password": ""}
    assert page.first(role="alert").text.strip()
    client = open_session(site)
    check_429(client.login("me", site.passwords["me"]))
    assert not client.is_signed_in
    assert client.get("/").status_code == 200, "reading goes on"


def test_failed_logins_side_by_side_do_not_exceed_the_limit(make_site):
    """All wait for a worker at once on a slow machine: there is room for sixty of one address, which has half of the queue."""
    site = make_site(LOGIN_FAILURES_PER_MIN=10)
    began_s = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda number: fail(site, number), range(60))]
    refilled = int((time.monotonic() - began_s) / 6)
    assert set(statuses) == {302, 429}
    assert 10 <= statuses.count(302) <= 10 + refilled


def test_logins_that_nobody_could_judge_are_not_counted(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=3)
    site.userauth.kill()
    assert {fail(site, number).status_code for number in range(8)} == {503}
    site.userauth.start()
    assert [fail(site, number).status_code for number in range(4)] == [302, 302, 302, 429]


def test_right_logins_are_not_counted(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=3)
    for _ in range(8):
        assert open_session(site, "me").is_signed_in


def test_limit_of_failed_logins_can_be_switched_off(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=0)
    assert {fail(site, number).status_code for number in range(15)} == {302}


def test_default_is_ten(make_site):
    """And one more after each tenth of a minute."""
    site = make_site()
    began_s = time.monotonic()
    heard_count = 0
    while fail(site, heard_count).status_code == 302:
        heard_count += 1
        assert heard_count <= 10 + int((time.monotonic() - began_s) / 6)
    assert heard_count >= 10


def test_throttle_of_a_name_is_shown_with_its_delay(make_site):
    """userauth-svc answers the fifth failure in a row of one name and client with 429."""
    site = make_site(LOGIN_FAILURES_PER_MIN=0)
    client = open_session(site)
    statuses = [client.login("me", "wrong password").status_code for _ in range(5)]
    assert statuses[:4] == [302] * 4
    page = check_429(client.login("me", "wrong password"))
    form = page.form("/users/login")
    assert form.fields()["username"] == "me"
    assert not [node for node in form.walk() if node.get("aria-invalid")], "what was typed may be right"
    be_shut_out(site, "me")
    check_429(open_session(site).login("me", site.passwords["me"]))


def test_browser_that_has_signed_in_before_is_heard_through_an_attack(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=0)
    owner = open_session(site, "me")
    owner.logout()
    be_shut_out(site, "me")
    assert open_session(site).login("me", site.passwords["me"]).status_code == 429
    answer = owner.login("me", site.passwords["me"])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_browser_that_has_signed_in_once_is_heard_at_100_failures(make_site):
    """Its only login so far was counted by address; at the next one it is known by its cookie alone."""
    site = make_site(LOGIN_FAILURES_PER_MIN=0, TRUSTED_PROXIES="127.0.0.1/32")
    owner = open_session(site, "me")
    owner.logout()
    statuses = {site.api.check("me", "a guess", f"bot{number}").status_code for number in range(100)}
    assert statuses == {200}
    form = {"username": "me", "password": site.passwords["me"]}
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    check_429(open_session(site).post("/users/login", form, headers=elsewhere))
    assert site.api.check("me", site.passwords["me"], "bot").status_code == 429
    answer = owner.post("/users/login", form, csrf=False, headers=elsewhere)
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/")
    assert site.api.check("me", site.passwords["me"], "bot").status_code == 200, "that login opened the name"


def test_device_cookie_is_for_one_name_and_can_not_be_forged(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=0)
    owner = open_session(site, "you")
    owner.logout()
    be_shut_out(site, "me")
    assert owner.login("me", site.passwords["me"]).status_code == 429, "a device of `you` is none of `me`"
    known = {cookie.name: cookie.value for cookie in owner.http.cookies}
    for name, value in known.items():
        changed = value[:-2] + ("AA" if value[-2:] != "AA" else "BB")
        answer = open_session(site).post("/users/login", {"username": "me", "password": site.passwords["me"]},
                                         headers={"Cookie": f"{name}={changed}"})
        assert answer.status_code == 429, name


# --- whose address ---

def test_forwarded_for_of_a_stranger_is_not_believed(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=2)
    statuses = [fail(site, number, **{"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(4)]
    assert statuses == [302, 302, 429, 429]
    site.notes.wait_log(event="auth.login_failed")
    assert "203.0.113." not in "".join(str(line) for line in site.notes.log_lines(event="auth.login_failed"))


def test_trusted_proxy_names_the_client(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=2, TRUSTED_PROXIES="127.0.0.1/32")
    for address in ("203.0.113.1", "203.0.113.2", "2001:db8::1"):
        statuses = [fail(site, number, **{"X-Forwarded-For": address}).status_code for number in range(3)]
        assert statuses == [302, 302, 429], address
        site.notes.wait_log(event="auth.login_failed", peer=address)


def test_client_is_the_rightmost_address_that_is_no_proxy(make_site):
    """What stands left of it was written by the client and is worth nothing."""
    site = make_site(LOGIN_FAILURES_PER_MIN=2, TRUSTED_PROXIES="127.0.0.0/8,10.0.0.0/8")
    headers = ["198.51.100.1, 203.0.113.9", "198.51.100.2,203.0.113.9, 10.1.2.3", "203.0.113.9",
               "203.0.113.9 ,10.0.0.1,10.0.0.2"]
    statuses = [fail(site, number, **{"X-Forwarded-For": value}).status_code for number, value in enumerate(headers)]
    assert statuses == [302, 302, 429, 429]
    assert fail(site, 9, **{"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}).status_code == 302


def test_several_forwarded_for_lines_are_one_list(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=1, TRUSTED_PROXIES="127.0.0.1")

    def status(*values):
        body = b"username=nobody&password=x"
        lines = b"".join(b"X-Forwarded-For: " + value + b"\r\n" for value in values)
        with Connection(site.notes.port) as connection:
            connection.send(b"POST /users/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + lines +
                            b"Content-Type: application/x-www-form-urlencoded\r\n"
                            b"Content-Length: %d\r\n\r\n" % len(body) + body)
            return connection.answer("POST").status

    assert status(b"198.51.100.1", b"203.0.113.7") == 302
    assert status(b"198.51.100.2", b"203.0.113.7") == 429


@pytest.mark.parametrize("value", ["", "unknown", "not an address", "203.0.113.9:8080", "[2001:db8::2]:80", "1.2.3",
                                   "999.1.1.1", ",,,", "a" * 3000,
                                   "203.0.113.9, ", "\"><script>"])
def test_forwarded_for_that_is_no_address_harms_nothing(make_site, value):
    site = make_site(LOGIN_FAILURES_PER_MIN=2, TRUSTED_PROXIES="127.0.0.1")
    statuses = [fail(site, number, **{"X-Forwarded-For": value}).status_code for number in range(3)]
    assert statuses == [302, 302, 429]


def test_forwarded_proto_of_a_trusted_proxy_is_the_scheme(make_site):
    site = make_site(TRUSTED_PROXIES="127.0.0.1")
    client = open_session(site)
    headers = {"Host": "notes.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
    form = {"username": "me", "password": site.passwords["me"]}
    for origin, status in (("https://notes.example.org", 302), ("http://notes.example.org", 403)):
        answer = client.post("/users/login", form, csrf=False, origin=origin, headers=headers)
        assert answer.status_code == status


# --- writes ---

def test_writes_of_one_user_are_limited_and_the_text_kept(make_site):
    site = make_site(WRITES_PER_MIN=2)
    me, again, you = open_session(site, "me"), open_session(site, "me"), open_session(site, "you")
    create_note(you, "busy")
    comment(me, "busy", "one")
    comment(again, "busy", "two")
    page = check_429(me.post("/notes/comment", {"key": "busy", "message": "typed and kept"}))
    assert "typed and kept" in [node.text for node in page.all("textarea")]
    assert site.notes.wait_log(event="request.writes_limited", user="me")["peer"] == "127.0.0.1"
    fields = {"docreate": "create", "notekey": "more", "title": "Typed title", "body": "typed body, kept"}
    page = check_429(again.post("/notes/save", fields))
    assert "typed body, kept" in [node.text for node in page.all("textarea")]
    answer = me.post("/notes/comment", {"key": "busy", "message": "x"}, headers=JSON)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert set(answer.json()) >= {"code", "message", "requestId"}
    comment(you, "busy", "another user is not concerned")
    assert len(shown_comments(me.html(view_path("busy")))) == 3
    assert me.get(view_path("more")).status_code == 404


def test_limit_of_writes_can_be_switched_off(make_site):
    site = make_site(WRITES_PER_MIN=0)
    me = open_session(site, "me")
    create_note(me, "free")
    for number in range(310):
        comment(me, "free", f"m{number}")


# --- connections ---

def held(port):
    """A connection that is surely accepted (it has been served once), or None when the service closed it."""
    connection = Connection(port)
    connection.try_send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    if connection.answer() is None:
        connection.close()
        return None
    return connection


def test_connections_of_one_address_are_limited(make_site):
    site = make_site(CONNECTIONS_PER_ADDRESS=5)
    port = site.notes.port
    open_now = [until(lambda: held(port), "a free connection") for _ in range(5)]
    assert held(port) is None
    line = site.notes.wait_log(event="http.connection_refused", why="too many of one address")
    assert line["level"] == "warn" and line["count"] >= 1
    open_now.pop().close()
    open_now.append(until(lambda: held(port), "the place of a closed connection"))
    for connection in open_now:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.answer().status == 200
        connection.close()


def test_trusted_proxies_are_exempt(make_site):
    site = make_site(CONNECTIONS_PER_ADDRESS=5, TRUSTED_PROXIES="127.0.0.0/8")
    open_now = [held(site.notes.port) for _ in range(40)]
    assert None not in open_now
    for connection in open_now:
        connection.close()


def test_limit_of_connections_can_be_switched_off(make_site):
    site = make_site(CONNECTIONS_PER_ADDRESS=0)
    open_now = [held(site.notes.port) for _ in range(300)]
    assert None not in open_now
    for connection in open_now:
        connection.close()


def test_who_waits_for_a_connection_is_told_to_the_operator(make_site):
    """Beyond CONNECTION_LIMIT newcomers wait in the kernel until somebody leaves: nothing is refused."""
    site = make_site(CONNECTION_LIMIT=16, CONNECTIONS_PER_ADDRESS=0)
    open_now = [held(site.notes.port) for _ in range(16)]
    assert None not in open_now
    with Connection(site.notes.port) as waiting:
        waiting.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        line = site.notes.wait_log(event="http.connections_wait")
        assert (line["level"], line["limit"]) == ("warn", 16)
        open_now.pop().close()
        assert waiting.answer().status == 200
    assert not site.notes.log_lines(event="http.connection_refused")
    for connection in open_now:
        connection.close()


# --- sizes ---

def as_user(site, client):
    return [("Host", site.url[7:]), ("Origin", site.url), ("Cookie", f"notescookie.sid={client.session_cookie}"),
            ("Content-Type", "application/x-www-form-urlencoded")]


def test_head_may_be_as_large_as_the_setting_says(services):
    service = services.userauth(HEAD_BYTES=262144).start()
    for size, status in ((131072, 200), (300000, 431)):
        answer = exchange(service.port, "GET", "/healthz", [("Connection", "close"), ("X-Long", "x" * size)])
        assert answer.status == status
    service.wait_log(event="http.request_refused", status=431)


def test_bodies_share_what_the_setting_says(make_site):
    site = make_site(BODIES_BYTES=16777216)
    me = open_session(site, "me")

    def begin(sent_bytes):
        connection = Connection(site.notes.port)
        connection.try_send(request_bytes("POST", "/notes/save", [*as_user(site, me), ("Content-Length", "6000000")]))
        connection.try_send(b"body=" + b"x" * (sent_bytes - 5))
        return connection

    def status_of_another():
        with begin(6000000) as whole:
            return whole.answer("POST").status

    def status_beside_a_first():
        with begin(5000000):
            return status_of_another()

    # Each time a first one, as one that is slow to arrive is itself the one that gets no room.
    until(lambda: status_beside_a_first() == 503, "the first body has taken its part")
    until(lambda: status_of_another() == 403, "it gave it back")


def test_least_room_for_answers_is_enough_for_the_largest(make_site, services):
    """Else it would be a 503 always, however often one comes again."""
    site = make_site(ANSWERS_BYTES=67108864)
    me = open_session(site, "me")
    create_note(me, "large", body='"' * 1048576)  # six times as long in the page
    assert me.get(view_path("large")).status_code == 200
    api = services.userauth(ANSWERS_BYTES=67108864).start().api()
    long = {"familyName": "😀" * 255, "givenName": "😀" * 255, "middleName": "😀" * 255, "emails": ["x" * 2000], "photos": ["x" * 2000]}
    for number in range(1000):
        assert api.post("/create-user", json={"username": f"user{number}", "provider": "x", **long}).status_code == 200
    assert len(api.get("/list").json()) == 1000


def test_a_large_page_keeps_only_itself_until_it_is_read(make_site):
    """Neither the row nor the page for all that it was made of: they are three times as much."""
    site = make_site()
    me = open_session(site, "me")
    create_note(me, "large", body="&" * 800000)  # 4 MB of HTML, in five-byte references
    assert me.get(view_path("large")).status_code == 200
    assert me.post("/notes/comment", {"key": "large", "message": "x" * 1025}).status_code == 400
    assert me.get("/notes/edit?key=large").status_code == 200
    for route, status in (("/notes/view", 200), ("/notes/comment", 400), ("/notes/edit", 200)):
        line = site.notes.wait_log(event="http.request_done", route=route, status=status)
        assert 4000000 < line["bytes"] <= line["arena_bytes"] < line["bytes"] * 2  # it grew by doubling


def test_large_answers_share_what_the_setting_says(make_site):
    site = make_site(ANSWERS_BYTES=67108864)
    me = open_session(site, "me")
    create_note(me, "large", body="&" * 1000000)  # five times as long in the page
    asking = [Connection(site.notes.port) for _ in range(12)]
    for connection in asking:
        connection.send(request_bytes("GET", "/notes/edit?key=large", as_user(site, me)))
    site.notes.wait_log(event="http.request_done", route="/notes/edit", status=503)
    statuses = [connection.answer().status for connection in asking]
    assert 200 in statuses and 503 in statuses
    for connection in asking:
        connection.close()


# --- what one address takes of what all share ---

SLOW = ("198.51.100.1", "198.51.100.2")


def ask_from(site, client, address, method, path, body=b"", length=0):
    """A request of this address, whose body may be shorter than it says."""
    connection = Connection(site.notes.port)
    head = [*as_user(site, client), ("X-Forwarded-For", address), ("Content-Length", str(length or len(body)))]
    connection.try_send(request_bytes(method, path, head) + body)
    return connection


def status_that_begins(connection):
    """Of an answer that is not read any further."""
    return int(connection.socket.recv(16).split(b" ")[1])


def test_who_does_not_read_keeps_no_large_answer_from_other_addresses(make_site):
    site = make_site(ANSWERS_BYTES=67108864, TRUSTED_PROXIES="127.0.0.0/8")
    me = open_session(site, "me")
    create_note(me, "large", body="&" * 1000000)
    held = []
    statuses = []
    while statuses[-2:] != [503, 503]:
        held.append(ask_from(site, me, SLOW[len(held) % 2], "GET", "/notes/edit?key=large"))
        statuses.append(status_that_begins(held[-1]))
    assert statuses.count(200) >= 4
    refused = f"csrf={me.csrf()}&key=large&message={'x' * 1025}".encode()  # it comes back with the whole page
    for address, status in ((SLOW[0], 503), (SLOW[1], 503), ("203.0.113.9", 400)):
        with ask_from(site, me, address, "POST", "/notes/comment", refused) as comment_too_long:
            assert comment_too_long.answer("POST").status == status
    for number in range(3):
        with ask_from(site, me, f"203.0.113.{number}", "GET", "/notes/edit?key=large") as other:
            answer = other.answer()
        assert answer.status == 200 and answer.body.count(b"&amp;") >= 1000000
    line = site.notes.wait_log(event="http.shares_cut")
    assert (line["level"], line["of"]) == ("warn", "answers") and line["peer"] in SLOW
    line = site.notes.wait_log(event="http.request_done", route="/notes/edit", end="cut", err="UNAVAILABLE")
    assert line["peer"] in SLOW and "this address had most" in line["why"]
    with ask_from(site, me, SLOW[0], "GET", "/") as small:
        assert small.answer().status == 200
    for connection in held:
        connection.close()


def test_who_sends_no_end_of_bodies_keeps_none_from_other_addresses(make_site):
    site = make_site(BODIES_BYTES=16777216, TRUSTED_PROXIES="127.0.0.0/8")
    me = open_session(site, "me")
    held = []

    def status_from(address):
        with ask_from(site, me, address, "POST", "/notes/save", b"body=" + b"x" * 1000000) as whole:
            return whole.answer("POST").status

    def is_full():
        held.extend(ask_from(site, me, address, "POST", "/notes/save", b"body=" + b"x" * 2000000, 6000000) for address in SLOW)
        return [status_from(address) for address in SLOW] == [503, 503]

    until(is_full, "both have taken all")
    assert [status_from(f"203.0.113.{number}") for number in range(3)] == [403] * 3  # it has no token
    line = site.notes.wait_log(event="http.shares_cut")
    assert (line["of"], line["peer"] in SLOW) == ("bodies", True)
    line = site.notes.wait_log(event="http.request_done", route="/notes/save", end="cut", err="UNAVAILABLE")
    assert line["peer"] in SLOW and "this address had most" in line["why"]
    for connection in held:
        connection.close()


def begin_save(site, client, csrf, address, key, text):
    body = f"csrf={csrf}&docreate=create&notekey={key}&title=x&body=".encode() + text
    return ask_from(site, client, address, "POST", "/notes/save", body)


@contextlib.contextmanager
def nothing_is_saved(service):
    """Whoever makes a note waits: another one holds what each new note changes, of a file all of it."""
    with stored.opened(service.database, is_writable=True) as holder:
        holder.execute("BEGIN" if mariadb.is_wanted() else "BEGIN IMMEDIATE")
        holder.execute("SELECT revision FROM home_list WHERE id = 1" + (" FOR UPDATE" if mariadb.is_wanted() else ""))
        yield
        holder.execute("ROLLBACK")


def whose(site, count, **members):
    """The addresses in SLOW whose requests came to such a line, in the order of their ends; there will be so many."""
    def peers():
        return [line["peer"] for line in site.notes.log_lines(**members) if line["peer"] in SLOW]

    until(lambda: len(peers()) == count, f"{count} lines {members}")
    return peers()


def test_who_saves_many_large_texts_keeps_no_large_text_of_other_addresses_waiting(make_site):
    """Two threads see to such texts, one at most for an address. None is through before all have been sent."""
    site = make_site(TRUSTED_PROXIES="127.0.0.0/8", REQUEST_DEADLINE_MS=60000, HTTP_LOOPS=1)
    me = open_session(site, "me")
    csrf = me.csrf()
    with nothing_is_saved(site.notes):
        many = [begin_save(site, me, csrf, SLOW[0], f"many{number}", b"[" * 1000000) for number in range(8)]
        other = begin_save(site, me, csrf, SLOW[1], "one", b"x" * 1000000)  # as long, so that it is there after them
    for connection in (other, *many):
        assert connection.answer("POST").status == 302
        connection.close()
    done = whose(site, len(many) + 1, event="note.created").index(SLOW[1])
    assert done < len(many) - 2  # else all, or all but one, as they came before


def test_who_saves_many_large_texts_keeps_no_room_from_other_addresses(make_site):
    """What waits for a thread can't be cut, so that an address may have a quarter of all bodies waiting."""
    site = make_site(BODIES_BYTES=16777216, TRUSTED_PROXIES="127.0.0.0/8")
    me = open_session(site, "me")
    form = f"csrf={me.csrf()}&docreate=create&title=x&".encode()
    many = [ask_from(site, me, SLOW[0], "POST", "/notes/save", form + f"notekey=many{number}&body=".encode() + b"[" * 1000000)
            for number in range(16)]
    with ask_from(site, me, SLOW[1], "POST", "/notes/save", b"body=" + b"x" * 3000000) as other:
        assert other.answer("POST").status == 403  # it has no token
    assert {connection.answer("POST").status for connection in many} == {302, 503}
    site.notes.wait_log(event="http.request_done", status=503, why="this address has many large bodies waiting already")
    for connection in many:
        connection.close()


def test_who_saves_very_many_large_texts_takes_no_place_of_other_addresses_in_the_queue(make_site):
    """Of six places he has three."""
    site = make_site(TRUSTED_PROXIES="127.0.0.0/8", REQUEST_DEADLINE_MS=60000, QUEUE_LIMIT=6)
    me = open_session(site, "me")
    csrf = me.csrf()
    many = [begin_save(site, me, csrf, SLOW[0], f"many{number}", b"[" * 1000000) for number in range(12)]
    site.notes.wait_log(event="http.request_done", route="/notes/save", status=503, peer=SLOW[0])
    with begin_save(site, me, csrf, SLOW[1], "one", b"x" * 40000) as other:
        assert other.answer("POST").status == 302
    assert {connection.answer("POST").status for connection in many} == {302, 503}
    for connection in many:
        connection.close()


def test_who_asks_for_many_costly_pages_keeps_no_page_of_other_addresses_waiting(make_site):
    """Addresses take turns. A page that is too large to be kept is made for each who asks, also for who wants its head only.
    None is made before all are asked for, in their order: one loop reads them."""
    site = make_site(TRUSTED_PROXIES="127.0.0.0/8", REQUEST_DEADLINE_MS=60000, WORKERS=1, HTTP_LOOPS=1)
    me = open_session(site, "me")
    create_note(me, "costly", body="&" * 800000)
    site.notes.signal(signal.SIGSTOP)
    many = [ask_from(site, me, SLOW[0], "HEAD", "/notes/view?key=costly") for _ in range(20)]
    other = ask_from(site, me, SLOW[1], "GET", "/notes/add")
    site.notes.signal(signal.SIGCONT)
    for connection, method in ((other, "GET"), *((one, "HEAD") for one in many)):
        assert connection.answer(method).status == 200
        connection.close()
    done = whose(site, len(many) + 1, event="http.request_done").index(SLOW[1])
    assert done < len(many) - 2  # else all, as they came before

# SPDX-License-Identifier: MIT
"""/users/account: the list of one's own sessions and their end, how many one may have, and what administrators read with
the service key. test_account_password.py has the password."""
import base64
import contextlib
import datetime
import re
import time

import pytest

from harness import kept_sessions, stored
from harness.client import Client, read_page
from harness.errors import assert_error
from harness.live import Raw
from harness.programs import new_password, remember_secret
from harness.site import Site
from harness.wait import until
from notes_verbs import check_page, error_page

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, "SESSIONS_PER_USER": 4}
ACCOUNT = "/users/account"
PASSWORD = "/users/account/password"
END = "/users/account/sessions/end"
END_OTHERS = "/users/account/sessions/end-others"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
        "Safari/537.36 Edg/142.0.0.0")
PHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
         "Mobile/15E148 Safari/604.1")


@pytest.fixture(autouse=True)
def nobody_is_signed_in(site):
    kept_sessions.clear(site.notes)


def sign_in(site, user="me", agent=FIREFOX):
    client = Client(site.url)
    client.http.headers["User-Agent"] = agent
    answer = client.login(user, site.passwords[user])
    assert answer.status_code == 302 and client.is_signed_in
    return client


def rows(page):
    """device, whether it is this one, and the handle of each session of the page, in its order."""
    found = []
    for node in page.all("li", class_="session"):
        handle = node.first("input", name="id")
        device, _, own = node.first("p", class_="session-device").text.partition(" this one")
        found.append((device.strip(), handle is None, handle and handle["value"]))
        assert (own == "") and node.first("time")["datetime"].endswith("Z")
    return found


def devices(client):
    return [(device, is_own) for device, is_own, _ in rows(check_page(client.html(ACCOUNT)))]


def handles(client):
    """Of the other sessions."""
    return [handle for _, _, handle in rows(client.html(ACCOUNT)) if handle]


def is_in(client):
    return client.get("/notes/add").status_code == 200


def use(site, *clients):
    """They come back, after minutes, until it is noted of all of them: what has to wait for the store is noted by a later request."""
    def unused_count():
        return sum(time.time() * 1000 - row["used_unix_ms"] > 300_000 for row in kept_sessions.rows(site.notes))

    left_count = unused_count() - len(clients)
    until(lambda: all(map(is_in, clients)) and unused_count() == left_count, "the use to be noted")


def basic(site, name="them", key=None):
    text = f"{name}:{site.userauth.key if key is None else key}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


# --- the page ---

def test_a_stranger_is_sent_to_log_in_and_back(site):
    client = Client(site.url)
    assert client.get(ACCOUNT).headers["Location"] == "/users/login"
    assert client.login("me", site.passwords["me"]).headers["Location"] == ACCOUNT
    for path in (END, END_OTHERS):
        assert Client(site.url).post(path, {"id": "x"}).headers["Location"] == "/users/login"


def test_the_page_lists_my_sessions_and_nobody_elses(site):
    me = sign_in(site)
    sign_in(site, agent=PHONE)
    sign_in(site, "you", EDGE)
    page = check_page(me.html(ACCOUNT))
    assert sorted(devices(me)) == [("Firefox on Linux", True), ("Safari on iPhone", False)]
    assert page.all_text.count("127.0.0.1") == 2
    assert page.first("title").text.startswith("Your account")
    assert me.get(ACCOUNT).headers["Cache-Control"] == "no-store"
    assert page.form(END_OTHERS).fields()["csrf"] == me.csrf()


def test_with_one_session_there_is_nothing_to_end(site):
    page = check_page(sign_in(site).html(ACCOUNT))
    assert page.first("form", action=END) is None and page.first("form", action=END_OTHERS) is None


def test_the_header_leads_to_the_account_of_who_is_signed_in(site):
    me = sign_in(site)
    for path in ("/", "/notes/add", ACCOUNT, "/nowhere"):
        page = read_page(me.get(path))
        link = page.first("header").first("a", class_="nav-item", href=ACCOUNT)
        assert link is not None and page.text("signed-in-user") == "me", path
    assert Client(site.url).html("/").first("a", href=ACCOUNT) is None


@pytest.mark.parametrize("agent, name", [
    (EDGE, "Edge on Windows"),
    ("curl/8.14.1", "curl"),
    ("", "Unknown device"),
    ("<script>alert(1)</script>", "Unknown device"),
    ("Firefox/1 (Linux) <b>\"'& {{7*7}}" + "x" * 6000, "Firefox on Linux"),
    ("Something (Macintosh; Intel)", "A browser on Mac"),
    ("F\u00fcchslein \u202e", "Unknown device"),
])
def test_a_device_has_a_short_name_whatever_it_says_of_itself(site, agent, name):
    me = sign_in(site, agent=agent.encode())
    assert devices(me) == [(name, True)]
    assert "alert(1)" not in me.get(ACCOUNT).text and "x" * 100 not in me.get(ACCOUNT).text


def test_no_id_and_no_digest_is_on_the_page(site):
    me, other = sign_in(site), sign_in(site)
    text = me.get(ACCOUNT).text + Client(site.url).get("/users/sessions?username=me", headers=basic(site)).text
    for client in (me, other):
        remember_secret(client.session_cookie)
        assert client.session_cookie not in text
    for row in kept_sessions.rows(site.notes):
        assert row["digest"].hex() not in text
        assert base64.urlsafe_b64encode(row["digest"]).decode()[:20] not in text
    for handle in handles(me):
        assert Client(site.url).get("/notes/add", headers={"Cookie": f"notescookie.sid={handle}"}).status_code == 302


def test_times_are_those_of_sign_in_and_last_use(site):
    me = sign_in(site)
    kept_sessions.age(site.notes, created=3600, used=600)
    sign_in(site, agent=PHONE)
    use(site, me)
    kept_sessions.age(site.notes, created=7200, used=1800)
    for row in Client(site.url).get("/users/sessions?username=me", headers=basic(site)).json():
        times = [datetime.datetime.fromisoformat(row[name].replace("Z", "+00:00")) for name in ("created", "used")]
        hours = 3 if row["device"] == "Firefox on Linux" else 2
        age = datetime.datetime.now(datetime.timezone.utc) - times[0]
        assert hours * 3600 <= age.total_seconds() < hours * 3600 + 60
        assert 1800 <= (datetime.datetime.now(datetime.timezone.utc) - times[1]).total_seconds() < 1860


def test_sessions_that_are_over_are_not_listed(site):
    sign_in(site)
    kept_sessions.age(site.notes, created=7300, used=7300)
    assert devices(sign_in(site, agent=PHONE)) == [("Safari on iPhone", True)]


def test_sessions_of_a_program_that_knew_no_devices_hold_and_are_listed_when_used(site):
    me, other = sign_in(site), sign_in(site, agent=PHONE)
    kept_sessions.make_old(site.notes)
    kept_sessions.age(site.notes, used=100)
    assert is_in(other), "its use is noted"
    page = check_page(me.html(ACCOUNT))
    assert sorted(devices(me)) == [("Unknown device", False), ("Unknown device", True)]
    assert "127.0.0.1" not in page.all_text
    assert me.post(END_OTHERS).status_code == 302
    assert is_in(me) and not is_in(other)


def test_a_program_that_knows_no_devices_makes_sessions_in_the_new_tables(site):
    """Migration 2 states migration 1's program as fit: it writes these columns and no others."""
    if kept_sessions.is_in_redis(site.notes):
        pytest.skip("sessions are in Redis in this run, which has no such table")
    with stored.opened(site.notes.database, is_writable=True) as database:
        database.execute("INSERT INTO sessions (digest, username, user_etag, created_unix_ms, used_unix_ms, checked_unix_ms)"
                         " VALUES (?, ?, ?, ?, ?, ?)",
                         (b"d" * 32, "me", site.api.get("/find/me").headers["ETag"], *[int(datetime.datetime.now().timestamp() * 1000)] * 3))
    assert sorted(devices(sign_in(site))) == [("Firefox on Linux", True), ("Unknown device", False)]


# --- ending ---

def test_one_session_is_ended_with_its_sockets(site):
    me, phone, tablet = sign_in(site), sign_in(site, agent=PHONE), sign_in(site, agent=EDGE)
    handle = {device: handle for device, _, handle in rows(me.html(ACCOUNT))}["Safari on iPhone"]
    with Raw(site.url, cookie=phone.session_cookie) as raw:
        raw.join()
        answer = me.post(END, {"id": handle})
        assert answer.status_code == 302 and answer.headers["Location"] == ACCOUNT
        assert raw.is_ended()
    assert (is_in(me), is_in(phone), is_in(tablet)) == (True, False, True)
    page = check_page(me.html(ACCOUNT))
    assert "That session has ended." in page.all_text
    assert "That session has ended." not in me.html(ACCOUNT).all_text, "it is said once"
    line = site.notes.wait_log(event="session.ended", reason="by_user", user="me")
    assert handle not in str(line) and line["peer"] == "127.0.0.1"


def test_ending_a_session_that_is_gone_goes_back_and_says_so_once(site):
    me, phone, tablet = sign_in(site), sign_in(site, agent=PHONE), sign_in(site, agent=EDGE)
    handle = {device: handle for device, _, handle in rows(me.html(ACCOUNT))}["Safari on iPhone"]
    phone.logout()
    answer = me.post(END, {"id": handle})
    assert answer.status_code == 302 and answer.headers["Location"] == ACCOUNT
    page = check_page(me.html(ACCOUNT))
    assert page.first("p", class_="notice").text == "That session had ended already."
    assert page.first("p", class_="notice")["role"] == "status"
    assert "had ended already" not in me.html(ACCOUNT).all_text
    assert is_in(me) and is_in(tablet)


def test_the_button_says_what_it_does_and_to_which_session(site):
    me = sign_in(site)
    sign_in(site, agent=PHONE)
    button = me.html(ACCOUNT).first("form", action=END).first("button")
    assert re.fullmatch(r"Sign out the session of Safari on iPhone, signed in .+", " ".join(button.text.split()))
    assert button.first("span", class_="visually-hidden").text.strip().startswith("the session of Safari on iPhone, signed in ")


def test_all_others_are_ended(site):
    me, phone, you = sign_in(site), sign_in(site, agent=PHONE), sign_in(site, "you")
    with Raw(site.url, cookie=phone.session_cookie) as ended, Raw(site.url, cookie=me.session_cookie) as kept:
        ended.join()
        kept.join()
        assert me.post(END_OTHERS).headers["Location"] == ACCOUNT
        assert ended.is_ended()
        kept.settle()
    assert (is_in(me), is_in(phone), is_in(you)) == (True, False, True)
    assert "All your other sessions have ended." in check_page(me.html(ACCOUNT)).all_text
    site.notes.wait_log(event="session.ended_others", user="me", count=1)


def test_ending_this_one_signs_out(site):
    me, phone = sign_in(site), sign_in(site, agent=PHONE)
    own = {row["device"]: row["id"] for row in
           Client(site.url).get("/users/sessions?username=me", headers=basic(site)).json()}["Firefox on Linux"]
    cookie = me.session_cookie
    assert me.post(END, {"id": own}).headers["Location"] == "/"
    assert not me.is_signed_in and is_in(phone)
    assert Client(site.url).get("/notes/add", headers={"Cookie": f"notescookie.sid={cookie}"}).status_code == 302


def test_the_handle_of_somebody_else_ends_nothing(site):
    me, you = sign_in(site), sign_in(site, "you")
    sign_in(site)
    mine, = handles(me)
    for handle in (mine, "", "x" * 20, mine[:-1], mine + "A", "../" + mine, "A" * 5000, "\x00", "é"):
        answer = you.post(END, {"id": handle})
        if "\x00" in handle:
            error_page(answer, 400)
        else:
            assert (answer.status_code, answer.headers["Location"]) == (302, ACCOUNT)
            assert "That session had ended already." in you.html(ACCOUNT).all_text, "as of one that never was"
    assert len(kept_sessions.rows(site.notes)) == 3
    error_page(me.post(END, {}), 400)


@pytest.mark.parametrize("path", [END, END_OTHERS])
@pytest.mark.parametrize("forged", [{"csrf": ""}, {"csrf": "x" * 43}, {}])
def test_without_the_form_token_nothing_ends(site, path, forged):
    me, phone = sign_in(site), sign_in(site, agent=PHONE)
    handle, = handles(me)
    error_page(me.post(path, {"id": handle, **forged}, csrf=False), 403)
    error_page(me.post(path, {"id": handle, "csrf": phone.csrf()}), 403)
    error_page(me.post(path, {"id": handle}, origin="https://elsewhere.example"), 403)
    error_page(me.post(path, {"id": handle}, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert is_in(phone)


# --- how many ---

def test_at_the_limit_the_one_that_was_unused_for_longest_goes(site):
    first, second = sign_in(site), sign_in(site, agent=PHONE)
    you = sign_in(site, "you")
    kept_sessions.age(site.notes, used=600)
    use(site, first)
    rest = [sign_in(site) for _ in range(2)]
    assert is_in(second) is True
    kept_sessions.age(site.notes, used=600)
    use(site, first, *rest)
    last = sign_in(site)
    assert (is_in(first), is_in(second), is_in(last), is_in(you)) == (True, False, True, True)
    site.notes.wait_log(event="session.ended", reason="too_many", user="me")
    assert len(handles(last)) == 3


def test_logging_in_again_in_the_same_browser_ends_no_other(site):
    clients = [sign_in(site) for _ in range(4)]
    assert clients[0].login("me", site.passwords["me"]).status_code == 302
    assert all(map(is_in, clients))


@pytest.fixture
def single(tmp_path):
    """A site where a user has one session, which is in the database."""
    one = Site(tmp_path, {**NOTES_ENV, "SESSIONS_PER_USER": 1, "REDIS_URL": ""})
    one.start()
    yield one
    one.stop()


@contextlib.contextmanager
def refusing(site, deed):
    """The database of `site` takes no INSERT, or no DELETE, of a session."""
    with stored.opened(site.notes.database, is_writable=True) as database:
        database.execute(f"CREATE TRIGGER refusing BEFORE {deed} ON sessions BEGIN SELECT RAISE(ABORT, 'refused'); END")
    yield
    with stored.opened(site.notes.database, is_writable=True) as database:
        database.execute("DROP TRIGGER refusing")


@pytest.mark.sqlite_only(reason="a trigger in the words of SQLite")
def test_a_login_that_fails_ends_no_session(single):
    first, late = sign_in(single), Client(single.url)
    with refusing(single, "INSERT"):
        for client in (first, late):
            assert client.login("me", single.passwords["me"]).status_code >= 500
        assert is_in(first) and not late.is_signed_in
    assert late.login("me", single.passwords["me"]).status_code == 302
    assert (is_in(first), is_in(late)) == (False, True)


@pytest.mark.sqlite_only(reason="a trigger in the words of SQLite")
def test_a_session_that_cannot_be_ended_stops_no_login(single):
    client = sign_in(single)
    old = client.session_cookie
    with refusing(single, "DELETE"):
        answer = client.login("me", single.passwords["me"])
        assert answer.status_code == 302 and client.session_cookie != old and is_in(client)
        single.notes.wait_log(event="session.old_kept", user="me")
        single.notes.wait_log(event="session.make_room_failed", user="me")
    assert len(kept_sessions.rows(single.notes)) == 2
    assert client.login("me", single.passwords["me"]).status_code == 302 and is_in(client)
    assert len(kept_sessions.rows(single.notes)) == 1, "the next login ends what is over the limit"


@pytest.mark.sqlite_only(reason="a trigger in the words of SQLite")
def test_sessions_that_a_new_password_could_not_end_are_logged(single):
    me, new = sign_in(single), new_password()
    with refusing(single, "DELETE"):
        answer = me.post(PASSWORD, {"password": single.passwords["me"], "new-password": new, "new-password-again": new})
    assert answer.status_code == 302 and is_in(me)
    line = single.notes.wait_log(event="session.end_failed", req_id=answer.headers["X-Request-Id"])
    assert (line["level"], line["user"]) == ("error", "me")


def test_names_that_differ_by_a_blank_at_the_end_have_their_own_sessions(single):
    """The limit, the list, and the end of sessions whose user has another entity tag know whose they are."""
    names = ("padded", "padded ", "padded  ")
    for name in names:
        single.add_user(name)
    clients = {name: sign_in(single, name) for name in names}
    for name, client in clients.items():
        assert devices(client) == [("Firefox on Linux", True)], name
    assert all(map(is_in, clients.values()))
    assert clients["padded "].logout().status_code == 302
    assert [is_in(client) for client in clients.values()] == [True, False, True]


# --- administrators ---

def admin(site, method="GET", path="/users/sessions?username=me", headers=None):
    return Client(site.url).request(method, path, headers=headers or basic(site))


def test_with_the_key_sessions_are_listed_and_ended(site):
    assert admin(site).json() == []
    me, phone = sign_in(site), sign_in(site, agent=PHONE)
    sign_in(site, "you")
    answer = admin(site)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    listed = {row["device"]: row for row in answer.json()}
    assert sorted(listed) == ["Firefox on Linux", "Safari on iPhone"]
    for row in listed.values():
        assert sorted(row) == ["address", "created", "device", "id", "used"] and row["address"] == "127.0.0.1"
        assert re.fullmatch(r"[0-9a-f]{24}", row["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["created"])
    path = f"/users/sessions/{listed['Safari on iPhone']['id']}"
    assert_error(admin(site, "DELETE", path + "?username=you"), 404)
    assert_error(admin(site, "DELETE", path), 400)
    with Raw(site.url, cookie=phone.session_cookie) as raw:
        raw.join()
        ended = admin(site, "DELETE", path + "?username=me")
        assert ended.status_code == 200 and ended.json() == {}
        assert raw.is_ended()
    assert is_in(me) and not is_in(phone)
    assert_error(admin(site, "DELETE", path + "?username=me"), 404)
    site.notes.wait_log(event="session.ended", reason="by_admin", user="me")


@pytest.mark.parametrize("how", ["disable", "revoke"])
def test_sessions_that_ended_at_the_user_service_are_listed_no_more(site, how):
    """Although no browser has come back with them."""
    name = f"listed-{how}"
    site.add_user(name)
    path = f"/users/sessions?username={name}"
    with Raw(site.url, cookie=sign_in(site, name).session_cookie) as raw:
        raw.join()
        sign_in(site, name, agent=PHONE)
        assert len(admin(site, path=path).json()) == 2
        site.api.post(f"/{how}/{name}")
        until(lambda: admin(site, path=path).json() == [], "the user service to be asked, which may be too busy to answer at once")
        assert raw.is_ended()
    assert site.notes.wait_log(event="session.ended", user=name)["reason"] == "user_changed"


def test_my_page_leaves_out_sessions_of_an_earlier_password(site):
    site.add_user("renewed")
    sign_in(site, "renewed", agent=PHONE)
    site.api.post("/revoke/renewed")
    me = sign_in(site, "renewed")
    until(lambda: devices(me) == [("Firefox on Linux", True)], "the user service to be asked, which may be too busy to answer at once")


def test_while_the_user_service_is_away_sessions_are_listed_all_the_same(make_site):
    """At a site of its own: a service that was away is not asked for a moment, and sessions that are over are listed too."""
    site = make_site()
    sign_in(site)
    site.userauth.stop()
    assert len(admin(site).json()) == 1


@pytest.mark.parametrize("method, path", [("GET", "/users/sessions?username=me"), ("DELETE", "/users/sessions/x?username=me")])
def test_without_the_key_nothing_is_told(site, method, path):
    me = sign_in(site)
    key = site.userauth.key
    wrong = ({"Accept": "*/*"}, basic(site, key=key[:-1]), basic(site, "me"), basic(site, key=""), basic(site, "me", site.passwords["me"]),
             {"Authorization": "Basic " + key}, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer " + key},
             {"Cookie": f"notescookie.sid={me.session_cookie}"})
    for headers in wrong:
        answer = admin(site, method, path, headers=headers)
        assert_error(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert "Firefox" not in answer.text
    assert is_in(me)
    site.notes.wait_log(event="auth.key_refused", peer="127.0.0.1", why="wrong")


def test_a_browser_is_refused_even_with_the_key(site):
    for more in ({"Origin": site.url}, {"Origin": "null"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}):
        for method, path in (("GET", "/users/sessions?username=me"), ("DELETE", "/users/sessions/x?username=me")):
            answer = admin(site, method, path, headers={**basic(site), **more})
            assert_error(answer, 403)
            assert "WWW-Authenticate" not in answer.headers


def test_wrong_keys_are_limited_by_address_as_logins_are(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=3)
    for _ in range(5):
        assert admin(site).status_code == 200, "right ones count nowhere"
    assert [admin(site, headers=basic(site, key="x")).status_code for _ in range(4)] == [401, 401, 401, 429]
    answer = admin(site)
    assert_error(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    site.notes.wait_log(event="auth.locked", peer="127.0.0.1")


def test_a_key_that_was_renewed_is_known_without_a_restart(site):
    """It is read from its file at each request; the other way round userauth-svc has it in memory."""
    path = site.state_dir / "userauth.key"
    old = path.read_text()
    try:
        path.write_text(remember_secret("another key for the tests") + "\n")
        assert admin(site, headers=basic(site, key="another key for the tests")).status_code == 200
        assert admin(site, headers=basic(site, key=old.strip())).status_code == 401
        path.unlink()
        answer = admin(site, headers=basic(site, key=""))
        assert answer.status_code == 401
        line = site.notes.wait_log(event="auth.key_missing", req_id=answer.headers["X-Request-Id"])
        assert line["level"] == "error" and "userauth.key" in line["why"]
    finally:
        path.write_text(old)


# --- users who are gone ---

def test_a_session_of_a_user_who_is_gone_ends_with_its_sockets(make_site):
    site = make_site(USER_CHECK_S=1)
    me = sign_in(site)
    with Raw(site.url, cookie=me.session_cookie) as raw:
        raw.join()
        site.api.delete("/destroy/me")
        assert raw.is_ended()
    until(lambda: not is_in(me), "the session has ended")
    assert admin(site).json() == []

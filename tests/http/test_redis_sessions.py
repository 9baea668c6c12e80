# SPDX-License-Identifier: MIT
"""Sessions and the count of failed logins in Redis: what is kept there, what two processes share, and what people see
while it is away, full, or refuses the password. Nobody is ever signed out by an outage."""
import base64
import concurrent.futures
import re
import signal
import time

import pytest

from harness import kept_sessions, mariadb, programs
from harness.client import Client
from harness.client import browser_session as open_session
from harness.errors import assert_error
from harness.live import Live, Raw
from harness.programs import new_password, remember_secret
from harness.redis import Redis
from harness.services import Notes
from harness.site import Site
from harness.wait import until
from notes_verbs import check_page, create_note, error_page, leads_to_view, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
NOTICE = "be checked right now"


@pytest.fixture
def redis():
    with Redis(has_password=True) as server:
        yield server


@pytest.fixture
def site(redis, tmp_path):
    """Users `me` and `you`, a note "k"; sessions in `redis`."""
    both = Site(tmp_path, {**NOTES_ENV, **redis.settings()})
    both.start()
    both.client = open_session(both, "me")
    create_note(both.client, "k", "Its title", "Its body")
    both.client.csrf()
    yield both
    redis.close()
    both.stop()


def dependencies(notes):
    return Client(notes.url).get("/readyz").json()["dependencies"]


def replay(notes, cookie, path="/notes/add", **options):
    return Client(notes.url).get(path, headers={"Cookie": f"notescookie.sid={cookie}"}, **options)


def wait_asked(site):
    """Until userauth-svc is asked for users again: after an answer that came too late it is left alone for a while."""
    def is_asked():
        kept_sessions.age(site.notes, checked=100)
        assert site.client.get("/notes/add").status_code == 200
        row, = kept_sessions.rows(site.notes)
        return time.time() * 1000 - row["checked_unix_ms"] < 50_000

    until(is_asked, "the user service is asked again", every_s=1)


def wait_back(site):
    """The first answer that knows the session again."""
    until(lambda: site.client.get("/notes/add").status_code == 200, "Redis is found again, and the session in it", 30)


def wait_unknown(site):
    """A page and a session that were read a moment ago may be shown until the loss is noticed, for 2 s at most."""
    until(lambda: NOTICE in site.client.get("/").text, "the loss is noticed")


def assert_unknown(page, what="the page"):
    """Neither signed in nor signed out, and says so."""
    assert NOTICE in page.all_text, what
    assert page.by_id("signed-in-user") is None, what
    assert "/users/login" not in [node.get("href") for node in page.all("a")], what


# --- several sites ---

def test_sites_on_one_redis_share_no_session_and_no_count(site, redis, tmp_path):
    other = Site(tmp_path / "other", {**NOTES_ENV, **redis.settings(), "LOGIN_FAILURES_PER_MIN": 1})
    other.start()
    try:
        cookie = site.client.session_cookie
        assert replay(site.notes, cookie).status_code == 200
        assert replay(other.notes, cookie).status_code == 302
        site.notes.restart(LOGIN_FAILURES_PER_MIN=1)
        assert [wrong_login(notes, 0) for notes in (site.notes, other.notes) * 2] == [302, 302, 429, 429]
        for kind in ("session", "login"):
            assert len(redis.command("KEYS", f"notes:*:{kind}:*")) == (1 if kind == "session" else 2)
    finally:
        other.stop()


# --- what is kept ---

def test_a_key_is_a_digest_and_goes_by_itself(site):
    cookie = remember_secret(site.client.session_cookie)
    token = remember_secret(site.client.csrf())
    raw = base64.urlsafe_b64decode(cookie + "=")
    keys = kept_sessions.redis_keys(site.notes)
    lists = kept_sessions.redis_keys(site.notes, kept_sessions.LISTS)
    assert len(keys) == len(lists) == 1 and len(kept_sessions.redis_keys(site.notes, "*")) == 2
    assert len(kept_sessions.rows(site.notes)[0]["digest"]) == 32
    entries = kept_sessions.redis_command(site.notes, "HGETALL", lists[0])
    assert entries[0].decode() == kept_sessions.digest_of(keys[0]) and len(kept_sessions.digest_of(lists[0])) == 64
    kept = b"".join([*keys, *lists, *entries, kept_sessions.redis_command(site.notes, "GET", keys[0])])
    for secret in (cookie.encode(), raw, raw.hex().encode(), token.encode()):
        assert secret not in kept
    assert 7000 < kept_sessions.redis_command(site.notes, "TTL", keys[0]) <= 7200
    assert 86000 < kept_sessions.redis_command(site.notes, "TTL", lists[0]) <= 86400
    for text in (kept_sessions.digest_of(keys[0]), keys[0].decode()):
        assert replay(site.notes, text).status_code == 302, "what is kept is no key to the site"


def test_nothing_of_sessions_is_in_the_database(site):
    with kept_sessions.stored.opened(site.notes.database) as database:
        assert database.execute("SELECT COUNT(*) FROM sessions").fetchone()[0] == 0


def test_idle_and_absolute_life_bound_the_key(site, redis):
    site.notes.restart(SESSION_IDLE_S=100, SESSION_ABSOLUTE_S=120)
    client = open_session(site, "you")
    key, = [key for key in kept_sessions.redis_keys(site.notes)
            if kept_sessions.redis_command(site.notes, "TTL", key) <= 100]
    kept_sessions.age(site.notes, created=70, used=70)
    assert client.get("/notes/add").status_code == 200
    assert kept_sessions.redis_command(site.notes, "TTL", key) <= 50, "what is left of the absolute life"
    kept_sessions.redis_command(site.notes, "PEXPIRE", key, 1)
    until(lambda: client.get("/notes/add").status_code == 302, "Redis has let it go")
    assert len(kept_sessions.redis_keys(site.notes)) == 1, "the other user's is still there"


def calls(redis, name):
    """How often the server ran this command."""
    lines = redis.command("INFO", "commandstats").decode().splitlines()
    return sum(int(re.search(r"calls=(\d+)", line)[1]) for line in lines if line.startswith(f"cmdstat_{name}:"))


def test_use_while_signing_out_brings_nothing_back(site, redis):
    """A request has read its session and asks for the user; when it notes the use, the session is gone. A round in which the
    answer was held for too long is none: the use had been noted by then."""
    for _ in range(20):
        kept_sessions.age(site.notes, used=100, checked=100)
        got, stored = calls(redis, "get"), calls(redis, "set")
        site.userauth.signal(signal.SIGSTOP)
        began_s = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            try:
                page = pool.submit(site.client.get, "/notes/add")
                until(lambda before=got: calls(redis, "get") > before, "the session is read")
                kept_sessions.clear(site.notes)
                held_s = time.monotonic() - began_s
            finally:
                site.userauth.signal(signal.SIGCONT)
            assert page.result().status_code == 200
        if held_s < 0.8:
            break
        site.client = open_session(site, "me")
        wait_asked(site)
    else:
        pytest.fail("this machine is too slow for the test")
    assert (calls(redis, "get"), calls(redis, "set")) == (got + 2, stored), "its use was to be noted, and there was nothing to note it in"
    assert kept_sessions.rows(site.notes) == []


def test_record_that_is_none_is_nobody(site):
    key, = kept_sessions.redis_keys(site.notes)
    for value in ("", "2\n1\n1\n1\netag\nme", "x" * 5000, b"\xff\xfe", "1\n1\n1\n1\netag\nme", "null"):
        kept_sessions.redis_command(site.notes, "SET", key, value)
        assert site.client.get("/notes/add").status_code == 302, value
    site.notes.wait_log(event="session.record_refused")


def test_who_writes_to_redis_is_nobody_else(site):
    """Neither made up, nor another's under the digest of an id of one's own, nor one's own with another's name."""
    mine = open_session(site, "you")
    rows = {row["username"]: row for row in kept_sessions.rows(site.notes)}
    key, = [key for key in kept_sessions.redis_keys(site.notes) if kept_sessions.digest_of(key) == rows["you"]["digest"].hex()]
    record = kept_sessions.redis_command(site.notes, "GET", key).decode()
    of_me, = [kept_sessions.redis_command(site.notes, "GET", other).decode()
              for other in kept_sessions.redis_keys(site.notes) if other != key]
    version, created, used, checked, etag, _, seal = record.split("\n")
    forged = {
        "the name": [version, created, used, checked, etag, "me", seal],
        "name and tag": [version, created, used, checked, rows["me"]["user_etag"], "me", seal],
        "a later begin": [version, str(int(created) + 1), used, checked, etag, "you", seal],
        "the digest of another": [version, created, used, checked, etag, "you", of_me.rpartition("\n")[2]],
        "no digest": [version, created, used, checked, etag, "you", ""],
    }
    for what, value in {"another's record": of_me, **{what: "\n".join(lines) for what, lines in forged.items()}}.items():
        kept_sessions.redis_command(site.notes, "SET", key, value)
        assert replay(site.notes, mine.session_cookie).status_code == 302, what
    kept_sessions.redis_command(site.notes, "SET", key, record)
    assert replay(site.notes, mine.session_cookie).status_code == 200, "the record itself is one"
    site.notes.wait_log(event="session.record_refused")


def test_value_of_another_type_is_an_outage_and_no_sign_out(site):
    key, = kept_sessions.redis_keys(site.notes)
    kept_sessions.redis_command(site.notes, "DEL", key)
    kept_sessions.redis_command(site.notes, "RPUSH", key, "x")
    answer = site.client.get("/notes/add")
    assert answer.status_code == 503 and "Set-Cookie" not in answer.headers


def test_number_of_the_database_counts(redis, tmp_path):
    settings = redis.settings()
    settings["REDIS_URL"] = settings["REDIS_URL"].replace("/0", "/7")
    site = Site(tmp_path, {**NOTES_ENV, **settings}).start()
    try:
        open_session(site, "me")
        assert redis.command("DBSIZE") == 0
        assert len(kept_sessions.redis_keys(site.notes)) == 1
    finally:
        site.stop()


# --- the list of a user's sessions ---

ACCOUNT = "/users/account"


def listed(client):
    return check_page(client.html(ACCOUNT)).all("li", class_="session")


def entries(site):
    key, = kept_sessions.redis_keys(site.notes, kept_sessions.LISTS)
    return kept_sessions.redis_command(site.notes, "HLEN", key)


def test_a_session_that_went_by_itself_leaves_the_list_too(site):
    others = [open_session(site, "me") for _ in range(3)]
    assert entries(site) == 4 and len(listed(site.client)) == 4
    others[0].logout()
    newest = max(kept_sessions.rows(site.notes), key=lambda row: row["created_unix_ms"])["digest"].hex()
    key, = [key for key in kept_sessions.redis_keys(site.notes) if kept_sessions.digest_of(key) == newest]
    kept_sessions.redis_command(site.notes, "PEXPIRE", key, 1)
    until(lambda: len(listed(site.client)) == 2, "both are gone")
    assert entries(site) == 2


def test_what_is_no_entry_is_not_shown(site):
    """Nobody else writes there; if somebody does, it is shown to nobody as a session."""
    open_session(site, "you")
    mine, yours = sorted(kept_sessions.rows(site.notes), key=lambda row: row["username"])
    key, = [key for key in kept_sessions.redis_keys(site.notes, kept_sessions.LISTS)
            if kept_sessions.redis_command(site.notes, "HEXISTS", key, mine["digest"].hex())]
    prefix = kept_sessions.redis_keys(site.notes)[0].rpartition(b":")[0] + b":"
    kept_sessions.redis_command(site.notes, "SET", prefix + b"a" * 63 + b"b", kept_sessions.record_of(site.notes, yours))
    kept_sessions.redis_command(site.notes, "SET", prefix + b"a" * 64, "not a record")
    kept_sessions.redis_command(site.notes, "HSET", key, yours["digest"].hex(), "1\nx\ny", "a" * 63 + "b", "1\nx\ny", "a" * 64, "z")
    kept_sessions.redis_command(site.notes, "HSET", key, mine["digest"].hex(), "1\n<b>\x07\nan\nother")
    row, = listed(site.client)
    assert "Unknown device" in row.text and "from" not in row.text
    assert site.client.post("/users/account/sessions/end-others").status_code == 302
    keys = {kept_sessions.digest_of(key) for key in kept_sessions.redis_keys(site.notes)}
    assert {mine["digest"].hex(), yours["digest"].hex()} <= keys


def test_while_redis_is_away_the_account_is_503_with_a_way_on(site, redis):
    client = open_session(site, "me")
    token, new = site.client.csrf(), new_password()
    handle, = [node["value"] for row in listed(site.client) for node in row.all("input", name="id")]
    redis.kill()
    page = error_page(site.client.get(ACCOUNT), 503)
    assert page.all_text.count("not signed out") == 1 and "Set-Cookie" not in site.client.get(ACCOUNT).headers
    end = error_page(site.client.post(f"{ACCOUNT}/sessions/end", {"csrf": token, "id": handle}), 503)
    fields = end.form(f"{ACCOUNT}/sessions/end").fields()
    assert fields == {"csrf": token, "id": handle}
    answer = site.client.post(f"{ACCOUNT}/password", {"csrf": token, "password": site.passwords["me"], "new-password": new,
                                                      "new-password-again": new})
    page = error_page(answer, 503)
    assert new not in page.source and site.passwords["me"] not in page.source and page.first("main").first("form") is None
    assert page.first("main").first("a", href=ACCOUNT) is not None
    for method, path in (("GET", "/users/sessions?username=me"), ("DELETE", "/users/sessions/x?username=me")):
        answer = Client(site.url).request(method, path, auth=("them", site.userauth.key))
        assert_error(answer, 503)
    redis.start()
    until(lambda: Client(site.url).login("you", site.passwords["you"]).headers.get("Location") == "/", "Redis is found again", 30)
    assert client.is_signed_in


def test_full_redis_ends_sessions(site, redis):
    other = open_session(site, "me")
    redis.command("CONFIG", "SET", "maxmemory", 1)
    assert len(listed(site.client)) == 2
    assert site.client.post(f"{ACCOUNT}/sessions/end-others").status_code == 302
    assert other.get("/notes/add").status_code == 302 and len(listed(site.client)) == 1


def test_a_password_that_changed_while_no_session_can_be_kept_is_told(site, redis):
    new = new_password()
    redis.command("CONFIG", "SET", "maxmemory", 1)
    answer = site.client.post(f"{ACCOUNT}/password", {"password": site.passwords["me"], "new-password": new,
                                                      "new-password-again": new})
    page = error_page(answer, 503)
    assert "Your password is changed" in page.all_text and new not in page.source
    redis.command("CONFIG", "SET", "maxmemory", 0)
    assert Client(site.url).login("me", new).headers["Location"] == "/"


RIGHTS = re.compile(r"'(-@all [^']*)'")


def restrict(redis, *more):
    """Its password is good for what it is in the containers, and for no more."""
    rights = RIGHTS.search((programs.ROOT / "docker" / "redis.sh").read_text())[1].split()
    redis.command("ACL", "SETUSER", "default", "resetkeys", "~notes:*", "resetchannels", "&notes:*", *rights, *more)


def test_the_rights_that_the_containers_give_are_enough(site, redis):
    restrict(redis)
    client = open_session(site, "me")
    assert len(listed(client)) == 2
    assert client.post(f"{ACCOUNT}/sessions/end-others").status_code == 302
    new = new_password()
    typed = {"password": site.passwords["me"], "new-password": new, "new-password-again": new}
    assert client.post(f"{ACCOUNT}/password", typed).headers["Location"] == ACCOUNT
    assert len(listed(client)) == 1
    assert wrong_login(site.notes, 0) == 302
    assert client.logout().headers["Location"] == "/" and site.client.get("/notes/add").status_code == 302
    assert site.notes.log_lines(level="error") == [] and not site.notes.log_lines(event="session.make_room_failed")


def test_with_the_rights_of_the_release_before_people_sign_in(site, redis):
    """The servers are updated one after the other; a Redis that grants no lists yet keeps sessions all the same."""
    restrict(redis, "-hset", "-hsetnx", "-hgetall", "-hdel", "-pexpire")
    client = open_session(site, "me")
    assert client.get("/notes/add").status_code == 200 and site.client.get("/notes/add").status_code == 200
    site.notes.wait_log(event="session.make_room_failed", user="me")
    error_page(client.get(ACCOUNT), 503)
    assert client.logout().headers["Location"] == "/"


# --- two processes ---

@pytest.fixture
def two(redis, tmp_path):
    """A site and a second notes-svc beside it, on one MariaDB and one Redis."""
    server = mariadb.shared()
    database = server.settings(server.database_of((tmp_path, "two")))
    both = Site(tmp_path, {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 2, **database, **redis.settings()}).start()
    second = Notes(both.state_dir, both.userauth, **both.notes_env).start()
    yield both, second
    second.stop()
    both.stop()


def wrong_login(notes, number):
    """Each time another name: userauth-svc has a limit of its own for one name."""
    return Client(notes.url).login(f"nobody{number}", "wrong").status_code


def test_two_share_sign_in_and_sign_out(two):
    site, second = two
    client = open_session(site, "me")
    cookie = client.session_cookie
    assert replay(second, cookie).status_code == 200
    with Raw(second.url, cookie=cookie) as raw:
        raw.join()
        assert Client(second.url).get("/users/logout", headers={"Cookie": f"notescookie.sid={cookie}"}).status_code == 302
        assert raw.is_ended()
    assert client.get("/notes/add").status_code == 302
    assert replay(site.notes, cookie).status_code == 302


def test_two_end_each_others_sessions_and_sockets(two):
    site, second = two
    me = open_session(site, "me")
    there = [Client(second.url) for _ in range(3)]
    for client in there:
        assert client.login("me", site.passwords["me"]).headers["Location"] == "/"
        assert client.get("/").status_code == 200, "it is kept there for a moment"
    handles = [row.first("input", name="id") for row in listed(me)]
    assert len(handles) == 4
    with Raw(second.url, cookie=there[2].session_cookie) as raw:
        raw.join()
        assert me.post(f"{ACCOUNT}/sessions/end", {"id": handles[0]["value"]}).status_code == 302
        assert raw.is_ended()
    with Raw(second.url, cookie=there[0].session_cookie) as raw, Raw(second.url, cookie=there[1].session_cookie) as other:
        raw.join()
        other.join()
        new = new_password()
        typed = {"password": site.passwords["me"], "new-password": new, "new-password-again": new}
        assert me.post(f"{ACCOUNT}/password", typed).headers["Location"] == ACCOUNT
        assert raw.is_ended() and other.is_ended()
    for client in there:
        until(lambda: client.html("/").by_id("signed-in-user") is None, "its page is a stranger's")
        assert replay(site.notes, client.session_cookie).status_code == 302
    assert replay(second, me.session_cookie).status_code == 200


def test_two_count_failed_logins_together(two, redis):
    site, second = two
    assert [wrong_login(notes, number) for number, notes in enumerate((site.notes, second, site.notes))] == [302, 302, 429]
    for notes in (site.notes, second):
        answer = Client(notes.url).login("me", site.passwords["me"])
        assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
    key, = redis.command("KEYS", "notes:*:login:*")
    assert 0 < redis.command("PTTL", key) <= 60000
    redis.command("DEL", key)
    assert wrong_login(second, 9) == 302, "the second saw less than its own limit"


def test_right_logins_count_nowhere(two, redis):
    site, second = two
    for number in range(8):
        assert Client((site.notes, second)[number % 2].url).login("me", site.passwords["me"]).status_code == 302
    assert redis.command("KEYS", "notes:*:login:*") == []


def test_garbled_counter_leaves_the_limit_of_the_process(two, redis):
    site, _ = two
    wrong_login(site, 0)
    key, = redis.command("KEYS", "notes:*:login:*")
    redis.command("SET", key, "garbled")
    assert [wrong_login(site, number) for number in (1, 2)] == [302, 429]


# --- away ---

def test_reading_goes_on_and_nobody_is_signed_out(site, redis):
    before = site.client.get("/").headers["ETag"]
    redis.kill()
    wait_unknown(site)
    for path in ("/", view_path("k"), "/users/login"):
        answer = site.client.get(path)
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers, path
        assert_unknown(check_page(site.client.html(path)), path)
    unknown = site.client.get("/", headers={"If-None-Match": before})
    assert unknown.status_code == 200 and unknown.headers["ETag"] != before
    assert_unknown(error_page(site.client.get("/nowhere"), 404))
    stranger = Client(site.url).html("/")
    assert NOTICE not in stranger.all_text, "who brings no session is told nothing"
    assert "/users/login" in [node.get("href") for node in stranger.first("header").all("a")]
    redis.start()
    until(lambda: site.client.get("/", headers={"If-None-Match": unknown.headers["ETag"]}).status_code == 200,
          "the page without the notice is another one", 30)


def test_what_needs_a_session_is_503_and_keeps_the_text(redis, tmp_path):
    with Redis(append_only=True) as durable:
        site = Site(tmp_path, {**NOTES_ENV, **durable.settings()}).start()
        site.client = open_session(site, "me")
        create_note(site.client, "k")
        site.client.csrf()
        durable.kill()
        try:
            error_page(site.client.get("/notes/add"), 503)
            assert int(site.client.get("/notes/add").headers["Retry-After"]) >= 1
            assert site.client.head("/notes/add").status_code == 503
            saved = site.client.post("/notes/save", {"docreate": "create", "notekey": "new", "title": "My title",
                                                     "body": "typed\r\n<b>text</b>"})
            page = error_page(saved, 503)
            note_again = page.form("/notes/save").fields()
            assert note_again["title"] == "My title" and note_again["body"].split() == ["typed", "<b>text</b>"]
            assert page.all_text.count("not signed out") == 1
            page = error_page(site.client.post("/notes/comment", {"key": "k", "message": "my remark"}), 503)
            comment_again = page.form("/notes/comment").fields()
            script = site.client.post("/notes/comment", {"key": "k", "message": "m"}, headers={"Accept": "application/json"})
            assert_error(script, 503)
            assert site.client.session_cookie
            durable.start()
            wait_back(site)
            assert "my remark" not in site.client.get(view_path("k")).text
            assert leads_to_view(site.client.post("/notes/save", note_again), "new")
            assert site.client.post("/notes/comment", comment_again).status_code == 302
            assert "my remark" in site.client.get(view_path("k")).text
        finally:
            site.stop()


def test_login_while_away_is_503(site, redis):
    redis.kill()
    client = Client(site.url)
    page = error_page(client.login("me", site.passwords["me"]), 503)
    assert not client.is_signed_in and "not signed in" in page.all_text
    assert client.login("me", "wrong").status_code == 302
    redis.start()
    until(lambda: client.login("me", site.passwords["me"]).headers.get("Location") == "/", "logging in works again", 30)


@pytest.mark.parametrize("is_post", [False, True])
def test_logout_while_away_is_honest(site, redis, is_post):
    redis.kill()
    answer = site.client.post("/users/logout") if is_post else site.client.get("/users/logout")
    page = error_page(answer, 503)
    assert "could not be ended everywhere" in page.all_text
    assert "notescookie.sid=;" in answer.headers["Set-Cookie"] and int(answer.headers["Retry-After"]) >= 1
    assert not site.client.is_signed_in
    assert NOTICE not in page.all_text
    line = site.notes.wait_log(event="auth.logout_failed", req_id=answer.headers["X-Request-Id"])
    assert (line["level"], line["peer"]) == ("error", "127.0.0.1") and line["why"]


def test_logout_while_away_as_json(site, redis):
    redis.kill()
    answer = site.client.get("/users/logout", headers={"Accept": "application/json"})
    assert_error(answer, 503)
    assert "notescookie.sid=;" in answer.headers["Set-Cookie"]


def test_limit_of_the_process_holds_while_away(site, redis):
    site.notes.restart(LOGIN_FAILURES_PER_MIN=2)
    redis.kill()
    assert [wrong_login(site, number) for number in range(3)] == [302, 302, 429]


def test_health_tells_it_and_the_log_once(site, redis):
    assert dependencies(site.notes)["redis"] == "ok"
    redis.kill()
    until(lambda: dependencies(site.notes)["redis"] == "lost", "the loss is known", 30)
    for _ in range(20):
        site.client.get("/")
    assert Client(site.url).get("/readyz").status_code == 200
    redis.start()
    until(lambda: dependencies(site.notes)["redis"] == "ok", "it is found again", 30)
    site.notes.wait_log(event="redis.back")
    assert len(site.notes.log_lines(event="redis.lost")) == 1
    assert len(site.notes.log_lines(event="redis.back")) == 1


def test_hanging_redis_is_an_absent_one(site, redis):
    redis.pause()
    wait_unknown(site)
    assert site.client.get("/").status_code == 200
    error_page(site.client.get("/notes/add"), 503)
    redis.resume()
    wait_back(site)


def test_start_without_redis(redis, tmp_path):
    redis.stop()
    site = Site(tmp_path, {**NOTES_ENV, **redis.settings()}).start()
    try:
        assert dependencies(site.notes)["redis"] == "lost"
        site.notes.wait_log(event="redis.lost", level="error")
        assert Client(site.url).get("/").status_code == 200
        assert Client(site.url).login("me", site.passwords["me"]).status_code == 503
        redis.start()
        client = Client(site.url)
        until(lambda: client.login("me", site.passwords["me"]).headers.get("Location") == "/", "it is found by itself", 30)
        assert client.get("/notes/add").status_code == 200
    finally:
        site.stop()


def test_start_with_a_wrong_password_says_so(redis, tmp_path):
    wrong = new_password("redis")
    site = Site(tmp_path, {**NOTES_ENV, **redis.settings(), "REDIS_PASSWORD": wrong}).start()
    try:
        lost = site.notes.wait_log(event="redis.lost")
        assert "password" in lost["why"].lower() or "WRONGPASS" in lost["why"], lost
        assert dependencies(site.notes)["redis"] == "lost"
        assert Client(site.url).get("/").status_code == 200
        assert Client(site.url).login("me", site.passwords["me"]).status_code == 503
    finally:
        site.stop()


# --- live sockets ---

def test_sockets_outlive_redis_and_events_are_refused(site, redis):
    with Live(site.url, cookie=site.client.session_cookie, notes={"key": "k"}) as live, \
            Live(site.url, notes={"key": "k"}) as stranger:
        redis.kill()
        answer = live.call("create-message", {"message": "lost?"})
        assert answer["code"] == "ServiceUnavailable", answer
        assert live.is_connected() and stranger.is_connected()
        with Live(site.url, cookie=site.client.session_cookie, notes={"key": "k"}) as late:
            assert late.is_connected(), "anybody may listen"
    assert "lost?" not in Client(site.url).get(view_path("k")).text


# --- full ---

def test_full_redis_reads_on_and_takes_no_login(site, redis):
    redis.command("CONFIG", "SET", "maxmemory", 1)
    assert site.client.get("/notes/add").status_code == 200
    assert site.client.post("/notes/comment", {"key": "k", "message": "m"}).status_code == 302
    fresh = Client(site.url)
    page = error_page(fresh.login("me", site.passwords["me"]), 503)
    assert "not signed in" in page.all_text and not fresh.is_signed_in
    assert site.client.logout().status_code == 302, "what frees room works"
    redis.command("CONFIG", "SET", "maxmemory", 0)
    assert fresh.login("me", site.passwords["me"]).status_code == 302 and fresh.is_signed_in


def test_use_that_full_redis_cannot_note_is_logged_and_goes_on(site, redis):
    kept_sessions.age(site.notes, used=100, checked=1)
    redis.command("CONFIG", "SET", "maxmemory", 1)
    assert site.client.get("/notes/add").status_code == 200
    site.notes.wait_log(event="session.touch_failed")

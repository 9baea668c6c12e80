# SPDX-License-Identifier: MIT
"""Titles, keys, bodies, comments and names that try to be something else; bodies and headers made to hurt.

For every text: the page parses to what we made and nothing more, and the text comes back as it was typed.
"""

import itertools
import json
import threading
import time

import pytest

from harness.client import browser_session as open_session
from harness.client import read_page
from harness.raw import Connection, exchange, request_bytes
from notes_verbs import (check_page, comment, create_note, dangers, destroy_note, destroy_path, edit_fields,
                         edit_note,
                         edit_path, error_page, note_titles, shown_comments, view_path)

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
JSON = {"Accept": "application/json"}
_serial = itertools.count(1)

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "closing": "</textarea></title></main></body></html><script>alert(1)</script>",
    "img": '<img src=x onerror="alert(1)">',
    "svg": "<svg/onload=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x="',
    "single quotes": "' onmouseover='alert(1)' x='",
    "backticks": "` onmouseover=`alert(1)`",
    "comment": "--><script>alert(1)</script><!--",
    "cdata": "]]><script>alert(1)</script>",
    "entity": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "entity without end": "&ltscript&gtalert(1) &amp &#60script&#62",
    "half a tag": "<scr",
    "ampersand": "a & b && c &nbsp; &copy; &#x3c;",
    "javascript link": "[x](javascript:alert(1)) <javascript:alert(1)> javascript:alert(1)",
    "data link": "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "link title": '[x](http://a "\\" onmouseover=\\"alert(1)")',
    "link target": "[x](http://a/\"onmouseover=\"alert(1)) [y](<http://a/' onclick='x>)",
    "image": '![x" onerror="alert(1)](x)',
    "reference": "[x]: javascript:alert(1)  [x]",
    "fence": '```"><script>alert(1)</script>',
    "template": "{{ frame.csrf }} {% include \"_top\" %} ${7*7} #{7*7} <%= 7*7 %> {{7*7}}",
    "sql": "'; DROP TABLE notes; --",
    "sql or": "\" OR \"\"=\" ' OR 1=1 /* */ %' LIKE '%_",
    "format": "%s%n%x %1$s %%",
    "url": "a&key=b#c?d=e%20%00%ff+/../\\",
    "path": "../../../../etc/passwd",
    "rtl": "\u202egnp.exe \u2066\u2067 \u05d0\u05d1\u05d2 \u0627\u0644\u0639",
    "4 byte": "\U0001F433\U0001F426 \U0001F468\u200d\U0001F469\u200d\U0001F467",
    "combining": "Z\u0351\u036b\u0343\u036a\u0302a\u0300\u0301\u0302\u0303\u0304",
    "line separators": "a\u2028b\u2029c",
    "invisible": "a\u200b\u200c\u200d\ufeffb\u00ad",
    "non-characters": "a\ufffd\ufffe\uffffb",
    "long word": "W" * 250,
    "json": '{"code":"x"}\\u003cscript\\u003e</script>',
    "header": "Set-Cookie: a=b X-Evil: 1",
    "only marks": "***___~~~```>>>[[[((((",
    "null words": "null undefined NaN true [object Object]",
}


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


def note_key():
    return f"hostile-{next(_serial)}"


def check_clean(page):
    """dangers() is part of check_page; this adds that script and form are exactly our own."""
    check_page(page)
    assert len(page.all("script")) <= 1
    assert page.by_id("notebody") is None or page.by_id("notebody").all("script") == []
    return page


@pytest.mark.parametrize("name", HOSTILE)
def test_as_title(me, name):
    text = HOSTILE[name]
    key = note_key()
    create_note(me, key, text, "body")
    page = check_clean(me.html(view_path(key)))
    assert page.text("notetitle") .strip() == text.strip()
    assert text.strip() in page.title
    assert (key, text.strip()) in [(one, title.strip()) for one, title in note_titles(check_clean(me.html("/")))]
    assert check_clean(me.html(edit_path(key))).form("/notes/save").fields()["title"] == text
    assert text in check_clean(me.html(destroy_path(key))).first("main").text


@pytest.mark.parametrize("name", HOSTILE)
def test_as_key(me, name):
    key = HOSTILE[name]
    create_note(me, key, f"title of {name}", "body")
    page = check_clean(me.html(view_path(key)))
    assert page.text("notetitle").strip() == f"title of {name}"
    assert key in page.first("main").text
    assert (key, f"title of {name}") in note_titles(check_clean(me.html("/")))
    number = comment(me, key, "a comment")["id"]
    page = check_clean(me.html(view_path(key)))
    links = {node["href"] for node in page.all("a")}
    assert page.by_id("notedestroy")["href"] in links
    for action in ("/notes/comment", "/notes/comment/destroy"):
        assert page.form(action).fields()["key"] == key
    assert me.get(page.by_id("notedestroy")["href"]).status_code == 200
    edit_links = [href for href in links if href.startswith("/notes/edit?key=")]
    assert check_clean(me.html(edit_links[0])).form("/notes/save").fields()["notekey"] == key
    assert me.post("/notes/comment/destroy", {"key": key, "id": number}).status_code == 302
    edit_note(me, key, title="edited")
    destroy_note(me, key)
    error_page(me.get(view_path(key)), 404)


@pytest.mark.parametrize("name", HOSTILE)
def test_as_body(me, name):
    text = HOSTILE[name]
    for source in (text, "# " + text, "- " + text, "> " + text, "| a |\n|---|\n| " + text + " |", "    " + text,
                   "**" + text + "**"):
        key = note_key()
        create_note(me, key, "T", source)
        page = check_clean(me.html(view_path(key)))
        body = page.by_id("notebody")
        assert body.all("img") + body.all("iframe") + body.all("form") + body.all("svg") == []
        assert edit_fields(me, key)["body"] == source
        destroy_note(me, key)


@pytest.mark.parametrize("name", HOSTILE)
def test_as_comment(me, name):
    text = HOSTILE[name]
    key = note_key()
    create_note(me, key)
    body = comment(me, key, text)
    assert body["message"] == text
    page = check_clean(me.html(view_path(key)))
    assert text in shown_comments(page)[f"note-message-{body['id']}"].text


@pytest.mark.parametrize("name", [name for name in HOSTILE if len(HOSTILE[name]) <= 64 and "/" not in HOSTILE[name]])
def test_as_user_name(site, me, name):
    user = HOSTILE[name]
    site.add_user(user)
    client = open_session(site, user)
    key = note_key()
    create_note(client, key)
    body = comment(client, key, "by a strange name")
    assert body["from"] == user
    for viewer in (client, me):
        page = check_clean(viewer.html(view_path(key)))
        assert user in shown_comments(page)[f"note-message-{body['id']}"].text
        assert page.form("/notes/comment/destroy") is not None or viewer is me
    assert user in check_clean(client.html("/")).first("header").text


@pytest.mark.parametrize("name", HOSTILE)
def test_as_user_name_at_login(site, name):
    client = open_session(site)
    answer = client.login(HOSTILE[name], "x")
    if answer.status_code == 302:
        page = check_clean(client.html("/users/login"))
    else:
        assert answer.status_code in (400, 429)
        page = check_clean(read_page(answer))
    form = page.form("/users/login")
    if form is not None and form.fields()["username"]:
        assert form.fields()["username"] == HOSTILE[name][:64], "a name has 64 characters at most"


@pytest.mark.parametrize("name", HOSTILE)
def test_in_refusals(me, name):
    """Error pages and refused forms show what was typed, as text."""
    text = HOSTILE[name]
    create = {"docreate": "create", "notekey": "", "title": text, "body": text, "csrf": "wrong"}
    page = check_clean(read_page(me.post("/notes/save", create)))
    assert text in [node.text for node in page.all("textarea")]
    page = check_clean(read_page(me.post("/notes/save", {**create, "csrf": me.csrf(), "title": ""})))
    assert page.form("/notes/save").fields()["body"] == text
    key = note_key()
    create_note(me, key, "T " + text[:200], text)
    page = check_clean(read_page(me.post("/notes/save", {**create, "notekey": key, "csrf": me.csrf()})))
    fields = page.form("/notes/save").fields()
    assert (fields["title"], fields["body"]) == (text, text)
    check_clean(read_page(me.get("/" + text.encode().hex() + "?" + text.replace("#", ""))))
    answer = me.get("/nowhere", headers={"Referer": "http://evil.example/<script>", "User-Agent": "<script>",
                                         "Accept": "<x>"})
    check_clean(error_page(answer, 404))


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "%3Cscript%3Ealert(1)%3C/script%3E",
                                  '"onmouseover="x'])
def test_in_the_path_and_query(site, me, text):
    for path in ("/" + text, "/notes/view?key=" + text, "/?page=" + text, "/users/login?x=" + text,
                 "/assets/" + text):
        answer = exchange(site.notes.port, "GET", path, [("Connection", "close")])
        assert answer.status in (200, 400, 404)
        assert b"<script>alert" not in answer.body
        assert b'"onmouseover="x' not in answer.body


# --- Markdown made to hurt ---

MIB = 1024 * 1024
BOMBS = {
    "wide table": "|" + "a|" * 20000 + "\n|" + "-|" * 20000 + "\n" + ("|" + "b|" * 10 + "\n") * 2000,
    "tall table": "|a|b|\n|-|-|\n" + "||\n" * 200_000,
    "quotes": ">" * MIB,
    "brackets": "[" * MIB,
    "closing brackets": "]" * MIB,
    "images": "![" * (MIB // 2),
    "links": "[a](" * (MIB // 4),
    "stars": "*" * MIB,
    "emphasis": "*a " * (MIB // 3),
    "mixed emphasis": "*a_ " * (MIB // 4),
    "tildes": "~~a " * (MIB // 4),
    "www": "www._" * (MIB // 5),
    "urls": "http://a." * (MIB // 9),
    "addresses": "a@b." * (MIB // 4),
    "backticks": "".join("`" * number + " " for number in range(1, 1400)),
    "nested lists": "".join(" " * number + "- a\n" for number in range(1000)),
    "flat lists": "- a\n" * (MIB // 4),
    "rules": "---\n" * (MIB // 4),
    "ampersands": "&" * MIB,
    "angles": "<" * MIB,
    "backslashes": "\\" * MIB,
    "references": "".join(f"[r{number}]: /u\n" for number in range(40_000)) + "[r1]" * 40_000,
    "same reference": "[r]: /" + "u" * 50_000 + "\n\n" + "[r]" * 100_000,
    "one line": "a" * MIB,
    "line ends": "\n" * MIB,
    "fences": "```\n" * (MIB // 4),
    "headings": "# a\n" * (MIB // 4),
    "html openings": "<!--" * (MIB // 4),
    "tabs": "\t" * MIB,
    "4 byte": "\U0001F433" * (MIB // 4),
    "urls and brackets": "http://a.b/(" * (MIB // 12),
    "urls and marks": "https://a.b/*_~[" * (MIB // 16),
    "urls and blanks": "http://a.b/ [ " * (MIB // 14),
    "urls on lines": "http://a.b\n" * (MIB // 11),
    "brackets over lines": "[\n]" * (MIB // 3),
    "links on lines": "[a](\n" * (MIB // 5),
}


@pytest.mark.parametrize("name", BOMBS)
def test_markdown_bomb_is_kept_and_the_service_serves_on(site, me, name):
    """Each is saved within the request's deadline, or refused with the text kept; others are served meanwhile."""
    key, text, answers = note_key(), BOMBS[name], []
    client = open_session(site, "you")
    fields = {"docreate": "create", "notekey": key, "title": "T", "body": text, "csrf": client.csrf()}
    thread = threading.Thread(target=lambda: answers.append(client.post("/notes/save", fields, timeout=120)))
    thread.start()
    while thread.is_alive():
        assert me.get("/healthz").status_code == 200
        assert me.get("/").status_code == 200
        thread.join(0.2)
    assert [answer.status_code for answer in answers] == [302]
    page = me.get(view_path(key), timeout=120)
    assert page.status_code == 200
    assert len(page.content) < 6 * MIB, "over 4 MiB of HTML the text is shown as it is"
    raw = me.get(edit_path(key), timeout=120)
    assert raw.status_code == 200
    destroy_note(me, key)


def test_bombs_saved_at_once_do_not_stop_readers(site, me):
    key = note_key()
    create_note(me, key, "T", "read me")
    names = ["urls and brackets", "urls and blanks", "brackets over lines", "links on lines"] * 2
    clients, answers = [open_session(site, "you") for _ in names], []

    def save(client, name):
        fields = {"docreate": "create", "notekey": note_key(), "title": "T", "body": BOMBS[name],
                  "csrf": client.csrf()}
        answers.append(client.post("/notes/save", fields, timeout=120).status_code)

    threads = [threading.Thread(target=save, args=pair) for pair in zip(clients, names)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert me.get("/").status_code == 200
        assert me.get(view_path(key)).status_code == 200
        time.sleep(0.1)
    assert answers == [302] * len(names)


def test_html_over_4_mib_is_shown_as_text(me):
    key = note_key()
    create_note(me, key, "T", ">" * MIB)
    page = check_clean(me.html(view_path(key)))
    assert page.by_id("notebody").all("blockquote") == []
    assert page.text("notebody").strip() == ">" * MIB


# --- bodies and headers made to hurt ---

def cookie_headers(site, client, **more):
    return [("Host", site.url[7:]), ("Origin", site.url), ("Cookie", f"notescookie.sid={client.session_cookie}"),
            ("Content-Type", "application/x-www-form-urlencoded")] + list(more.items())


def alive(site):
    answer = exchange(site.notes.port, "GET", "/healthz", [("Connection", "close")])
    assert answer.status == 200


def test_truncated_body_changes_nothing(site, me):
    key = note_key()
    body = f"docreate=create&notekey={key}&title=T&csrf={me.csrf()}&body=half".encode()
    headers = cookie_headers(site, me) + [("Content-Length", str(len(body) + 100))]
    with Connection(site.notes.port) as connection:
        connection.send(request_bytes("POST", "/notes/save", headers) + body)
    alive(site)
    assert me.get(view_path(key)).status_code == 404


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """The port of a notes-svc that waits one second for anything."""
    from harness.services import Notes
    service = Notes(tmp_path_factory.mktemp("hasty") / "state", None, USER_SERVICE_URL="http://127.0.0.1:9",
                    USER_SERVICE_KEY="a key that nobody has", READ_TIMEOUT_S=1, IDLE_TIMEOUT_S=1)
    with service:
        yield service.port


LOGIN = (b"POST /users/login HTTP/1.1\r\nHost: localhost\r\n"
         b"Content-Type: application/x-www-form-urlencoded\r\n")
NEVER_WHOLE = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "half the headers": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-",
    "no body": LOGIN + b"Content-Length: 100\r\n\r\n",
    "half a body": LOGIN + b"Content-Length: 100\r\n\r\nusername=me&passw",
    "half a chunk": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n10\r\nusername",
    "a foreign form": b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
}


@pytest.mark.parametrize("name", NEVER_WHOLE)
def test_request_that_never_gets_whole_is_given_up(hasty, name):
    with Connection(hasty, timeout_s=30) as connection:
        connection.try_send(NEVER_WHOLE[name])
        answer = connection.answer("POST")
        assert answer is None or answer.status in (400, 404, 408)
        assert answer is None or connection.is_closed()


def test_request_that_drips_is_given_up(hasty):
    """A byte now and then keeps no connection: the whole request has its time, not each byte."""
    with Connection(hasty, timeout_s=30) as connection:
        connection.send(NEVER_WHOLE["no body"])
        connection.socket.settimeout(0.3)
        end = time.monotonic() + 25
        while time.monotonic() < end:
            try:
                if not connection.socket.recv(4096):
                    return
            except TimeoutError:
                pass
            except ConnectionError:
                return
            if not connection.try_send(b"u"):
                return
            if time.monotonic() > end:
                break
    pytest.fail("the connection was still taken after 25 s")


def test_dripping_body_does_not_hold_a_worker(site, me):
    """More slow senders than workers: everyone else is served meanwhile."""
    slow = []
    for _ in range(40):
        connection = Connection(site.notes.port)
        connection.send(request_bytes("POST", "/notes/save", cookie_headers(site, me) + [("Content-Length", "1000")],
                                      None) + b"body=")
        slow.append(connection)
    key = note_key()
    create_note(me, key)
    assert me.get(view_path(key)).status_code == 200
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("headers", [
    [("X-Long", "x" * 65536)], [("Cookie", "a=" + "x" * 65536)],
    [("Cookie", "; ".join(f"c{number}=v" for number in range(6000)))],
    [(f"X-{number}", "v") for number in range(5000)], [("Accept-Encoding", "gzip;q=0.5, " * 5000)],
    [("If-None-Match", '"x", ' * 12000)],
    [("Host", "x" * 65536)], [("X-Forwarded-For", "1.2.3.4, " * 7000)], [("Origin", "http://" + "x" * 65536)],
], ids=["one long", "cookie", "cookies", "many", "encodings", "tags", "host", "forwarded", "origin"])
def test_headers_of_64_kib_are_refused(site, headers):
    for method in ("GET", "POST"):
        answer = exchange(site.notes.port, method, "/", headers + [("Connection", "close")],
                          b"" if method == "POST" else None)
        assert answer.status == 431
    assert site.notes.wait_log(event="http.request_refused", status=431)["level"] == "info"
    alive(site)


@pytest.mark.parametrize("path", ["/" + "x" * 8192, "/notes/view?key=" + "x" * 8192, "/users/login?" + "x" * 20000])
def test_address_over_8_kib_is_a_414_of_ours(site, path):
    """As what the library refuses by itself, but as a page, or JSON, and with a line of its own in the log."""
    answer = exchange(site.notes.port, "GET", path, [("Connection", "close")])
    assert answer.status == 414 and b"This address is too long" in answer.body
    assert site.notes.wait_log(event="http.request_done", status=414)["err"] == "TARGET_TOO_LONG"
    of_users = exchange(site.userauth.port, "GET", path, [("Connection", "close")])
    assert of_users.status == 414 and json.loads(of_users.body)["code"] == "UriTooLong"
    alive(site)


def test_path_of_64_kib_is_refused(site):
    for path in ("/" + "x" * 65536, "/notes/view?key=" + "x" * 65536, "/?" + "a=b&" * 16000):
        answer = exchange(site.notes.port, "GET", path, [("Connection", "close")])
        assert answer.status == 414
    site.notes.wait_log(event="http.request_refused", status=414)
    alive(site)


FORMS = [b"", b"&", b"&&&&", b"=", b"===", b"=&=", b"a", b"a=b=c", b"%", b"%4", b"%zz=%zz", b"key", b"key=&key",
         b"key=%00", b"\x00\xff\xfe",
         b"key[]=a", b"key[a]=b", b"&" * 50000, b"a=b&" * 40000, b"a" * 60000, b"=" * 60000, b"%41" * 20000,
         b"+" * 60000,
         b'{"key":"a"}', b"--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--x--"]


@pytest.mark.parametrize("path", ["/notes/save", "/notes/comment", "/notes/comment/destroy", "/notes/destroy/confirm",
                                  "/users/login", "/users/logout"])
def test_malformed_forms_are_refused(site, me, path):
    for form in FORMS:
        for prefix in (b"", b"csrf=" + me.csrf().encode() + b"&"):
            if path == "/users/logout" and prefix:
                continue
            answer = me.post(path, prefix + form)
            allowed = (302, 400, 413, 429) if path == "/users/login" else (400, 403, 413)
            assert answer.status_code in allowed, (prefix[:4], form[:40], answer.status_code)
            if answer.status_code != 302:
                assert dangers(read_page(answer)) == []
    assert me.get("/notes/add").status_code == 200


def test_comment_to_a_note_just_destroyed(site, me):
    """The form is still open in one browser while another destroys the note: a 404 page that keeps the text."""
    key = note_key()
    create_note(me, key)
    you = open_session(site, "you")
    form = you.html(view_path(key)).form("/notes/comment").fields()
    destroy_note(me, key)
    answer = you.post("/notes/comment", {**form, "message": "typed too late"})
    page = error_page(answer, 404)
    assert "typed too late" in [node.text for node in page.all("textarea")], "the typed comment is lost"
    script = you.post("/notes/comment", {**form, "message": "typed too late"}, headers=JSON)
    assert script.status_code == 404
    assert script.json()["code"]


def test_comments_race_with_the_destruction(site, me):
    """Each comment is either taken before or refused after; the service never fails and leaves nothing half done."""
    for _ in range(5):
        key = note_key()
        create_note(me, key)
        statuses, clients = [], [open_session(site, "you") for _ in range(4)]
        tokens = [client.csrf() for client in clients]

        def write(number):
            for _ in range(5):
                data = {"key": key, "message": "racing", "csrf": tokens[number]}
                statuses.append(clients[number].post("/notes/comment", data, headers=JSON).status_code)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(len(clients))]
        for thread in threads:
            thread.start()
        destroy_note(me, key)
        for thread in threads:
            thread.join()
        assert set(statuses) <= {200, 404}
        create_note(me, key)
        assert shown_comments(me.html(view_path(key))) == {}

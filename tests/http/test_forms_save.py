# SPDX-License-Identifier: MIT
"""Saving a note: keys, versions, limits. Whatever the answer is, nothing that was typed is lost."""

import itertools
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from harness.client import browser_session as open_session
from harness.client import read_page
from harness.raw import Connection, request_bytes
from notes_verbs import (check_page, create_note, destroy_note, edit_fields, edit_note, edit_path, error_page,
                         leads_to_view, note_titles, tables_holding, view_path)

NOTES_ENV = {"WRITES_PER_MIN": 0}
MIB = 1024 * 1024
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


@pytest.fixture(scope="module")
def you(site):
    return open_session(site, "you")


@pytest.fixture
def key():
    return f"key-{next(_serial)}"


def create(client, key, title="A title", body="A body", **more):
    return client.post("/notes/save", {"docreate": "create", "notekey": key, "title": title, "body": body, **more})


def made_key(answer):
    assert answer.status_code == 302, answer.text[:2000]
    return parse_qs(urlsplit(answer.headers["Location"]).query)["key"][0]


def kept(page, text):
    """Whether this text is on the page whole: in a field of a form, or to be copied."""
    areas = [node.text for node in page.all("textarea")] + [node.get("value") or "" for node in page.all("input")]
    return text in areas


# --- create ---

def test_create_with_a_key(me, key):
    assert leads_to_view(create(me, key), key)
    fields = edit_fields(me, key)
    assert (fields["title"], fields["body"]) == ("A title", "A body")


@pytest.mark.parametrize("title, slug", [
    ("Hello, World!", "hello-world"), ("  two  spaces ", "two-spaces"), ("Ärger & Glück", "Ärger-glück"),
    ("A" * 255, "a" * 200), ("日本語", "日本語"), ("<script>x</script>", "script-x-script"),
    ("../../etc", "etc"),
])
def test_empty_key_is_made_from_the_title(me, title, slug):
    name = made_key(create(me, "", title))
    assert 1 <= len(name) <= 255
    assert not name.startswith("-") and not name.endswith("-")
    assert name == slug
    assert check_page(me.html(view_path(name))).text("notetitle").strip() == title.strip()


def test_a_title_without_letters_makes_a_key_too(me):
    titles = ["???", "\U0001F433\U0001F433"]
    names = [made_key(create(me, "", title)) for title in titles]
    assert names == ["note", "note-2"]
    assert [check_page(me.html(view_path(name))).text("notetitle").strip() for name in names] == titles


def test_made_keys_are_unique(me):
    names = [made_key(create(me, "", "The same title")) for _ in range(4)]
    assert names == ["the-same-title", "the-same-title-2", "the-same-title-3", "the-same-title-4"]


def test_missing_key_field_is_an_empty_key_or_refused(me):
    answer = me.post("/notes/save", {"docreate": "create", "title": "No key field", "body": "typed text"})
    if answer.status_code == 400:
        assert kept(check_page(read_page(answer)), "typed text")
    else:
        assert made_key(answer) == "no-key-field"


def test_existing_key_is_a_409_page_with_both_texts(me, you, key):
    create_note(me, key, "Their title", "Their\nbody <b>")
    answer = create(you, key, "My title", "My\nbody & more")
    assert answer.status_code == 409
    page = check_page(read_page(answer))
    assert "Their\nbody <b>" in page.source.replace("&lt;", "<").replace("&gt;", ">")
    assert "Their title" in page.first("main").text
    form = page.form("/notes/save").fields()
    assert (form["docreate"], form["notekey"]) == ("create", key)
    assert (form["title"], form["body"]) == ("My title", "My\nbody & more")
    assert [node for node in page.all("a") if node.get("href") == view_path(key)]
    assert edit_fields(me, key)["body"] == "Their\nbody <b>"
    again = you.post("/notes/save", {**form, "notekey": key + "-b"})
    assert leads_to_view(again, key + "-b")
    assert edit_fields(me, key + "-b")["body"] == "My\nbody & more"


def test_key_of_a_conflict_page_can_be_typed(me, you, key):
    create_note(me, key)
    page = read_page(create(you, key, "T", "B"))
    field = page.form("/notes/save").first("input", name="notekey")
    assert field.get("type", "text") == "text"
    assert "readonly" not in field.attrs


@pytest.mark.parametrize("name", ["a b", " leading", "trailing ", "UPPER", "upper", "a/b", "a?b", "a&b=c", "a#b",
                                  "a%20b", "a+b", "..", ".",
                                  "<b>", '"quoted"', "it's", "ä", "a\u0308", "日本", "\U0001F433", "\u202ertl",
                                  "k" * 255, "ä" * 255,
                                  "\U0001F433" * 255, "null", "0", "-1", "__proto__", "'; DROP TABLE notes; --", "%",
                                  "%zz", "\\", "a\\b",
                                  "add", "//evil.example", "javascript:alert(1)"])
def test_key_is_taken_byte_by_byte(me, name):
    answer = create(me, name, "Title of it", f"body of {name}")
    assert leads_to_view(answer, name)
    page = check_page(read_page(me.get(answer.headers["Location"])))
    assert name in page.first("main").text
    assert edit_fields(me, name)["notekey"] == name
    assert page.by_id("notebody").text.strip() != ""


def test_keys_that_differ_in_bytes_are_different_notes(me):
    pairs = [("case", "CASE"), ("nfc-é", "nfc-e\u0301"), ("space", "space "), ("width", "ｗidth")]
    for number, pair in enumerate(pairs):
        for name in pair:
            create_note(me, name, "T", f"body {number} {name!r}")
        assert [edit_fields(me, name)["body"] for name in pair] == [f"body {number} {name!r}" for name in pair]


# --- update and conflicts ---

def test_update_changes_title_and_body(me, key):
    create_note(me, key, "Old", "old")
    edit_note(me, key, title="New", body="new")
    page = me.html(view_path(key))
    assert (page.text("notetitle").strip(), page.text("notebody").strip()) == ("New", "new")


def test_another_user_may_edit_and_the_author_stays(me, you, key):
    create_note(me, key)
    edit_note(you, key, body="edited by you")
    page = you.html(view_path(key))
    assert page.text("notebody").strip() == "edited by you"
    answer = me.post("/notes/comment", {"key": key, "message": "m"}, headers={"Accept": "application/json"})
    number = str(answer.json()["id"])
    deletable = [form.fields()["id"] for form in you.html(view_path(key)).all("form",
                                                                              action="/notes/comment/destroy")]
    assert number not in deletable, "editing does not make one the author"


def test_edit_of_an_older_version_is_a_409_and_saving_again_wins(me, you, key):
    create_note(me, key, "Title 1", "body 1")
    mine = edit_fields(me, key)
    edit_note(you, key, title="Their title", body="their\n\nbody")
    answer = me.post("/notes/save", {**mine, "title": "My title", "body": "my\n\nbody"})
    assert answer.status_code == 409
    page = check_page(read_page(answer))
    theirs = page.first("section", **{"aria-labelledby": "theirs-title"}).text
    assert "Their title" in theirs and "by you " in " ".join(theirs.split()), "who saved last, not who made the note"
    assert "their\n\nbody" in page.source
    form = page.form("/notes/save").fields()
    assert (form["docreate"], form["notekey"], form["title"], form["body"]) == ("update", key, "My title",
                                                                                "my\n\nbody")
    assert form["version"] != mine["version"]
    assert edit_fields(you, key)["body"] == "their\n\nbody", "a conflict changes nothing"
    assert leads_to_view(me.post("/notes/save", form), key)
    assert edit_fields(you, key)["body"] == "my\n\nbody"


def test_conflict_of_a_conflict_is_a_conflict_again(me, you, key):
    create_note(me, key, "T", "one")
    mine = edit_fields(me, key)
    edit_note(you, key, body="two")
    form = read_page(me.post("/notes/save", {**mine, "body": "mine"})).form("/notes/save").fields()
    edit_note(you, key, body="three")
    answer = me.post("/notes/save", form)
    assert answer.status_code == 409
    assert "three" in read_page(answer).first("main").text
    assert edit_fields(me, key)["body"] == "three"


def test_comments_do_not_make_an_edit_old(me, you, key):
    create_note(me, key)
    mine = edit_fields(me, key)
    you.post("/notes/comment", {"key": key, "message": "meanwhile"})
    assert leads_to_view(me.post("/notes/save", {**mine, "body": "after a comment"}), key)


def test_two_saves_at_once_lose_nothing(site, me, key):
    """Of many saves of the same version exactly one wins; every other sees a 409."""
    create_note(me, key, "T", "start")
    fields = edit_fields(me, key)
    statuses, clients = [], [open_session(site, "me") for _ in range(6)]
    tokens = [client.csrf() for client in clients]

    def save(number):
        body = {**fields, "body": f"writer {number}", "csrf": tokens[number]}
        statuses.append(clients[number].post("/notes/save", body).status_code)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302] + [409] * 5


def test_update_of_a_note_that_is_gone_keeps_the_text(me, you, key):
    create_note(me, key)
    fields = edit_fields(me, key)
    destroy_note(you, key)
    answer = me.post("/notes/save", {**fields, "title": "Typed title", "body": "typed long\ntext"})
    page = error_page(answer, 404)
    assert kept(page, "typed long\ntext")
    assert "Typed title" in page.first("body").text or kept(page, "Typed title")


def test_edit_of_a_destroyed_and_made_again_note_is_a_conflict(me, you, key):
    """The version belongs to the note that was opened, not to another one under its key."""
    create_note(me, key, "T", "first note")
    fields = edit_fields(me, key)
    destroy_note(you, key)
    create_note(you, key, "T", "second note")
    answer = me.post("/notes/save", {**fields, "body": "edit of the first"})
    assert answer.status_code == 409, "the second note was silently overwritten"
    assert edit_fields(you, key)["body"] == "second note"
    assert kept(read_page(answer), "edit of the first")


def test_a_client_of_the_node_version_sends_no_version_and_edits_the_latest(me, you, key):
    create_note(me, key, "T", "first")
    edit_note(you, key, body="second")
    fields = {"docreate": "update", "notekey": key, "title": "", "body": "third"}
    refused = me.post("/notes/save", fields)
    assert refused.status_code == 400
    again = read_page(refused).form("/notes/save").fields()
    assert again["body"] == "third"
    assert me.post("/notes/save", {**again, "title": "T"}).status_code == 302
    assert me.post("/notes/save", {**fields, "title": "T", "body": "fourth"}).status_code == 302
    assert (edit_fields(me, key)["body"], edit_fields(me, key)["version"]) == ("fourth", "4")


@pytest.mark.parametrize("version", ["", "-1", "abc", "99999999999999999999", "1.0", " 1"])
def test_version_that_is_none_is_refused_and_the_text_kept(me, key, version):
    create_note(me, key, "T", "unchanged")
    answer = me.post("/notes/save", {**edit_fields(me, key), "body": "typed text", "version": version})
    assert answer.status_code in (400, 409)
    assert kept(check_page(read_page(answer)), "typed text")
    assert edit_fields(me, key)["body"] == "unchanged"


@pytest.mark.parametrize("docreate", [None, "", "CREATE", "both", "create\n"])
def test_docreate_is_create_or_update(me, key, docreate):
    fields = {"notekey": key, "title": "T", "body": "typed text"}
    if docreate is not None:
        fields["docreate"] = docreate
    answer = me.post("/notes/save", fields)
    assert answer.status_code == 400
    assert kept(check_page(read_page(answer)), "typed text")
    assert me.get(view_path(key)).status_code == 404


def test_field_given_twice_is_refused_and_the_text_kept(me, key):
    for name, value in (("notekey", key), ("title", "T"), ("body", "typed text"), ("docreate", "create")):
        fields = [("docreate", "create"), ("notekey", key), ("title", "T"), ("body", "typed text"), (name, value)]
        answer = me.post("/notes/save", fields)
        assert answer.status_code == 400, name
        assert kept(check_page(read_page(answer)), "typed text"), name
        assert me.get(view_path(key)).status_code == 404


# --- refusals by field ---

REFUSED = [
    ("notekey", "   "), ("notekey", "k" * 256), ("notekey", "a\nb"), ("notekey", "a\tb"), ("notekey", "a\x7fb"),
    ("notekey", "a\x1bb"), ("notekey", "ä" * 256), ("title", ""), ("title", " \t "), ("title", "t" * 256),
    ("title", "a\nb"), ("title", "a\x07b"), ("title", "\U0001F433" * 256), ("body", "a\x07b"), ("body", "\x1b[0m"),
]


@pytest.mark.parametrize("field, value", REFUSED)
def test_refused_field_is_named_and_everything_typed_is_kept(me, key, field, value):
    fields = {"docreate": "create", "notekey": key, "title": "Typed title", "body": "typed\n\ntext", field: value}
    answer = me.post("/notes/save", fields)
    assert answer.status_code == 400
    page = check_page(read_page(answer))
    form = page.form("/notes/save")
    back = form.fields()
    for name in ("notekey", "title", "body"):
        if name != field:
            assert back[name] == fields[name]
    if all(char >= " " and char != "\x7f" for char in value):
        assert back[field] == value
    node = form.first(name=field)
    assert node.get("aria-invalid") == "true"
    assert all(page.by_id(name) is not None for name in node["aria-describedby"].split())
    assert back["docreate"] == "create"
    assert key not in [name for name, _ in note_titles(me.html("/"))]


@pytest.mark.parametrize("field, value", [("title", ""), ("title", "t" * 256), ("body", "a\x07b")])
def test_refused_edit_stays_an_edit(me, key, field, value):
    create_note(me, key, "T", "B")
    fields = {**edit_fields(me, key), "title": "Typed title", "body": "typed text", field: value}
    answer = me.post("/notes/save", fields)
    assert answer.status_code == 400
    back = check_page(read_page(answer)).form("/notes/save").fields()
    assert (back["docreate"], back["notekey"], back["version"]) == ("update", key, fields["version"])
    other = "body" if field == "title" else "title"
    assert back[other] == fields[other]
    again = me.post("/notes/save", {**back, "title": "Right title", "body": "right text"})
    assert leads_to_view(again, key)


def test_bytes_that_are_no_text_are_refused(me, key):
    """No browser sends them for what was typed: not UTF-8, or with a NUL in it."""
    token = me.csrf().encode()
    for bad in (b"%00", b"\x00", b"%ff", b"%c3", b"%ed%a0%80", b"%c0%80", b"\xff", b"%f4%90%80%80"):
        raw = b"docreate=create&notekey=" + key.encode() + b"&title=typed+title&body=a" + bad + b"b&csrf=" + token
        answer = me.post("/notes/save", raw)
        assert answer.status_code == 400, bad
        check_page(read_page(answer))
        assert me.get(view_path(key)).status_code == 404


# --- limits ---

@pytest.mark.parametrize("field, value", [("notekey", "K" * 255), ("title", "t" * 255), ("title", "ä" * 255),
                                          ("title", "\U0001F433" * 255), ("body", ""), ("body", "x" * MIB)])
def test_field_at_its_limit_is_kept_whole(me, key, field, value):
    fields = {"docreate": "create", "notekey": key, "title": "T", "body": "B", field: value}
    answer = me.post("/notes/save", fields)
    assert leads_to_view(answer, fields["notekey"]), answer.status_code
    assert edit_fields(me, fields["notekey"])[field] == value


def test_body_of_1_mib_of_anything_counts_decoded(me, key):
    """Each of these is 1 MiB of text and up to 3 MiB on the wire."""
    for number, text in enumerate((("&<" * (MIB // 2)), "ä" * (MIB // 2), "line\n" * (MIB // 5), "\n" * MIB)):
        name = f"{key}-{number}"
        assert leads_to_view(create(me, name, "T", text), name), number
        assert edit_fields(me, name)["body"] == text


def test_crlf_counts_as_one_character(me, key):
    """A browser sends CRLF for each line end: 1 MiB of lines as typed is within the limit."""
    lines = "15 characters, \r\n" * (MIB // 16)
    assert len(lines) > MIB
    assert leads_to_view(create(me, key, "T", lines), key)
    assert edit_fields(me, key)["body"] == lines.replace("\r\n", "\n")


def test_lone_cr_becomes_a_line_end(me, key):
    create_note_with(me, key, "a\rb\r\r\nc")
    assert edit_fields(me, key)["body"] == "a\nb\n\nc"


def create_note_with(client, key, body):
    assert leads_to_view(create(client, key, "T", body), key)


@pytest.mark.parametrize("text", ["x" * (MIB + 1), "ä" * (MIB // 2 + 1), "15 characters, \r\n" * (MIB // 16) + "y"],
                         ids=["ascii",
                                                                                                           "umlauts",
                                                                                                           "lines"])
def test_body_over_1_mib_is_refused_with_the_text(me, key, text):
    answer = create(me, key, "Typed title", text)
    assert answer.status_code in (400, 413)
    page = check_page(read_page(answer))
    assert kept(page, text.replace("\r\n", "\n")), "the typed text is lost"
    assert "Typed title" in page.first("body").text or kept(page, "Typed title")
    assert me.get(view_path(key)).status_code == 404


def test_413_is_a_page_after_draining(me, key):
    """Over the raw limit: the upload is read to its end (so a browser shows the answer) and what fits is shown."""
    text = "line of the text\n" * (6 * MIB // 17)
    answer = me.post("/notes/save", [("csrf", me.csrf()), ("docreate", "create"), ("notekey", key),
                                     ("title", "Typed title 413"), ("body", text)])
    page = error_page(answer, 413)
    shown = max((node.text for node in page.all("textarea")), key=len, default="")
    assert shown and text.startswith(shown[:1000])
    assert me.get(view_path(key)).status_code == 404


@pytest.mark.parametrize("size", [3 * MIB + 65536, 8 * MIB - 1000])
def test_413_reaches_a_client_that_reads_only_after_sending(site, me, size):
    body = b"docreate=create&notekey=k&title=t&csrf=" + me.csrf().encode() + b"&body="
    body += b"x" * (size - len(body))
    headers = [("Cookie", f"notescookie.sid={me.session_cookie}"), ("Origin", site.url), ("Connection", "close"),
               ("Host", site.url[7:]), ("Content-Type", "application/x-www-form-urlencoded")]
    with Connection(site.notes.port) as connection:
        connection.send(request_bytes("POST", "/notes/save", headers, body))
        answer = connection.answer("POST")
    assert answer.status == 413
    assert b"</html>" in answer.body


def test_upload_over_8_mib_is_cut_and_the_service_lives(site, me):
    headers = [("Cookie", f"notescookie.sid={me.session_cookie}"), ("Origin", site.url), ("Host", site.url[7:]),
               ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(1 << 40))]
    part = b"x" * 65536
    with Connection(site.notes.port) as connection:
        assert connection.try_send(request_bytes("POST", "/notes/save", headers))
        sent = 0
        while sent < 64 * MIB and connection.try_send(part):
            sent += len(part)
        assert sent < 64 * MIB, "64 MiB of one form were read"
    assert me.get("/healthz").status_code == 200


def test_413_of_small_forms(me, key):
    """Each route has its own limit; a comment or login needs no 3 MiB."""
    create_note(me, key)
    big = "x" * (2 * MIB)
    forms = [("/notes/comment", {"key": key, "message": big}), ("/users/login", {"username": "a", "password": big}),
             ("/notes/destroy/confirm", {"notekey": big}), ("/notes/comment/destroy", {"key": big, "id": "1"})]
    for path, fields in forms:
        answer = me.post(path, {"csrf": me.csrf(), **fields})
        assert answer.status_code == 413, path
        check_page(read_page(answer))


def test_413_says_how_much_fits_there(me, key):
    create_note(me, key)
    forms = [("/notes/save", {"docreate": "create", "notekey": "k", "title": "T", "body": "x" * (7 * MIB)}, "A note holds up to 1 MiB"),
             ("/notes/comment", {"key": key, "message": "\u4e2d" * 8000}, "A comment holds up to 1,024 characters"),
             ("/users/login", {"username": "a", "password": "\u4e2d" * 14000}, "more than is read here")]
    for path, fields, words in forms:
        page = error_page(me.post(path, {"csrf": me.csrf(), **fields}), 413)
        assert words in page.first("main").text, path
        assert words.startswith("A note") or "1 MiB" not in page.first("main").text, path


def test_413_is_the_reason_wherever_the_token_stands(me, key):
    """A form that is cut at the limit may have lost its token with the rest; what is wrong with it is its size."""
    create_note(me, key)
    for path, fields in (("/notes/comment", {"key": key, "message": "x" * (2 * MIB)}),
                         ("/notes/save", {"docreate": "create", "notekey": "k", "title": "T",
                                          "body": "x" * (4 * MIB)})):
        answer = me.post(path, {**fields, "csrf": me.csrf()})
        assert answer.status_code == 413, path


def test_413_for_a_script_is_json(me, key):
    create_note(me, key)
    big = "x" * (2 * MIB)
    answer = me.post("/notes/comment", {"csrf": me.csrf(), "key": key, "message": big},
                     headers={"Accept": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"]


def test_comment_over_the_limit_keeps_its_text(me, key):
    create_note(me, key)
    answer = me.post("/notes/comment", {"key": key, "message": "typed comment " * 200})
    assert answer.status_code in (400, 413)
    assert kept(check_page(read_page(answer)), "typed comment " * 200)


# --- what else a save may meet, and keeps the text ---

def test_refused_token_keeps_the_text(me, key):
    fields = {"docreate": "create", "notekey": key, "title": "Typed title", "body": "typed text, long", "csrf": "x"}
    page = error_page(me.post("/notes/save", fields), 403)
    assert kept(page, "typed text, long")
    page = error_page(me.post("/notes/comment", {"key": key, "message": "typed comment", "csrf": "x"}), 403)
    assert kept(page, "typed comment")


def test_text_is_given_back_only_to_who_is_signed_in(site, me, browser_session, key):
    """Another site's form, or a stranger's, costs one small page."""
    fields = {"docreate": "create", "notekey": key, "title": "Typed title", "body": "typed text, long"}
    answers = [me.post("/notes/save", fields, origin="http://evil.example")]
    stranger = browser_session(site)
    answers += [stranger.post("/notes/save", fields, csrf=False, origin="http://evil.example"),
                stranger.post("/users/login", fields, csrf=False),
                stranger.post("/users/login", {**fields, "message": "x" * 70000}, csrf=False)]
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert "typed text" not in answer.text and "Typed title" not in answer.text, answer.status_code


def test_no_more_than_a_note_holds_is_given_back(me, key):
    fields = {"docreate": "create", "notekey": key, "title": "Typed title", "body": "\U0001F433" * (MIB // 2), "csrf": "x"}
    page = error_page(me.post("/notes/save", fields), 403)
    given_back = max((node.text for node in page.all("textarea")), key=len)
    assert MIB <= len(given_back.encode()) < MIB + MIB // 4
    assert set(given_back.strip()) == {"\U0001F433"}, "cut within a character"
    assert "Typed title" in page.first("body").text or kept(page, "Typed title")


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", None])
def test_other_content_types_are_refused(site, me, key, kind):
    """A form of ours is urlencoded; anything else is not guessed at."""
    raw = f"docreate=create&notekey={key}&title=t&body=b&csrf={me.csrf()}".encode()
    headers = {"Content-Type": kind} if kind else {"Content-Type": ""}
    answer = me.post("/notes/save", raw, headers=headers)
    assert answer.status_code in (400, 403, 415)
    assert me.get(view_path(key)).status_code == 404


def test_urlencoded_with_a_charset_is_the_same(me, key):
    raw = f"docreate=create&notekey={key}&title=t&body=b&csrf={me.csrf()}".encode()
    answer = me.post("/notes/save", raw, headers={"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"})
    assert leads_to_view(answer, key)


def test_saved_note_is_in_the_database_when_the_answer_is_there(site, me, key):
    create_note(me, key, "Durable title", "durable body 4711")
    assert tables_holding(site.notes, "durable body 4711")


def test_killed_service_has_kept_every_answered_save(services):
    from harness.client import Client
    userauth = services.userauth().start()
    with userauth.api() as api:
        api.create("me", "a password for me")
    notes = services.notes(userauth).start()
    client = Client(notes.url)
    client.login("me", "a password for me")
    for number in range(20):
        create_note(client, f"kept-{number}", "T", f"text {number}")
    notes.kill()
    notes.start()
    for number in range(20):
        assert edit_fields(client, f"kept-{number}")["body"] == f"text {number}", "session and notes outlive a crash"


def test_edit_form_path_of_every_key_works(me):
    for name in ("a&b", "a=b", "ä+ö", "100%"):
        create_note(me, name)
        page = me.html(view_path(name))
        assert page.first("a", href=edit_path(name)) is not None
        assert me.get(page.by_id("notedestroy")["href"]).status_code == 200

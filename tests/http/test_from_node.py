# SPDX-License-Identifier: MIT
"""--from-node of both services: the Node version's tables, nasty rows included, into this version's database."""
import re
import subprocess
import sys

import bcrypt
import pytest

from harness import mariadb, node_tables, programs
from harness.client import Client
from harness.ports import free_port
from harness.programs import assert_no_secret, new_password
from harness.stored import opened
from harness.wait import until

SOURCES = ["sqlite", pytest.param("mysql", marks=pytest.mark.server_only)]


@pytest.fixture(params=SOURCES)
def source(request, tmp_path):
    made = node_tables.new_source(request.param, tmp_path)
    made.make_tables()
    return made


@pytest.fixture
def sqlite_source(tmp_path):
    made = node_tables.SqliteSource(tmp_path)
    made.make_tables()
    return made


@pytest.fixture
def notes(services):
    return services.notes()


@pytest.fixture
def userauth(services):
    return services.userauth()


def move(service, source, *flags, code=0, url=None, **settings):
    """Runs --from-node beside the service's settings. Returns what it printed, which holds no secret."""
    done = programs.run(service.program, "--from-node", url or source.url, *flags, timeout_s=300,
                        **{**service.settings, **(source.settings if source else {}), **settings})
    assert_no_secret(done.stdout + done.stderr)
    assert done.returncode == code, (done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout + done.stderr


def hash_of(password, prefix=b"2b"):
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, prefix if prefix != b"2y" else b"2b")).decode().replace("$2b", "$" + prefix.decode(), 1)


def stored(service, sql, *values):
    with opened(service.database) as connection:
        rows = connection.execute(sql, values).fetchall()
        return [tuple(cell.decode() if isinstance(cell, bytes) else cell for cell in row) for row in rows]


def stored_notes(service):
    return {row[0]: row[1:] for row in stored(
        service, "SELECT n.note_key, n.title, v.body, n.author, n.created_unix_ms, n.changed_unix_ms FROM notes n"
                 " JOIN note_versions v ON v.note_id = n.id AND v.version = n.version")}


def stored_comments(service):
    return stored(service, "SELECT n.note_key, c.author, c.message, c.made_unix_ms FROM comments c"
                           " JOIN notes n ON n.id = c.note_id ORDER BY c.id")


def everything(service):
    """All rows that a move could have changed."""
    tables = {"notes-svc": ("notes", "note_versions", "comments", "destroyed_notes", "home_list"), "userauth-svc": ("users",)}
    return {table: stored(service, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables[service.name]}


def whole_ms(source, ms):
    return ms if source.dialect == "sqlite" else ms // 1000 * 1000


# ---- a site as it was, from the first page to the last ----

def test_a_site_is_moved_and_old_passwords_sign_in(source, services):
    userauth, notes = services.userauth(), None
    password = new_password()
    source.user("Robert", hash_of(password, b"2a"), familyName="Bär", emails='["me@example.com"]', photos=None)
    source.note("hello", "Hello there", "# Hi\r\n\r\n*you* & me", createdAt="2019-01-01T00:00:00.000Z",
                updatedAt="2020-05-06T07:08:09.123Z")
    source.note("newer", "Newer", "b", updatedAt="2021-01-01T00:00:00.000Z")
    source.note("older", "Older", "b", updatedAt="2018-01-01T00:00:00.000Z")
    source.message("hello", "first", author="Robert", timestamp="2020-01-01T00:00:01.000Z")
    source.message("hello", "second\r\nline <b>", author="someone", timestamp="2020-01-01T00:00:02.000Z")
    assert "users: 1 moved, 0 there already, 0 listed\n" in move(userauth, source)
    userauth.start()
    notes = services.notes(userauth)
    out = move(notes, source)
    assert "notes: 3 moved, 0 there already, 0 listed\n" in out and "comments: 2 moved, 0 there already, 0 listed\n" in out
    notes.start()

    user = userauth.api().get("/find/robert").json()
    assert (user["username"], user["familyName"], user["emails"], user["photos"]) == ("Robert", "Bär", ["me@example.com"], [])
    me = Client(notes.url)
    assert me.login("robert", password).status_code == 302 and me.is_signed_in
    home = me.get("/").text
    assert re.findall(r'/notes/view\?key=(\w+)"', home)[:3] == ["newer", "hello", "older"]
    page = me.html("/notes/view?key=hello")
    assert page.text("notetitle") == "Hello there"
    text = me.get("/notes/view?key=hello").text
    assert "<em>you</em> &amp; me" in text and "second\nline &lt;b&gt;" in text
    assert text.index("second") < text.index("first"), "newest comment first"
    kept = stored_notes(notes)["hello"]
    assert kept == ("Hello there", "# Hi\n\n*you* & me", None, 1546300800000, whole_ms(source, 1588748889123))
    assert me.post("/notes/save", {"docreate": "update", "notekey": "hello", "title": "T", "body": "B", "version": "1"}).status_code == 302
    assert me.post("/notes/comment", {"key": "older", "message": "new"}).status_code == 302


@pytest.mark.slow
def test_tables_that_sequelize_made_are_moved(services, tmp_path):
    fault = node_tables.sequelize_fault()
    if fault:
        pytest.skip(f"Sequelize can't be had here: {fault}")
    password = new_password()
    times = {"createdAt": node_tables.TIME, "updatedAt": node_tables.TIME}
    rows = {"notes": [{"notekey": "käse/1", "title": "Käse", "body": "line\r\nline 😀", **times}],
            "messages": [{"from": "me", "namespace": "/notes", "room": "käse/1", "message": "it's 😀", "timestamp": node_tables.TIME, **times}],
            "users": [{"username": "me", "password": hash_of(password), "provider": "local", "familyName": "It's",
                       "emails": '["a@example.org"]', "photos": "[]", **times}]}
    for kind in ["sqlite"] + ["mysql"] * mariadb.is_wanted():
        made = node_tables.new_source(kind, tmp_path)
        made.sequelize_rows(rows)
        state = tmp_path / f"state-{kind}"
        userauth = services.userauth(state)
        assert "users: 1 moved" in move(userauth, made)
        notes = services.notes(userauth.start(), state)
        assert "notes: 1 moved" in move(notes, made)
        assert stored_notes(notes)["käse/1"][:2] == ("Käse", "line\nline 😀")
        assert stored_comments(notes) == [("käse/1", "me", "it's 😀", whole_ms(made, 1582979445678))]
        assert userauth.api().check("me", password).json()["check"] is True


# ---- rows that do not fit ----

def test_notes_of_all_kinds_have_their_outcome(source, notes):
    for key, title, body in [("a b/ü?&#%", "odd key", "b"), ("no title", None, "b"), ("empty title", "", "b"), ("no body", "t", None),
                             ("bell", "t", "ring \x07 ring"), ("two lines", "one\r\ntwo", "b"), ("tab\there", "t", "b"), ("", "t", "b"),
                             ("x\x1b[31m\"red\\", "t", "b")]:
        source.note(key, title, body)
    out = move(notes, source, code=1)
    kept = {key: row[:2] for key, row in stored_notes(notes).items()}
    assert kept == {"a b/ü?&#%": ("odd key", "b"), "no title": ("no title", "b"), "empty title": ("empty title", "b"),
                    "no body": ("t", ""), "bell": ("t", "ring � ring"), "two lines": ("one  two", "b")}
    assert "notes: 6 moved, 0 there already, 3 listed, 2 changed\n" in out
    assert 'SQNotes "bell": changed: ' in out and 'SQNotes "two lines": changed: ' in out
    assert 'SQNotes "tab\\x09here": not moved: ' in out and 'SQNotes "": not moved: ' in out
    assert 'SQNotes "x\\x1b[31m\\"red\\\\": not moved: ' in out and "\x1b" not in out


def test_notes_that_only_sqlite_can_hold(sqlite_source, notes):
    source = sqlite_source
    big = "x\r\n" * (1024 * 512)
    source.note("Key", "upper")
    source.note("key", "lower")
    source.note("k" * 255, "long key")
    source.note("k" * 256, "too long a key")
    source.note("long title", "t" * 300)
    source.note("exactly", "t", big)
    source.note("over", "t", big + "x")
    source.note("far over", "t", "x" * 5_000_000)
    source.execute("INSERT INTO SQNotes VALUES (NULL, 't', 'b', 'nonsense', '2020-01-01')")
    source.execute("INSERT INTO SQNotes VALUES (CAST(x'6bff' AS TEXT), 't', 'b', 0, 0)")
    source.execute("INSERT INTO SQNotes VALUES ('bad body', CAST(x'74ff' AS TEXT), CAST(x'c3a9ff00' AS TEXT), 1000, 2000)")
    source.execute("INSERT INTO SQNotes VALUES ('no time', 't', 'b', 'nonsense', '')")
    source.execute("INSERT INTO SQNotes VALUES ('half a time', 't', 'b', '', '2020-01-01 00:00:00')")
    out = move(notes, source, code=1)
    kept = stored_notes(notes)
    assert set(kept) == {"Key", "key", "k" * 255, "long title", "exactly", "bad body", "no time", "half a time"}
    assert (kept["Key"][0], kept["key"][0]) == ("upper", "lower")
    assert kept["long title"][0] == "t" * 255 and kept["exactly"][1] == "x\n" * (1024 * 512)
    assert kept["bad body"] == ("t�", "é��", None, 1000, 2000)
    assert kept["half a time"][3:] == (1577836800000, 1577836800000)
    for line in ('"over": not moved: ', '"far over": not moved: ', f'"{"k" * 160}…": not moved: ', "NULL: not moved: ",
                 '"k\\xff": not moved: ', '"bad body": changed: ', '"no time": changed: ', '"long title": changed: '):
        assert "SQNotes " + line in out.replace(f'"{"k" * 160}…"', f'"{"k" * 160}…"'), line
    assert "notes: 8 moved, 0 there already, 5 listed, 3 changed\n" in out


def test_comments_of_all_kinds_have_their_outcome(source, notes):
    source.note("room", "t", "b")
    source.message("room", "plain", author="me")
    source.message("room", "no name", author=None)
    source.message("room", "equal", author="me")
    source.message("room", "equal", author="me")
    source.message("room", "no time of its own", timestamp=None)
    source.message("room", "bell \x07")
    source.message("room", "c" * 1024)
    source.message("gone", "its note is gone")
    source.message(None, "no room")
    source.message("room", None)
    source.message("room", " \r\n ")
    source.message("room", "elsewhere", namespace="/home")
    source.message("room", "nowhere", namespace=None)
    out = move(notes, source, code=1)
    at = whole_ms(source, 1582979445678)
    assert stored_comments(notes) == [("room", author, message, at) for author, message in [
        ("me", "plain"), ("", "no name"), ("me", "equal"), ("me", "equal"), ("me", "no time of its own"), ("me", "bell �"),
        ("me", "c" * 1024)]]
    assert "comments: 7 moved, 0 there already, 6 listed, 1 changed\n" in out
    assert [int(number) for number in re.findall(r'SQMessages "(\d+)": not moved: ', out)] == [8, 9, 10, 11, 12, 13]
    before = everything(notes)
    assert "comments: 0 moved, 7 there already, 6 listed\n" in move(notes, source, code=1)
    assert everything(notes) == before


def test_comments_follow_the_note_that_the_source_takes_for_theirs(source, notes):
    """MySQL's collation does not tell "Room" from "room", so the Node version showed such comments; SQLite tells them apart."""
    source.note("Room", "t", "b")
    source.message("room", "which?")
    is_same = source.dialect == "mysql"
    move(notes, source, code=0 if is_same else 1)
    assert [row[0] for row in stored_comments(notes)] == ["Room"] * is_same


def test_users_of_all_kinds_have_their_outcome(source, userauth):
    passwords = {name: new_password() for name in ("a2", "b2", "y2", "upper", "there")}
    for name in ("a2", "b2", "y2"):
        source.user(name, hash_of(passwords[name], f"2{name[0]}".encode()))
    source.user("hub", hash_of(""), provider="github", emails='[{"value": "x@example.com"}]')
    source.user("nobody", None, provider=None, emails=None, photos="")
    source.user("plain", new_password("plain"))
    source.user("costly", "$2b$14$" + "a" * 53)
    source.user("bad lists", hash_of("x"), emails="{not json", photos='"https://example.com/p.png"')
    source.user("n" * 64, hash_of("x"))
    source.user("n" * 65, hash_of("x"))
    source.user("a/b", hash_of("x"))
    source.user("", hash_of("x"))
    source.user(None, hash_of("x"))
    source.user("bell\x07", hash_of("x"))
    source.user("odd name", hash_of("x"), middleName="Q\x07")
    out = move(userauth, source, code=1)
    assert "users: 10 moved, 0 there already, 5 listed, 5 changed\n" in out
    for line in ('"plain": changed: ', '"costly": changed: ', '"nobody": changed: ', '"bad lists": changed: ', '"odd name": changed: ',
                 f'"{"n" * 65}": not moved: ', '"a/b": not moved: ', '"": not moved: ', "NULL: not moved: ", '"bell\\x07": not moved: '):
        assert "SQUsers " + line in out, line
    before = everything(userauth)
    assert "users: 0 moved, 10 there already, 5 listed\n" in move(userauth, source, code=1)
    assert everything(userauth) == before
    api = userauth.start().api()
    for name in ("a2", "b2", "y2"):
        assert api.check(name, passwords[name]).json()["check"] is True
    for name in ("hub", "nobody", "plain", "costly"):
        assert api.check(name, "").json()["check"] is False
    assert api.get("/find/hub").json()["emails"] == [{"value": "x@example.com"}]
    assert api.get("/find/nobody").json()["provider"] == "local"
    assert api.get("/find/odd name").json()["middleName"] == "Q�"


def test_a_row_that_lost_several_things_tells_each(source, notes, userauth):
    """One line for a row, with all that it lost, each once: nothing goes silently."""
    source.note("bells", "ring\x07", "ring\x07 ring")
    source.user("much", new_password("plain"), emails="{not json", photos="{}", middleName="Q\x07", givenName="Q\x07")
    (note,) = [line for line in move(notes, source, code=1).splitlines() if line.startswith("SQNotes ")]
    assert note == ('SQNotes "bells": changed: the text had control characters or was not UTF-8; U+FFFD stands for them; '
                    "the title had control characters or was not UTF-8")
    (user,) = [line for line in move(userauth, source, code=1).splitlines() if line.startswith("SQUsers ")]
    assert user == ('SQUsers "much": changed: a name had control characters or was not UTF-8; '
                    "its e-mails are no JSON array of at most 2048 bytes: it has none now; "
                    "its photos are no JSON array of at most 2048 bytes: it has none now; "
                    "its password is no bcrypt hash of cost 4 to 12: it has none now, set one with userauth-cli set-password")


def test_users_who_are_here_already_stay_as_they_are(source, userauth):
    password, theirs = new_password(), new_password()
    api = userauth.start().api()
    api.post("/create-user", json={"username": "same", "provider": "local", "password": hash_of(password), "familyName": "Here"})
    api.post("/create-user", json={"username": "Spelled", "provider": "local", "plainPassword": password})
    source.user("same", hash_of(theirs), familyName="There")
    source.user("spelled", hash_of(theirs))
    source.user("new", hash_of(theirs))
    out = move(userauth, source, code=1)  # beside the running service
    assert "users: 1 moved, 0 there already, 2 listed\n" in out
    assert api.get("/find/same").json()["familyName"] == "Here" and api.get("/find/spelled").json()["username"] == "Spelled"
    assert api.check("same", password).json()["check"] is True and api.check("same", theirs).json()["check"] is False
    assert api.check("new", theirs).json()["check"] is True
    before = everything(userauth)
    assert "users: 0 moved, 1 there already, 2 listed\n" in move(userauth, source, code=1), "a hash that its login renewed"
    assert everything(userauth) == before


# ---- tables of other types, rows too large ----

def with_ids(source, table, kind, rows):
    """The table anew, its ids of that type and without a key; `rows` are ids and the text that tells them apart."""
    name, text = {"SQMessages": ("message", "message"), "SQUsers": ("username", "username")}[table]
    columns = ", ".join(f"`{column}` VARCHAR(255)" for column in node_tables.COLUMNS[table])
    source.execute(f"DROP TABLE {table}")
    source.execute(f"CREATE TABLE {table} (id {kind}, {columns}, createdAt DATETIME, updatedAt DATETIME)")
    for number, value in rows:
        if table == "SQMessages":
            source.message("k", value, id=number)
        else:
            source.user(value, id=number)


ODD_IDS = {"sqlite": {"TEXT": ["abc"], "REAL": [1.5], "BLOB": [b"\0\xff"], "INTEGER": [7, 7], "": [7, "3"],
                      "INT": [None, 1], "BIGINT": [-2 ** 63, 1]},
           "mysql": {"VARCHAR(9)": ["abc"], "DECIMAL(9,2)": [1.5], "DOUBLE": [1.5], "VARBINARY(9)": [b"\0\xff"], "INT": [7, 7],
                     "BIGINT": [-2 ** 63, 1], "INT NULL": [None, 1], "BIGINT UNSIGNED": [2 ** 64 - 1], "FLOAT": [16777215, 16777216]}}


def test_ids_that_are_no_whole_numbers_or_there_twice_end_the_run(source, services):
    """Pages by such ids could go on for ever, and move a row again and again."""
    for place, (kind, ids) in enumerate(ODD_IDS[source.dialect].items()):
        notes, userauth = services.notes(), services.userauth()
        rows = [(number, f"n{place}x{i}") for i, number in enumerate(ids)]
        with_ids(source, "SQMessages", kind, rows)
        with_ids(source, "SQUsers", kind, rows)
        if place == 0:
            source.note("k")
        for service, table in ((notes, "SQMessages"), (userauth, "SQUsers")):
            out = move(service, source, code=3)
            assert re.search(f"{table} has (the id .*, which is no whole number|the id \\d+ twice, or out of order|a row whose id is NULL)",
                             out), (kind, out)
        assert stored_comments(notes) == [] and stored(userauth, "SELECT * FROM users") == []


def test_notes_whose_place_is_no_number_end_the_run(sqlite_source, notes):
    for kind, place in (("TEXT", "z"), ("REAL", 1.5), ("INTEGER", None)):
        sqlite_source.execute("DROP TABLE SQNotes")
        sqlite_source.execute(f"CREATE TABLE SQNotes (rowid {kind}, notekey, title, body, createdAt, updatedAt)")
        sqlite_source.note("k", rowid=1 if place is None else place)
        if place is None:  # twice
            sqlite_source.note("l", rowid=1)
        out = move(notes, sqlite_source, code=3)
        assert "SQNotes can't be read in order: at " in out and not stored_notes(notes)


@pytest.mark.server_only
def test_notes_whose_keys_are_numbers_are_moved_or_end_the_run(notes):
    source = node_tables.new_source("mysql", None)
    source.make_tables()
    for kind, keys in (("INT", ["5", "-3"]), ("DECIMAL(9,2)", ["1.50"])):
        source.execute("DROP TABLE SQNotes")
        source.execute(f"CREATE TABLE SQNotes (notekey {kind} PRIMARY KEY, title INT, body INT, createdAt DATETIME, updatedAt DATETIME)")
        for key in keys:
            source.note(key, 12, 34)
        move(notes, source)
        assert {key: stored_notes(notes)[key][:2] for key in keys} == dict.fromkeys(keys, ("12", "34"))
    source.execute("DROP TABLE SQNotes")
    source.execute("CREATE TABLE SQNotes (notekey FLOAT, title INT, body INT, createdAt DATETIME, updatedAt DATETIME)")
    source.note(0.1, 12, 34)
    assert "SQNotes can't be read in order: at \"0.1\"" in move(notes, source, code=3)
    source.execute("DROP TABLE SQNotes")
    source.execute("CREATE VIEW SQNotes AS SELECT uuid() AS notekey, 't' AS title, 'b' AS body, now() AS createdAt, now() AS updatedAt")
    assert "there is no table SQNotes" in move(notes, source, code=3)


BIG = 70_000_000  # more than the 64 MiB that a value may have


def test_rows_too_large_to_be_read_are_listed_and_the_others_moved(sqlite_source, notes, userauth):
    source = sqlite_source
    for key in ("first", "last"):
        source.note(key)
        source.message(key, "c " + key)
        source.user(key)
        if key == "first":
            source.note("big body", "t", "x" * BIG)
            source.note("k" * BIG)
            source.note("big title", "t" * BIG)
            source.message("big body", "its note is not moved")
            source.message("first", "x" * BIG)
            source.user("big", familyName="x" * BIG)
    out = move(notes, source, code=1)
    assert 'SQNotes "big body": not moved: the row is too large to be read\n' in out
    assert 'SQNotes "3": not moved: its key is too large to be read; this is the row\'s number\n' in out
    assert 'SQNotes "big title": not moved: the row is too large to be read\n' in out
    assert 'SQMessages "2": not moved: its note was not moved' in out
    assert 'SQMessages "3": not moved: the row is too large to be read\n' in out
    assert "notes: 2 moved, 0 there already, 3 listed\n" in out and "comments: 2 moved, 0 there already, 2 listed\n" in out
    assert [row[:3] for row in stored_comments(notes)] == [("first", "me", "c first"), ("last", "me", "c last")]
    assert set(stored_notes(notes)) == {"first", "last"}
    out = move(userauth, source, code=1)
    assert 'SQUsers "id 2": not moved: the row is too large to be read\n' in out
    assert stored(userauth, "SELECT username FROM users ORDER BY id") == [("first",), ("last",)]


def test_columns_made_by_a_formula_too_large_are_listed(sqlite_source, notes):
    sqlite_source.execute("DROP TABLE SQNotes")
    sqlite_source.execute(f"CREATE TABLE SQNotes (notekey, title, body AS (CASE title WHEN 'big' THEN hex(zeroblob({BIG})) ELSE 'b' END),"
                          " createdAt, updatedAt)")
    for key, title in (("a", "t"), ("b", "big"), ("c", "t")):
        sqlite_source.add("SQNotes", notekey=key, title=title)
    assert 'SQNotes "b": not moved: the row is too large to be read\n' in move(notes, sqlite_source, code=1)
    assert set(stored_notes(notes)) == {"a", "c"}


# ---- twice, dry, interrupted ----

def test_second_run_changes_nothing_and_keeps_what_was_done_here(source, services):
    userauth = services.userauth().start()
    password = new_password()
    userauth.api().create("me", password)
    notes = services.notes(userauth)
    for key in ("kept", "edited", "destroyed"):
        source.note(key, "T " + key, "b")
        source.message(key, "c " + key)
    move(notes, source)
    before = everything(notes)
    out = move(notes, source)
    assert "notes: 0 moved, 3 there already, 0 listed\n" in out and "comments: 0 moved, 3 there already, 0 listed\n" in out
    assert everything(notes) == before
    me = Client(notes.start().url)
    me.login("me", password)
    assert me.post("/notes/save", {"docreate": "update", "notekey": "edited", "title": "T", "body": "Mine", "version": "1"}).status_code == 302
    assert me.post("/notes/destroy/confirm", {"notekey": "destroyed"}).status_code == 302
    notes.stop()
    source.note("late", "T late", "b")
    before = everything(notes)
    out = move(notes, source, code=1)
    assert 'SQNotes "edited": not moved: ' in out and 'SQNotes "destroyed": not moved: ' in out
    assert "notes: 1 moved, 1 there already, 2 listed\n" in out and "comments: 0 moved, 2 there already, 1 listed\n" in out
    assert stored_notes(notes)["edited"][1] == "Mine" and set(stored_notes(notes)) == {"kept", "edited", "late"}
    assert everything(notes)["comments"] == before["comments"]


def test_dry_run_tells_the_same_and_writes_nothing(source, services):
    notes, userauth = services.notes(), services.userauth()
    source.user("me", hash_of("x"))
    source.user("a/b", hash_of("x"))
    source.note("fine", "t", "b")
    source.note("bad\x07", "t", "b")
    source.message("fine", "c")
    source.message("gone", "c")
    source.message("bad\x07", "c")
    dry = move(notes, source, "--dry-run", code=1) + move(userauth, source, "--dry-run", code=1)
    assert not any(rows for table, rows in {**everything(notes), **everything(userauth)}.items() if table != "home_list")
    wet = move(notes, source, code=1) + move(userauth, source, code=1)
    assert dry == re.sub(r"(\d) moved,", r"\1 to move,", wet) and "comments: 1 to move, 0 there already, 2 listed\n" in dry


def fill(source, count, there=0):
    """Many notes and comments, some of a size, quickly: so many then, as many as `there` were before. Up to 100,000."""
    body = "A line of *text* with a [link](https://example.com/).\r\n" * 20
    digits = "(" + " UNION ALL ".join(f"SELECT {digit} AS {{0}}" for digit in range(10)) + ")"
    places = ", ".join(digits.format(name) + " AS t" + name for name in "abcde")
    numbers = f"(SELECT a + 10 * b + 100 * c + 1000 * d + 10000 * e + 1 AS i FROM {places}) AS n WHERE i > {there} AND i <= {count}"
    key = {"sqlite": "printf('note%06d', i)", "mysql": "CONCAT('note', LPAD(i, 6, '0'))"}[source.dialect]
    time = source.stored("createdAt", node_tables.TIME)
    source.execute("INSERT INTO SQNotes (notekey, title, body, createdAt, updatedAt)"
                   f" SELECT {key}, 'T', ?, ?, ? FROM {numbers}", (body, time, time))
    source.execute("INSERT INTO SQMessages (`from`, namespace, room, message, timestamp, createdAt, updatedAt)"
                   f" SELECT 'me', '/notes', {key}, 'c', ?, ?, ? FROM {numbers}", (time, time, time))


MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def peak_kib(service, source, count):
    """Moves a source that has so many notes and comments. The most memory that it took: of this little program's child, as what is
    forked from all these tests begins with theirs."""
    options = programs.SANITIZER_ENV["ASAN_OPTIONS"] + ":quarantine_size_mb=1"  # what is freed is not kept
    done = programs.run(sys.executable, "-c", MEASURED, service.program, "--from-node", source.url, timeout_s=300,
                        **{**service.settings, **source.settings, "ASAN_OPTIONS": options})
    assert done.returncode == 0 and f"notes: {count} moved" in done.stdout and f"comments: {count} moved" in done.stdout, done
    return int(done.stdout.split()[-1])


def start_move(service, source):
    return subprocess.Popen([service.program, "--from-node", source.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=programs.clean_env({**service.settings, **source.settings}), preexec_fn=programs.die_with_parent)


def count_notes(service):
    try:
        return stored(service, "SELECT COUNT(*) FROM notes")[0][0]
    except Exception:  # the file or the table is not there yet
        return 0


@pytest.mark.slow
def test_run_that_was_killed_goes_on_where_it_ended(source, notes):
    fill(source, 3000)
    running = start_move(notes, source)
    until(lambda: count_notes(notes) > 500 or running.poll() is not None, "some notes", 120)
    running.kill()
    running.communicate()
    first = count_notes(notes)  # a COMMIT that was on its way to a server may come after it
    moved, there = map(int, re.search(r"^notes: (\d+) moved, (\d+) there already, 0 listed$", move(notes, source), re.M).groups())
    assert moved + there == 3000 and 500 < first <= there
    assert count_notes(notes) == 3000 and len(stored_comments(notes)) == 3000
    assert "comments: 0 moved, 3000 there already" in move(notes, source)


@pytest.mark.slow
def test_run_that_was_killed_among_the_comments_doubles_none(source, notes):
    fill(source, 100)
    for _ in range(8):
        fill_comments(source, 500)
    running = start_move(notes, source)
    until(lambda: count_notes(notes) == 100 and stored(notes, "SELECT COUNT(*) FROM comments")[0][0] > 300
          or running.poll() is not None, "some comments", 120)
    running.kill()
    running.communicate()
    move(notes, source)
    assert len(stored_comments(notes)) == 4100


def fill_comments(source, count):
    """Truly equal ones: same note, author, text and time."""
    for _ in range(count // 100):
        source.execute("INSERT INTO SQMessages (`from`, namespace, room, message, timestamp, createdAt, updatedAt)"
                       " SELECT `from`, namespace, room, message, timestamp, createdAt, updatedAt FROM SQMessages LIMIT 100")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_tables(source, services, tmp_path):
    """20,000 notes of 1 KB each and their comments: the process has little more than with 2,000, by far less than they have."""
    fill(source, 2000)
    few = peak_kib(services.notes(), source, 2000)
    fill(source, 20000, there=2000)
    many = peak_kib(services.notes(state_dir=tmp_path / "many"), source, 20000)
    assert many - few < 12 * 1024, (few, many)


# ---- settings, and what can't be reached ----

@pytest.mark.parametrize("program", ["notes", "userauth"])
def test_wrong_usage_is_2_and_what_can_not_be_reached_is_3(services, tmp_path, program):
    service = getattr(services, program)()
    secret = new_password()
    for url in ("postgres://x/y", "sqlite:", f"mysql://u:{secret}@/x"):
        assert "the URL" in move(service, None, code=2, url=url)
    assert "FROM_NODE_PASSWORD" in move(service, None, code=2, url=f"sqlite:{tmp_path}/x", FROM_NODE_PASSWORD=secret)
    assert "FROM_NODE_PASSWORD" in move(service, None, code=2, url=f"mysql://u:{secret}@h/x", FROM_NODE_PASSWORD=secret)
    assert "Node version's data" in move(service, None, code=3, url=f"sqlite:{tmp_path}/missing")
    assert not (tmp_path / "missing").exists()
    (tmp_path / "text").write_text("no database " * 100)
    assert "Node version's data" in move(service, None, code=3, url=f"sqlite:{tmp_path}/text")
    port = free_port()
    assert "Node version's data" in move(service, None, code=3, url=f"mysql://u@127.0.0.1:{port}/x", FROM_NODE_PASSWORD=secret)
    other = node_tables.SqliteSource(tmp_path)
    other.execute("CREATE TABLE other (x)")
    told = move(service, other, code=3)
    assert "there is no table SQ" in told and "What was moved" not in told, "nothing was"
    for arguments in (["--from-node"], ["--from-node", "a", "b"], ["--from-node", "a", "--dry-run", "c"], ["--dry-run"],
                      ["--from-node", "--dry-run"], ["--dry-run", "--from-node"], ["--dry-run", "a", "b"],
                      ["--dry-run", "--from-node", "a", "--dry-run"], ["a", "--from-node"]):
        assert programs.run(service.program, *arguments, **service.settings).returncode == 2
    told = programs.run(service.program, "--help").stdout
    assert "--from-node URL" in told and "1 some rows were not moved or changed, or it failed" in told


def test_dry_run_may_be_said_first(notes, sqlite_source):
    sqlite_source.note("k")
    for arguments in (["--dry-run", "--from-node", sqlite_source.url], ["--from-node", "--dry-run", sqlite_source.url]):
        done = programs.run(notes.program, *arguments, **notes.settings)
        assert done.returncode == 0 and "notes: 1 to move" in done.stdout, done
    assert "notes: 1 moved" in move(notes, sqlite_source)


def test_password_may_come_from_a_file(source, notes, tmp_path):
    if source.dialect == "sqlite":
        source.note("k")
        assert "notes: 1 moved" in move(notes, source)
        return
    (tmp_path / "password").write_text(source.settings["FROM_NODE_PASSWORD"])
    source.note("k")
    assert "notes: 1 moved" in move(notes, source, FROM_NODE_PASSWORD=None, FROM_NODE_PASSWORD_FILE=tmp_path / "password")


def test_site_without_comments_is_moved(source, notes):
    source.note("k")
    source.execute("DROP TABLE SQMessages")
    assert "comments: 0 moved" in move(notes, source)


def test_source_is_left_as_it_was(sqlite_source, notes):
    source = sqlite_source
    source.note("k")
    source.connection.close()
    source.path.chmod(0o444)
    before = source.path.read_bytes()
    move(notes, source)
    assert source.path.read_bytes() == before
    assert [path.name for path in source.path.parent.glob("chap.sqlite3*")] == ["chap.sqlite3"]


@pytest.mark.sqlite_only(reason="a server's data is shared")
def test_running_service_keeps_its_file_to_itself(sqlite_source, services):
    userauth = services.userauth().start()
    notes = services.notes(userauth).start()
    assert "stop that first" in move(notes, sqlite_source, code=3)
    notes.stop()
    assert "notes: 0 moved" in move(notes, sqlite_source)


@pytest.mark.server_only
def test_moved_notes_appear_in_a_running_service(sqlite_source, services):
    notes = services.notes(services.userauth().start()).start()
    assert Client(notes.url).get("/notes/view?key=k").status_code == 404
    sqlite_source.note("k", "Come lately")
    move(notes, sqlite_source)
    assert Client(notes.url).html("/notes/view?key=k").text("notetitle") == "Come lately"
    assert "Come lately" in Client(notes.url).get("/").text

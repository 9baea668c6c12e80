# SPDX-License-Identifier: MIT
"""Destroying a note: asked first, gone from every page, kept restorable in the database."""

import pytest

from harness import programs, stored, wait
from harness.client import browser_session as open_session
from harness.client import read_page
from notes_verbs import (check_page, comment, create_note, destroy_note, destroy_path, edit_fields, edit_note, edit_path,
                         error_page,
                         note_titles, open_database, shown_comments, tables_holding, view_path)


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


def test_asking_destroys_nothing(me):
    create_note(me, "asked")
    page = check_page(me.html(destroy_path("asked")))
    assert page.form("/notes/destroy/confirm").fields()["notekey"] == "asked"
    ways_out = [node["href"] for node in page.first("main").all("a")]
    assert view_path("asked") in ways_out, "no way to think again"
    assert me.get(view_path("asked")).status_code == 200


def test_an_edit_since_the_question_is_shown_and_not_destroyed(site, me):
    create_note(me, "edited meanwhile", "Title of before", "text of before")
    asked = me.html(destroy_path("edited meanwhile")).form("/notes/destroy/confirm").fields()
    you = open_session(site, "you")
    edit_note(you, "edited meanwhile", title="Title of you", body="you worked <an> hour on this")
    answer = me.post("/notes/destroy/confirm", asked)
    assert answer.status_code == 409 and answer.headers["Cache-Control"] == "no-store"
    page = check_page(read_page(answer))
    text = page.first("main").text
    assert "Title of you" in text and "you worked <an> hour on this" in text and "text of before" not in text
    assert "changed after you were asked, by you, at" in text
    assert page.first("main").first("time") is not None
    assert me.get(view_path("edited meanwhile")).status_code == 200
    again = page.form("/notes/destroy/confirm").fields()
    assert int(again["version"]) == int(asked["version"]) + 1
    assert me.post("/notes/destroy/confirm", again).status_code == 302
    error_page(me.get(view_path("edited meanwhile")), 404)
    error_page(me.post("/notes/destroy/confirm", again), 404)


def test_an_empty_text_since_the_question_is_told_as_such(me):
    create_note(me, "emptied", "T", "a text")
    asked = me.html(destroy_path("emptied")).form("/notes/destroy/confirm").fields()
    edit_note(me, "emptied", body="")
    answer = me.post("/notes/destroy/confirm", asked)
    assert answer.status_code == 409 and "(empty)" in read_page(answer).first("main").text


def test_a_comment_since_the_question_is_no_other_note(me):
    create_note(me, "commented meanwhile")
    asked = me.html(destroy_path("commented meanwhile")).form("/notes/destroy/confirm").fields()
    comment(me, "commented meanwhile", "a comment")
    assert me.post("/notes/destroy/confirm", asked).status_code == 302


def test_a_program_is_told_of_an_edit_and_may_name_no_version(me):
    """Clients of the Node version send none: whichever it is."""
    create_note(me, "by program")
    edit_note(me, "by program", body="a second text")
    answer = me.post("/notes/destroy/confirm", {"notekey": "by program", "version": "1"}, headers={"Accept": "application/json"})
    assert answer.status_code == 409 and answer.json()["code"] == "Conflict", answer.text
    for version in ("", "x", "-1", "1.5"):
        assert me.post("/notes/destroy/confirm", {"notekey": "by program", "version": version}).status_code == 400
    assert me.get(view_path("by program")).status_code == 200
    assert me.post("/notes/destroy/confirm", {"notekey": "by program"}).status_code == 302


def test_a_note_made_again_is_not_destroyed_by_the_question_about_the_first(me):
    create_note(me, "made twice")
    asked = me.html(destroy_path("made twice")).form("/notes/destroy/confirm").fields()
    destroy_note(me, "made twice")
    create_note(me, "made twice", "Second", "second text")
    assert me.post("/notes/destroy/confirm", asked).status_code == 409
    assert me.get(view_path("made twice")).status_code == 200


def test_destroyed_note_is_gone_from_every_page(me):
    create_note(me, "doomed", "Doomed title", "doomed body text")
    comment(me, "doomed", "doomed comment")
    answer = me.post("/notes/destroy/confirm", {"notekey": "doomed"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    for path in (view_path("doomed"), edit_path("doomed"), destroy_path("doomed")):
        page = error_page(me.get(path), 404)
        assert "Doomed title" not in page.source and "doomed body" not in page.source
    assert "doomed" not in [key for key, _ in note_titles(me.html("/"))]
    error_page(me.post("/notes/destroy/confirm", {"notekey": "doomed"}), 404)
    error_page(me.post("/notes/comment", {"key": "doomed", "message": "late"}), 404)


def test_destroyed_note_and_its_comments_stay_in_the_database(site, me):
    """Restorable for 30 days: key, title, text and comments are all still in the file."""
    create_note(me, "kept-key-81", "Kept title 81", "Kept body 81")
    comment(me, "kept-key-81", "Kept comment 81")
    destroy_note(me, "kept-key-81")
    for text in ("kept-key-81", "Kept title 81", "Kept body 81", "Kept comment 81"):
        assert tables_holding(site.notes, text), f"{text!r} is not in the database any more"


def test_destroyed_note_is_kept_over_a_restart(services):
    userauth = services.userauth().start()
    with userauth.api() as api:
        api.create("me", "a password for me")
    notes = services.notes(userauth).start()
    client = open_session_of(notes)
    create_note(client, "over restart", "T", "Body over a restart")
    destroy_note(client, "over restart")
    notes.restart()
    assert tables_holding(notes, "Body over a restart")
    error_page(client.get(view_path("over restart")), 404)


def test_what_was_destroyed_long_ago_is_purged_however_much_hangs_on_it(services):
    """In many transactions (tests/unit/test_note_store.c); what was destroyed lately stays."""
    userauth = services.userauth().start()
    with userauth.api() as api:
        api.create("me", "a password for me")
    notes = services.notes(userauth).start()
    client = open_session_of(notes)
    for key in ("long ago", "lately"):
        create_note(client, key, "T", f"Body of {key}")
        edit_note(client, key, body=f"Second body of {key}")
        comment(client, key, f"Comment on {key}")
        destroy_note(client, key)
    notes.stop()
    with stored.opened(notes.database, is_writable=True) as database:
        for _ in range(11):
            database.execute("INSERT INTO comments (note_id, author, message, made_unix_ms) "
                             "SELECT note_id, author, message, made_unix_ms FROM comments WHERE message = ?", ("Comment on long ago",))
        database.execute("UPDATE destroyed_notes SET destroyed_unix_ms = 1000 WHERE note_key = ?", ("long ago",))
    notes.start()
    # A run of purging has 2.5 s. Where disks are slow there is a next one, after a minute.
    wait.until(lambda: not tables_holding(notes, "long ago"), "the note is purged", 200)
    for table, count in (("destroyed_notes", 1), ("note_versions", 2), ("comments", 1)):
        with stored.opened(notes.database) as database:
            assert database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == count, table
    assert tables_holding(notes, "Second body of lately") and tables_holding(notes, "Comment on lately")
    assert notes.wait_log(event="note.purged")["count"] == 1


def open_session_of(notes):
    from harness.client import Client
    client = Client(notes.url)
    assert client.login("me", "a password for me").headers["Location"] == "/"
    return client


def test_key_is_free_again_and_the_new_note_is_a_new_note(me):
    create_note(me, "again", "First", "first text")
    comment(me, "again", "comment on the first")
    revision_tag = me.get(view_path("again")).headers["ETag"]
    destroy_note(me, "again")
    create_note(me, "again", "Second", "second text")
    page = check_page(me.html(view_path("again")))
    assert page.text("notetitle").strip() == "Second"
    assert shown_comments(page) == {}
    assert me.get(view_path("again")).headers["ETag"] != revision_tag
    assert me.get(view_path("again"), headers={"If-None-Match": revision_tag}).status_code == 200
    destroy_note(me, "again")
    create_note(me, "again", "Third", "third text")
    assert edit_fields(me, "again")["body"] == "third text"


def test_any_user_may_destroy(site, me):
    create_note(me, "of-me")
    you = open_session(site, "you")
    destroy_note(you, "of-me")
    error_page(me.get(view_path("of-me")), 404)


def test_destroy_needs_the_token_and_post(me):
    create_note(me, "guarded")
    assert me.get("/notes/destroy/confirm?notekey=guarded").status_code == 405
    error_page(me.post("/notes/destroy/confirm", {"notekey": "guarded"}, csrf=False), 403)
    assert me.get(view_path("guarded")).status_code == 200


def test_every_save_keeps_the_earlier_version(site, me):
    create_note(me, "versions", "Version title 1", "version body 1")
    for number in (2, 3):
        fields = edit_fields(me, "versions")
        me.post("/notes/save", {**fields, "title": f"Version title {number}", "body": f"version body {number}"})
    for number in (1, 2, 3):
        assert tables_holding(site.notes, f"version body {number}")
        assert tables_holding(site.notes, f"Version title {number}")


@pytest.mark.sqlite_only(reason="looks at the file and its pragmas")
def test_database_is_whole_and_private(site, me):
    create_note(me, "integrity")
    database = open_database(site.notes)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    finally:
        database.close()
    assert site.notes.database.stat().st_mode & 0o777 == 0o600


def restore(site, *arguments):
    return programs.run(programs.NOTES_SVC, "--restore", *arguments, **site.notes.settings)


def test_restored_note_comes_back_with_its_comments_while_the_service_runs(site, me):
    create_note(me, "lost and found", "Found title", "Found body")
    comment(me, "lost and found", "Found comment")
    destroy_note(me, "lost and found")
    done = restore(site, "lost and found")
    assert done.returncode == 0 and "back" in done.stdout, done
    page = check_page(me.html(view_path("lost and found")))
    assert page.text("notetitle") == "Found title"
    assert "Found body" in page.text("notebody")
    assert len(shown_comments(page)) == 1 and "Found comment" in page.text("noteMessages")
    assert "lost and found" in [key for key, _ in note_titles(me.html("/"))]


def test_restore_refuses_what_can_not_be_brought_back(site, me):
    never = restore(site, "never was")
    assert never.returncode == 1 and "no note of this key was destroyed" in never.stderr
    create_note(me, "made again", "First")
    destroy_note(me, "made again")
    create_note(me, "made again", "Second")
    taken = restore(site, "made again")
    assert taken.returncode == 1 and "exists" in taken.stderr
    assert me.html(view_path("made again")).text("notetitle") == "Second"
    assert restore(site).returncode == 2


def test_restore_makes_no_database(site, tmp_path):
    """As when DATABASE_URL was forgotten."""
    settings = {name: value for name, value in site.notes.settings.items() if not name.startswith("DATABASE_")}
    missing = tmp_path / "missing.sqlite"
    done = programs.run(programs.NOTES_SVC, "--restore", "k", **settings, DATABASE_URL=f"sqlite:{missing}")
    assert done.returncode == 1 and done.stderr == \
        f"notes-svc: there is no database at {missing}; does DATABASE_URL name another one?\n"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.sqlite").touch(0o600)
    done = programs.run(programs.NOTES_SVC, "--restore", "k", **settings, DATABASE_URL=f"sqlite:{tmp_path}/empty.sqlite")
    assert done.returncode == 1 and "this database has no tables of ours; does DATABASE_URL name another one?" in done.stderr


@pytest.mark.parametrize("is_start", [False, True])
def test_database_of_the_other_service_is_named(site, is_start):
    settings = {**site.notes.settings, **{name: value for name, value in site.userauth.settings.items() if name.startswith("DATABASE_")}}
    settings.setdefault("DATABASE_URL", f"sqlite:{site.userauth.database}")
    done = programs.run(programs.NOTES_SVC, *([] if is_start else ["--restore", "k"]), **settings)
    assert done.returncode == 1
    assert "this database belongs to userauth-svc; DATABASE_URL must name notes-svc's own" in done.stderr

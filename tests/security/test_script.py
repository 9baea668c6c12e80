# SPDX-License-Identifier: MIT
"""No text runs as script or becomes markup, in any field, on any page, in any live event.

A real Chromium loads the pages with the Content-Security-Policy switched off, so that escaping alone must hold (that the policy
is there as well is ../browser/test_round.py's). In every document watcher.js notes what runs, and each element or attribute
that no page of ours has, also for a moment only.
"""
import itertools
import json
import pathlib
from urllib.parse import quote

import pytest

from harness.client import Client
from harness.client import browser_session as open_session
from notes_verbs import comment, create_note, destroy_path, edit_fields, edit_note, edit_path, view_path
from payloads import SCRIPTS

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
WATCHER = (pathlib.Path(__file__).parent / "watcher.js").read_text()
COMMENTS_COUNT = 20  # on a page

# Ways into Markdown. Each makes one text of one payload.
CONTEXTS = [
    lambda text: text,
    lambda text: f"a *b* {text} **c** `d`",
    lambda text: f"- {text}\n  1. {text}",
    lambda text: f"> {text}",
    lambda text: f"| {text} | b |\n|:-|-:|\n| {text} | {text} |",
    lambda text: f"[{text}](http://a.example)",
    lambda text: f"[x]({text})",
    lambda text: f"[x](<{text}>)",
    lambda text: f"[x](http://a.example \"{text}\")",
    lambda text: f"![{text}]({text})",
    lambda text: f"<{text}>",
    lambda text: f"`{text}`",
    lambda text: f"```{text}\n{text}\n```",
    lambda text: f"# {text}\n\n{text}\n===",
    lambda text: f"http://a.example/{text}",
    lambda text: f"- [ ] {text}\n- [x] {text}",
    lambda text: f"    {text}",
    lambda text: "\n\n".join(text.split(" ")),
]


def one_line(text):
    """As a title and a key may be: without control characters."""
    return "".join(" " if char < " " else char for char in text).strip()


def key_of(number):
    return one_line(SCRIPTS[number])[:240] + f" {number}"


def body_of(number):
    """All payloads in one of the contexts."""
    return "\n\n".join(CONTEXTS[number % len(CONTEXTS)](text) for text in SCRIPTS)


def names():
    """Payloads that may be the name of a user."""
    return [text for text in SCRIPTS if len(text) <= 64 and "/" not in text and text.isprintable() and text == text.strip()]


@pytest.fixture
def watched(browser):
    """The browser, with the watcher in every document; watched.check() is that it has noted nothing."""
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCHER})

    def check(what):
        assert browser.run("return window.watched") == [], what

    browser.check = check
    return browser


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


@pytest.fixture(scope="module")
def keys(site, me):
    """A note for each payload, with it as key and title, and a body with all of them; on the first notes all comments. A
    test that changes notes changes its own."""
    for number, text in enumerate(SCRIPTS):
        create_note(me, key_of(number), one_line(text), body_of(number))
        comment(me, key_of(number // COMMENTS_COUNT), text)
    for number, name in enumerate(names()):
        site.add_user(name)
        writer = open_session(site, name)
        comment(writer, key_of(COMMENTS_COUNT + number // COMMENTS_COUNT), "by a strange name")
        create_note(writer, f"by name {number}", f"by name {number}")
    return [key_of(number) for number in range(len(SCRIPTS))]


def submit(browser, path, fields):
    """Sends a form as a page would, and waits for the page that comes of it."""
    browser.run("document.documentElement.dataset.old = '';"
                "const form = document.body.appendChild(document.createElement('form'));"
                "form.method = 'post'; form.action = arguments[0];"
                "for (const [name, value] of Object.entries(arguments[1])) {"
                "  const field = form.appendChild(document.createElement('textarea')); field.name = name; field.value = value; }"
                "HTMLFormElement.prototype.submit.call(form);", path, fields)
    browser.until(lambda: not browser.all("html[data-old]"), "another page")
    browser.idle()


def in_lots(texts, max_chars):
    """The texts joined, as many as a field takes."""
    lot = ""
    for text in texts:
        if lot and len(lot) + len(text) + 1 > max_chars:
            yield lot
            lot = ""
        lot += (" " if lot else "") + text
    yield lot


def test_the_watcher_sees_what_it_is_for(watched):
    """Else all of the following could not fail."""
    watched.open("/users/login")
    watched.check("the page as it is")
    hostile = ["<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<a href=javascript:alert(1)>x</a>", "<b>x</b>",
               "<iframe srcdoc='<script>alert(1)</script>'></iframe>", "<p onclick=alert(1)>x</p>", "<form action=//evil.example></form>",
               "<p style=color:red>x</p>", "<h1 id=content>x</h1>", "<details><summary>x</summary></details>"]
    for text in hostile:
        watched.run("watched.length = 0; document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])", text)
        watched.until(lambda: watched.run("return watched.length"), f"a note of {text}")
        watched.run("document.querySelector('main').lastElementChild.remove()")
    watched.run("watched.length = 0; document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])", hostile[0])
    watched.until(lambda: "ran: alert(1)" in watched.run("return watched"), "the script ran, as no policy stops it here")


def test_no_page_of_a_note_runs_or_shows_it_as_markup(watched, keys):
    watched.sign_in()
    for number, key in enumerate(keys):
        watched.open(view_path(key))
        watched.idle()
        watched.check(key)
        shown = watched.run("return ['notetitle', 'notekey'].map(id => document.getElementById(id).textContent)")
        assert shown == [one_line(SCRIPTS[number]), key]
    for key in keys[::8]:
        for path in (edit_path(key), destroy_path(key)):
            watched.open(path)
            watched.check(path)
    shown = []
    for number in range((len(keys) - 1) // COMMENTS_COUNT + 1):
        watched.open(view_path(keys[number]))
        shown += watched.run("return [...document.querySelectorAll('.comment-text')].map(one => one.textContent)")
    assert set(SCRIPTS) == set(shown)


def test_no_list_and_no_name_runs_or_shows_it_as_markup(site, watched, keys):
    seen, path = set(), "/"
    while path:
        watched.open(path)
        watched.check(path)
        seen |= set(watched.run("return [...document.querySelectorAll('#notetitles a, #notetitles bdi')].map(one => one.textContent)"))
        path = watched.run("return document.querySelector('a[rel=next]')?.getAttribute('href')")
    assert set(names()) | {one_line(text) for text in SCRIPTS} <= seen | {"me"}
    for number in range((len(names()) - 1) // COMMENTS_COUNT + 1):
        watched.open(view_path(keys[COMMENTS_COUNT + number]))
        watched.check("comments by strange names")
    for name in names()[::5]:
        client = open_session(site, name)
        watched.driver.add_cookie({"name": "notescookie.sid", "value": client.session_cookie})
        watched.open("/")
        watched.check(name)
        assert watched.find("#signed-in-user").text
        assert watched.run("return document.getElementById('signed-in-user').textContent") == name


def test_no_refusal_and_no_login_page_runs_it(watched, me, keys):
    watched.sign_in()
    watched.open("/notes/add")
    token = watched.run("return document.querySelector('[name=csrf]').value")
    create_note(me, "taken")
    version = edit_fields(me, "taken")["version"]
    edit_note(me, "taken", body="newer")
    conflicts = itertools.cycle([("This key is taken", {"docreate": "create"}),
                                 ("Somebody else saved first", {"docreate": "update", "version": version})])
    tries = [(heading, {**mode, "notekey": "taken", "title": lot, "body": lot})
             for lot, (heading, mode) in zip(in_lots(map(one_line, SCRIPTS), 255), conflicts)]
    all_of_it = "\n".join(SCRIPTS)
    whole = {"docreate": "create", "notekey": all_of_it, "title": all_of_it, "body": all_of_it}
    tries += [("A new note", whole), ("That is not allowed", {**whole, "csrf": all_of_it}),
              ("That request was not understood", {**whole, "docreate": all_of_it})]
    for heading, fields in tries:
        submit(watched, "/notes/save", {"csrf": token, **fields})
        watched.check(heading)
        assert watched.find("h1").text == heading
        assert fields["body"].splitlines()[-1] in watched.run("return [...document.querySelectorAll('textarea')].map(one => one.value).join()")
    for lot in itertools.islice(in_lots(SCRIPTS, 1000), 2):
        submit(watched, "/notes/comment", {"csrf": token, "key": "taken", "message": lot + "x" * 1024})
        watched.check("a comment that is too long")
        assert watched.run("return document.getElementById('message').value").startswith(lot)
        submit(watched, "/notes/comment", {"csrf": token, "key": lot, "message": lot})
        watched.check("a comment on nothing")
    watched.driver.delete_all_cookies()
    for lot in [text for text in map(one_line, SCRIPTS) if len(text) <= 64][::6]:
        watched.open("/users/login")
        submit(watched, "/users/login", {"username": lot, "password": "x"})
        watched.check("a failed login")
        assert watched.run("return document.querySelector('[name=username]').value") == lot


def test_nothing_of_an_address_or_header_gets_into_a_page(watched, keys):
    """Pages fetched and parsed in the browser as it parses them, then looked at as the watcher does."""
    watched.open("/users/login")
    paths = []
    for number, text in enumerate(SCRIPTS):
        for form in [quote(text, safe="" if number % 2 else "<>\"'()=:;,/`{}$|")]:
            paths += [f"/{form}", f"/?page={form}", f"/?{form}={form}", f"/notes/view?key={form}", f"/notes/view?key={quote(keys[0])}&before={form}",
                      f"/users/login?username={form}&next={form}", f"/assets/{form}", f"/socket.io/?EIO={form}"]
    watched.driver.set_script_timeout(300)
    faults = watched.driver.execute_async_script(
        "const [paths, done] = arguments; const faults = [];"
        "async function look(path) {"
        "  const answer = await fetch(path, { headers: { 'X-Request-Id': '<svg onload=alert(1)>', Accept: 'text/html' } });"
        "  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');"
        "  const type = answer.headers.get('Content-Type');"
        "  watched.length = 0;"
        "  const found = type.startsWith('text/html') ? lookAt(page.documentElement) : [];"
        "  if (found.length || !/^(text.html; charset=utf-8|application.json)$/.test(type)) faults.push([path, answer.status, type, ...found]);"
        "}"
        "async function run() { while (paths.length) await look(paths.pop()); }"
        "Promise.all(Array.from({ length: 8 }, run)).then(() => done(faults), fault => done([String(fault)]));", paths)
    assert faults == []


def test_no_device_of_a_session_runs_or_shows_it_as_markup(site, watched):
    """The account's page names where one is signed in by what browsers say of themselves, and whence by what proxies say."""
    site.add_user("traveller")
    for text in SCRIPTS:
        client = Client(site.url)
        fields = {"User-Agent": text.encode(), "X-Forwarded-For": text.encode(), "Sec-CH-UA-Platform": text.encode()}
        answer = client.post("/users/login", {"username": "traveller", "password": site.passwords["traveller"]}, csrf=False,
                             headers={name: one_line(value.decode()).encode() for name, value in fields.items()})
        assert answer.status_code == 302 and client.is_signed_in, text
    watched.sign_in("traveller")
    watched.open("/users/account")
    watched.idle()
    assert len(watched.all(".session-device")) > 1
    watched.check("the account's page")
    token = watched.run("return document.querySelector('[name=csrf]').value")
    submit(watched, "/users/account/sessions/end", {"csrf": token, "id": SCRIPTS[0]})
    watched.check("an end of nothing")
    for name in ("password", "new-password", "new-password-again"):
        submit(watched, "/users/account/password", {"csrf": token, "password": "x", "new-password": "x", "new-password-again": "x", name: SCRIPTS[40]})
        watched.check(f"a refused change: {name}")


def test_no_live_event_runs_or_shows_it_as_markup(site, watched, me, keys):
    """Comments, changed notes and the list, while the page is open."""
    listed = [f"{key} listed" for key in keys]
    for key in ("live", *listed):
        create_note(me, key, "before")
    watched.sign_in("you")
    watched.open(view_path("live"))
    for text in SCRIPTS:
        comment(me, "live", text)
    writers = [open_session(site, name) for name in names()[::8]]
    for writer in writers:
        comment(writer, "live", "by a strange name")
    shown = "return [...document.querySelectorAll('.comment-text, .comment-author')].map(one => one.textContent)"
    watched.until(lambda: {SCRIPTS[-1], names()[::8][-1]} <= set(watched.run(shown)), "the last comments")
    watched.check("comments that came")
    for number, text in enumerate(SCRIPTS):
        edit_note(me, "live", title=one_line(text), body=body_of(number))
    watched.until(lambda: watched.run("return document.getElementById('notetitle').textContent") == one_line(SCRIPTS[-1]), "the last title")
    watched.check("changes that came")
    watched.open("/")
    for number, key in enumerate(listed):
        edit_note(me, key, title=one_line(SCRIPTS[-1 - number]))
    titles = "return [...document.querySelectorAll('#notetitles a')].map(one => one.textContent)"
    watched.until(lambda: watched.run(titles)[0] == one_line(SCRIPTS[0]), "the last title in the list")
    watched.check("the list that came")


def test_a_snapshot_runs_nothing(watched, me):
    """What comes after a gap: the page is told that it has an old revision."""
    key = key_of(0) + " with a gap"
    create_note(me, key, one_line(SCRIPTS[0]), body_of(0))
    for text in SCRIPTS[:COMMENTS_COUNT]:
        comment(me, key, text)
    watched.open(view_path(key))
    watched.driver.set_network_conditions(offline=True, latency=0, throughput=0)
    watched.run("window.dispatchEvent(new Event('offline'))")
    for number in (0, 4, 8):
        edit_note(me, key, title=one_line(SCRIPTS[number]), body=body_of(number))
    comment(me, key, SCRIPTS[6])
    watched.driver.delete_network_conditions()
    watched.run("window.dispatchEvent(new Event('online'))")
    watched.until(lambda: watched.run("return document.getElementById('notetitle').textContent") == one_line(SCRIPTS[8]), "the state")
    watched.check(json.dumps(SCRIPTS[6]))

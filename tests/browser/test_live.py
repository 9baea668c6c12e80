# SPDX-License-Identifier: MIT
"""Two Chromium windows on one site: what one does appears in the other, hostile texts stay texts, nothing typed is
lost, and a service that was away is caught up with."""
import itertools
import re
from urllib.parse import quote, unquote

import pytest

from harness.client import browser_session as open_session
from notes_verbs import note_titles

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
_serial = itertools.count(1)
A_TIME = re.compile(r"\d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC")
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><script>window.hacked = 1</script>&amp;"


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


@pytest.fixture
def key(me):
    name = f"window-{next(_serial)}"
    answer = me.post("/notes/save", {"docreate": "create", "notekey": name, "title": "A title", "body": "A body"})
    assert answer.status_code == 302
    return name


def view(key):
    return "/notes/view?key=" + quote(key, safe="")


def edit(me, key, **changes):
    fields = me.html("/notes/edit?key=" + quote(key, safe="")).form("/notes/save").fields()
    assert me.post("/notes/save", {**fields, **changes}).status_code == 302


def say(me, key, message):
    answer = me.post("/notes/comment", {"key": key, "message": message}, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return answer.json()


def live(browser):
    """The page's socket is connected."""
    browser.find("html[data-live=on]")


def texts(browser, selector):
    return [node.text for node in browser.all(selector)]


def shows(browser, selector, wanted):
    browser.until(lambda: texts(browser, selector) == wanted, f"{selector} to be {wanted}")


def test_two_windows_see_each_others_comments(open_browser, key):
    mine, yours = open_browser(), open_browser()
    mine.sign_in("me")
    yours.sign_in("you")
    for window in (mine, yours):
        window.open(view(key))
        live(window)
        window.run("window.sameDocument = true")
    mine.type("[name=message]", "from me")
    mine.click("form[action='/notes/comment'] button[type=submit]")
    shows(yours, ".comment-text", ["from me"])
    assert not mine.all(".comment-text") or texts(mine, ".comment-text") == ["from me"]
    assert yours.all("form.comment-destroy") == [], "a comment of another is no business of ours"
    yours.type("[name=message]", "from you")
    yours.click("form[action='/notes/comment'] button[type=submit]")
    shows(mine, ".comment-text", ["from you", "from me"])
    shows(yours, ".comment-text", ["from you", "from me"])
    mine.click("#noteMessages .comment:first-child form.comment-destroy button")  # the note's author may
    shows(yours, ".comment-text", ["from me"])
    shows(mine, ".comment-text", ["from me"])
    for window in (mine, yours):
        assert window.run("return window.sameDocument") is True
        assert window.complaints() == []


def test_a_changed_and_a_destroyed_note(browser, me, key):
    browser.open(view(key))
    live(browser)
    edit(me, key, title="Second & title", body="Now *this*")
    shows(browser, "#notetitle", ["Second & title"])
    shows(browser, "#notebody em", ["this"])
    assert browser.driver.title == "Second & title · Notes"
    assert me.post("/notes/destroy/confirm", {"notekey": key}).status_code == 302
    browser.until(lambda: "deleted" in browser.find("#note").text, "the page to say that the note is gone")


def test_hostile_texts_stay_texts(browser, me, key):
    browser.open(view(key))
    live(browser)
    edit(me, key, title=HOSTILE, body=HOSTILE)
    say(me, key, HOSTILE)
    shows(browser, "#notetitle", [HOSTILE])
    shows(browser, ".comment-text", [HOSTILE])
    assert "<script>window.hacked = 1</script>&" in browser.find("#notebody").text  # Markdown knows entities
    browser.open("/")
    live(browser)
    edit(me, key, title=HOSTILE + " again")
    browser.until(lambda: texts(browser, "#notetitles a")[0] == HOSTILE + " again", "the title")
    assert browser.run("return window.hacked === undefined && !document.querySelector('main img')")


def test_the_home_page(browser, me, key):
    browser.open("/")
    live(browser)
    new = key + "-new"
    me.post("/notes/save", {"docreate": "create", "notekey": new, "title": "Brand new", "body": ""})
    browser.until(lambda: texts(browser, "#notetitles a")[:1] == ["Brand new"], "the new note")
    edit(me, new, title="Brand new still")
    browser.until(lambda: texts(browser, "#notetitles a")[:1] == ["Brand new still"], "the changed note")
    edit(me, key, title="Renamed")
    browser.until(lambda: texts(browser, "#notetitles a")[:2] == ["Renamed", "Brand new still"], "the renamed note")
    lines = [" ".join(line.split()) for line in texts(browser, "#notetitles .meta")]
    assert lines[0].startswith("me · "), "the author of a known note stays"
    assert A_TIME.fullmatch(lines[0].removeprefix("me · ")) and A_TIME.fullmatch(lines[1]), lines
    browser.open("/")
    assert all(A_TIME.search(line) for line in texts(browser, "#notetitles .meta")), "the server writes times so too"
    live(browser)
    me.post("/notes/destroy/confirm", {"notekey": new})
    browser.until(lambda: "Brand new still" not in texts(browser, "#notetitles a"), "the note to be gone")
    browser.click(f"#notetitles a[href='{view(key)}']")
    browser.at(view(key))


def test_who_edits_is_told_and_keeps_the_text(browser, me, key):
    browser.sign_in("you")
    browser.open("/notes/edit?key=" + key)
    live(browser)
    browser.type("textarea[name=body]", "my long text")
    say(me, key, "a comment is no reason")
    edit(me, key, body="their text")
    browser.until(lambda: "saved by somebody else" in browser.find("form.note-form").text, "the notice")
    assert browser.find("textarea[name=body]").get_property("value") == "my long text"
    browser.click("form.note-form button[type=submit]")
    browser.until(lambda: "Somebody else saved first" in browser.find("main").text, "both texts")
    assert browser.find("textarea[name=body]").get_property("value") == "my long text"


def test_a_comment_alone_tells_no_editor(browser, me, key):
    browser.sign_in("me")
    browser.open("/notes/edit?key=" + key)
    live(browser)
    say(me, key, "just a comment")
    edit_seen = browser.run("return document.getElementById('edit-notice').hidden")
    assert edit_seen is True


def test_what_happened_while_the_service_was_away_is_caught_up(open_browser, site, me, key):
    """The page says that it is not connected, and shows everything when the service is back."""
    window = open_browser()
    window.open(view(key))
    live(window)
    site.notes.stop()
    window.until(lambda: window.all("#live-hint") and window.find("#live-hint").is_displayed(), "the hint")
    site.notes.start()
    edit(me, key, title="While you were away")
    say(me, key, "and a comment")
    shows(window, "#notetitle", ["While you were away"])
    shows(window, ".comment-text", ["and a comment"])
    window.until(lambda: not window.find("#live-hint").is_displayed(), "the hint to be gone")


def test_a_page_that_comes_back_is_current(browser, me, key):
    browser.open(view(key))
    live(browser)
    browser.open("/")
    live(browser)
    edit(me, key, title="Changed in between")
    browser.driver.back()
    browser.at(view(key))
    shows(browser, "#notetitle", ["Changed in between"])


def test_a_change_of_the_list_while_the_service_was_away_has_no_made_up_time(open_browser, site, me, key):
    window = open_browser()
    window.open("/")
    live(window)
    site.notes.stop()
    window.gone("html[data-live]")
    site.notes.start()
    edit(me, key, title="Changed while away")
    window.until(lambda: texts(window, "#notetitles a")[:1] == ["Changed while away"], "the title")
    assert texts(window, "#notetitles .meta")[0] == ""


# --- the order of comments ---

HOLD = """
window.held = [];
window.isHolding = false;
window.WebSocket = class extends window.WebSocket {
  addEventListener(name, listener) {
    super.addEventListener(name, name !== "message" ? listener
      : (event) => window.isHolding ? window.held.push(() => listener(event)) : listener(event));
  }
};
window.letGo = () => {
  window.isHolding = false;
  window.held.splice(0).forEach((hear) => hear());
};
"""


def test_comments_stand_by_their_number_whatever_comes_first(browser, me, key):
    """The answer to one's own comment is there before the events of those that were made before it."""
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HOLD})
    browser.sign_in("you")
    say(me, key, "first")
    browser.open(view(key))
    live(browser)
    browser.run("window.isHolding = true")
    say(me, key, "second")
    say(me, key, "third")
    browser.type("[name=message]", "fourth")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    shows(browser, ".comment-text", ["fourth", "first"])
    browser.run("window.letGo()")
    shows(browser, ".comment-text", ["fourth", "third", "second", "first"])
    browser.open(view(key))
    shows(browser, ".comment-text", ["fourth", "third", "second", "first"])


# --- the comment whose answer is missing ---

SUBMIT = "form[action='/notes/comment'] button[type=submit]"


def test_an_older_comment_is_not_the_one_whose_answer_is_missing(browser, me, key):
    """It says the same and is one's own, but it was there before; what is typed stays until its own comment is there."""
    browser.sign_in("me")
    say(me, key, "ok")
    browser.open(view(key))
    live(browser)
    shows(browser, ".comment-text", ["ok"])
    browser.run("window.fetch = async () => { throw new TypeError('no network'); }")
    browser.type("[name=message]", "ok")
    browser.click(SUBMIT)
    browser.until(lambda: "not known" in browser.find("#message-error").text, "the problem")
    away(browser)
    say(me, key, "something else")
    back(browser)
    shows(browser, ".comment-text", ["something else", "ok"])
    assert browser.find("[name=message]").get_property("value") == "ok"
    assert "not known" in browser.find("#message-error").text
    assert "notes-draft:comment" in browser.run("return JSON.stringify(localStorage)")
    say(me, key, "ok")
    browser.until(lambda: browser.find("[name=message]").get_property("value") == "", "the field to be empty")


LATE = """
const usual = window.fetch;
window.fetch = async (...request) => {
  const response = await usual(...request);
  await new Promise((letGo) => { window.letAnswer = letGo; });
  return response;
};
"""


@pytest.mark.parametrize("is_away", [False, True])
def test_a_comment_that_is_deleted_before_its_answer_comes_stays_away(browser, me, key, is_away):
    browser.sign_in("me")
    browser.open(view(key))
    live(browser)
    browser.run(LATE)
    browser.type("[name=message]", "mine")
    browser.click(SUBMIT)
    shows(browser, ".comment-text", ["mine"])
    browser.until(lambda: browser.run("return window.letAnswer !== undefined"), "the answer")
    number = browser.find(".comment").get_attribute("id").rpartition("-")[2]
    if is_away:
        away(browser)
    assert me.post("/notes/comment/destroy", {"key": key, "id": number}).status_code == 302
    if is_away:
        back(browser)
    browser.gone(".comment")
    browser.run("window.letAnswer()")
    browser.until(lambda: browser.find("[name=message]").get_property("value") == "", "the answer to be heard")
    assert not browser.all(".comment")


# --- what is said beside the text ---

def away(browser):
    """The page is kept in memory, and holds no socket."""
    browser.run("dispatchEvent(new PageTransitionEvent('pagehide'))")
    browser.gone("html[data-live]")


def back(browser):
    browser.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    live(browser)


def changed(browser):
    """When the page says that the note was changed; "" when it does not."""
    time = browser.find(".note-head time")
    return time.get_attribute("datetime") if time.is_displayed() else ""


def test_a_note_that_somebody_else_made_again_is_his(browser, site, me, key):
    """Under the same key, while its page is open."""
    other = open_session(site, "you")
    browser.open(view(key))
    live(browser)
    shows(browser, ".note-head bdi", ["me"])
    for author, client in (("you", other), ("me", me)):
        destroy(me, key)
        browser.find("#note-gone")
        made = {"docreate": "create", "notekey": key, "title": f"Of {author}", "body": "A body"}
        assert client.post("/notes/save", made).status_code == 302
        shows(browser, "#notetitle", [f"Of {author}"])
        shows(browser, ".note-head bdi", [author])
        assert browser.find("#note").get_attribute("data-author") == author
    shown = " ".join(browser.find(".note-head .meta").text.split())
    browser.open(view(key))
    assert shown.startswith("by me ") and " ".join(browser.find(".note-head .meta").text.split()).startswith("by me ")


def test_a_text_that_was_changed_nobody_saw_when_has_no_old_time(browser, me, key):
    browser.open(view(key))
    live(browser)
    first = changed(browser)
    assert first
    away(browser)
    say(me, key, "a comment changes no text")
    back(browser)
    shows(browser, ".comment-text", ["a comment changes no text"])
    assert changed(browser) == first
    away(browser)
    edit(me, key, title="Changed while away")
    back(browser)
    shows(browser, "#notetitle", ["Changed while away"])
    assert changed(browser) == ""
    edit(me, key, title="Changed while there")
    shows(browser, "#notetitle", ["Changed while there"])
    browser.until(lambda: changed(browser) > first, "the time of the change")
    browser.open(view(key))
    assert changed(browser) > first


def new_listed(me, title):
    name = f"listed-{next(_serial)}"
    assert me.post("/notes/save", {"docreate": "create", "notekey": name, "title": title, "body": ""}).status_code == 302
    return name


def destroy(me, name):
    assert me.post("/notes/destroy/confirm", {"notekey": name}).status_code == 302


def fill_list(me):
    """The site has as many notes as a page, and no second one, whatever it had before."""
    while listed := note_titles(me.html("/")):
        for key, _ in listed:
            destroy(me, key)
    for number in range(50):
        new_listed(me, f"Filling {number}")


KEPT = """
document.addEventListener("readystatechange", () => {
  if (document.readyState === "interactive") {
    const page = document.querySelector("#note, #notetitles");
    page.dataset.revision = "1";
    page.querySelector("#notetitle, #notetitles a").textContent = "As it was";
  }
});
"""


def test_a_page_that_the_browser_kept_makes_up_no_time(browser, me, key):
    """What it hears at its first connection is not from now."""
    edit(me, key, title="As it is")
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEPT})
    browser.open(view(key))
    shows(browser, "#notetitle", ["As it is"])
    assert changed(browser) == ""
    browser.open("/")
    browser.until(lambda: texts(browser, "#notetitles a")[0] == "As it is", "the title")
    assert texts(browser, "#notetitles .meta")[0] == ""
    edit(me, key, title="Changed while there")
    browser.until(lambda: texts(browser, "#notetitles a")[0] == "Changed while there", "the title")
    assert A_TIME.search(texts(browser, "#notetitles .meta")[0])


def test_a_note_that_falls_off_the_list_is_on_the_next_page(browser, me):
    fill_list(me)
    browser.open("/")
    live(browser)
    last = texts(browser, "#notetitles a")[-1]
    assert len(browser.all("#notetitles li")) == 50 and not browser.all("a[rel=next]")
    added = [new_listed(me, "One more"), new_listed(me, "Another")]
    browser.until(lambda: texts(browser, "#notetitles a")[:2] == ["Another", "One more"], "the new notes")
    assert len(browser.all("#notetitles li")) == 50 and len(browser.all("a[rel=next]")) == 1
    made = browser.find("nav.pages").get_property("outerHTML")
    browser.open("/")
    assert "".join(made.split()) == "".join(browser.find("nav.pages").get_property("outerHTML").split()), "as the server has it"
    live(browser)
    browser.click("a[rel=next]")
    browser.at("/?page=2")
    assert last in texts(browser, "#notetitles a")
    browser.open("/")
    live(browser)
    for name in [*added, key_of(browser, 2)]:
        destroy(me, name)
    browser.until(lambda: len(browser.all("#notetitles li")) == 49, "three to be gone")
    assert not browser.all("a[rel=next]"), "there is no second page"


def key_of(browser, place):
    return unquote(browser.all("#notetitles a")[place].get_attribute("href").partition("key=")[2])


def test_the_list_has_no_link_to_a_page_that_is_not_there(browser, me):
    """Nor when a note fell off and came back, and nor when one was replaced while nobody looked."""
    fill_list(me)
    browser.open("/")
    live(browser)
    added = [new_listed(me, "Comes"), new_listed(me, "Comes too")]
    browser.find("a[rel=next]")
    browser.run("document.querySelector('a[rel=next]').focus()")
    for name in added:
        destroy(me, name)
    browser.until(lambda: not {"Comes", "Comes too"} & set(texts(browser, "#notetitles a")), "both to be gone")
    assert len(browser.all("#notetitles li")) == 50 and not browser.all("nav.pages")
    assert browser.run("return document.activeElement.id") == "notetitles"
    away(browser)
    destroy(me, key_of(browser, 5))
    replacing = new_listed(me, "Replaces one")
    back(browser)
    browser.until(lambda: texts(browser, "#notetitles a")[0] == "Replaces one", "the new note")
    assert len(browser.all("#notetitles li")) == 50 and not browser.all("nav.pages")
    destroy(me, replacing)
    browser.until(lambda: len(browser.all("#notetitles li")) == 49, "it to be gone")
    assert not browser.all("nav.pages")


def test_the_link_to_the_second_page_goes_with_that_page(browser, me):
    """One that the server's page had: when a note of this page is deleted, or one of the other, or while nobody looks."""
    fill_list(me)
    browser.open("/")
    last = key_of(browser, 49)
    new_listed(me, "One too many")
    browser.open("/")
    live(browser)
    browser.run("document.querySelector('a[rel=next]').focus()")
    destroy(me, key_of(browser, 7))
    browser.gone("nav.pages")
    assert len(browser.all("#notetitles li")) == 50
    assert browser.run("return document.activeElement.id") == "notetitles"
    new_listed(me, "And again")
    browser.find("a[rel=next]")
    destroy(me, last)
    browser.gone("nav.pages")
    added = new_listed(me, "Once more")
    browser.find("a[rel=next]")
    away(browser)
    destroy(me, added)
    back(browser)
    browser.gone("nav.pages")
    assert len(browser.all("#notetitles li")) == 50


def test_a_link_to_older_comments_goes_with_them(browser, me, key):
    made = [say(me, key, f"comment {number}")["id"] for number in range(25)]
    browser.open(view(key))
    live(browser)
    browser.run("document.querySelector('a[rel=next]').focus()")
    away(browser)
    for number in made[3:]:
        assert me.post("/notes/comment/destroy", {"key": key, "id": number}).status_code == 302
    back(browser)
    shows(browser, ".comment-text", ["comment 2", "comment 1", "comment 0"])
    assert not browser.all("a[rel=next]")
    assert browser.run("return document.activeElement.id") == "comments-title"


def test_a_link_to_older_comments_comes_when_some_fall_off(browser, me, key):
    """Not when the page is just full."""
    for number in range(19):
        say(me, key, f"comment {number}")
    browser.open(view(key))
    live(browser)
    away(browser)
    say(me, key, "comment 19")
    back(browser)
    browser.until(lambda: texts(browser, ".comment-text")[0] == "comment 19", "the comment")
    assert len(browser.all(".comment")) == 20 and not browser.all("a[rel=next]")
    away(browser)
    say(me, key, "comment 20")
    back(browser)
    browser.until(lambda: texts(browser, ".comment-text")[0] == "comment 20", "the comment")
    assert len(browser.all(".comment")) == 20
    browser.click("a[rel=next]")
    shows(browser, ".comment-text", ["comment 0"])


# --- what is said to people who hear the page ---

def watch_status(browser):
    """Before anything changes, the region is there and says nothing; it is the only one."""
    browser.run("window.said = []; const region = document.getElementById('status');"
                "new MutationObserver(() => region.textContent && window.said.push(region.textContent))"
                ".observe(region, {childList: true, characterData: true, subtree: true})")
    assert browser.run("return document.getElementById('status').textContent") == ""


def hears(browser, wanted):
    browser.until(lambda: browser.run("return window.said") == wanted, f"to hear {wanted}")
    assert len(browser.all("[role=status]")) == 1


def test_what_changes_is_said_by_a_region_that_was_there(browser, me, key):
    browser.open(view(key))
    live(browser)
    watch_status(browser)
    edit(me, key, body="another text")
    hears(browser, ["The note was changed."])
    edit(me, key, body="and another")
    hears(browser, ["The note was changed."] * 2)
    assert me.post("/notes/destroy/confirm", {"notekey": key}).status_code == 302
    hears(browser, ["The note was changed."] * 2 + ["This note has been deleted."])


def test_who_edits_hears_of_a_kept_text_and_of_another_save(browser, me, key):
    browser.sign_in("you")
    browser.open("/notes/edit?key=" + key)
    live(browser)
    watch_status(browser)
    browser.type("textarea[name=body]", "my long text")
    browser.until(lambda: browser.run("return JSON.stringify(localStorage).includes('my long text')"), "the draft")
    edit(me, key, body="their text")
    browser.until(lambda: "saved by somebody else" in "".join(browser.run("return window.said")), "to hear of it")
    browser.open("/notes/edit?key=" + key)
    browser.until(lambda: "We kept what you typed here earlier." in browser.run("return document.getElementById('status').textContent"),
                  "to hear of the kept text")
    assert len(browser.all("[role=status]")) == 1


def test_a_page_of_the_release_before_gets_a_region(browser, me, key):
    """Amid a rolling update a page from before, without a region, may run this script: it misses nothing."""
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": (
        "document.addEventListener('readystatechange', () => document.readyState === 'interactive'"
        " && document.getElementById('status').remove())")})
    browser.open(view(key))
    live(browser)
    assert browser.all("#status") == []
    away(browser)
    edit(me, key, title="Changed while away")
    say(me, key, "and a comment")
    back(browser)
    shows(browser, "#notetitle", ["Changed while away"])
    shows(browser, ".comment-text", ["and a comment"])
    browser.until(lambda: "The note was changed." in browser.run("return document.getElementById('status').textContent"), "to hear of it")
    assert len(browser.all("[role=status]")) == 1


def test_a_deleted_note_is_told_of_once(browser, me, key):
    """Each connection says it again; who hears the page heard it."""
    browser.open(view(key))
    live(browser)
    watch_status(browser)
    destroy(me, key)
    hears(browser, ["This note has been deleted."])
    for _ in range(2):
        away(browser)
        back(browser)
    assert me.post("/notes/save", {"docreate": "create", "notekey": key, "title": "Again", "body": ""}).status_code == 302
    hears(browser, ["This note has been deleted.", "The note was changed."])


def test_who_edits_is_told_once_of_another_save(browser, me, key):
    browser.sign_in("you")
    browser.open("/notes/edit?key=" + key)
    live(browser)
    watch_status(browser)
    edit(me, key, body="their text")
    browser.until(lambda: len(browser.run("return window.said")) == 1, "to hear of it")
    away(browser)
    say(me, key, "a comment")
    back(browser)
    destroy(me, key)
    browser.until(lambda: len(browser.run("return window.said")) > 1, "to hear of the end")
    said = browser.run("return window.said")
    assert "saved by somebody else" in said[0] and "deleted" in said[1] and len(said) == 2, said


def test_what_comes_in_the_same_moment_is_said_together(browser, me, key):
    browser.open(view(key))
    live(browser)
    watch_status(browser)
    browser.run("announce('One.'); announce('Two.'); announce('One.')")
    hears(browser, ["One. Two."])

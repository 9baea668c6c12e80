# SPDX-License-Identifier: MIT
"""What only eyes would find otherwise: task boxes that are too pale, tables on paper, texts that are read from the right,
what the focus goes to and what covers it."""
import itertools

import pytest

from harness.client import browser_session as open_session
from rounds import answered, view

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
SUBMIT = "form[action='/notes/comment'] button[type=submit]"
ENGLISH, HEBREW = "English item", "פריט ראשון"
_serial = itertools.count(1)

# The place of an element's text, which its box says nothing of.
TEXT_BOX = """
const range = document.createRange();
range.selectNodeContents(arguments[0]);
return range.getBoundingClientRect().toJSON();
"""
# Contrast of the border of each element to what is behind it.
EDGE_CONTRAST = """
const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(channel)
  .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
const ground = light(getComputedStyle(document.querySelector("main")).backgroundColor);
return [...document.querySelectorAll(arguments[0])].map((node) => {
  const style = getComputedStyle(node);
  const edge = style.appearance === "none" ? light(style.borderTopColor) : ground;
  return (Math.max(edge, ground) + 0.05) / (Math.min(edge, ground) + 0.05);
});
"""


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


@pytest.fixture
def make(me):
    """make(title, body) -> the path of a new note's page."""
    def make_note(title, body):
        key = f"look-{next(_serial)}"
        assert me.post("/notes/save", {"docreate": "create", "notekey": key, "title": title, "body": body}).status_code == 302
        return view(key)
    return make_note


def emulate(browser, media="", **features):
    pairs = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": pairs})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_task_boxes_can_be_seen_and_tell_what_is_done(browser, make, scheme):
    """WCAG 1.4.11: browsers draw boxes that can't be ticked paler than that."""
    emulate(browser, prefers_color_scheme=scheme)
    browser.open(make("Tasks", "- [ ] open\n- [x] done\n"))
    assert all(ratio >= 3 for ratio in browser.run(EDGE_CONTRAST, "#notebody .task > input"))
    marks = browser.run("return [...document.querySelectorAll('#notebody .task > input')]"
                        ".map((box) => getComputedStyle(box, '::before').content)")
    assert marks[0] == "none" and marks[1] != "none"


@pytest.mark.parametrize("first", [ENGLISH, HEBREW])
def test_items_stand_at_their_marks_whichever_way_they_are_read(browser, make, first):
    """The side of all is that of the list; a box of a task lies on no text."""
    browser.open(make("Items", f"{first}\n\n- {ENGLISH}\n- {HEBREW}\n\n1. {ENGLISH}\n2. {HEBREW}\n\n- [ ] {ENGLISH}\n- [x] {HEBREW}\n"))
    side = "left" if first == ENGLISH else "right"
    items = browser.all("#notebody li")
    assert len(items) == 6
    for item in items:
        text, box = browser.run(TEXT_BOX, item), browser.run("return arguments[0].getBoundingClientRect().toJSON()", item)
        assert abs(text[side] - box[side]) < 2 or item.get_attribute("class") == "task", (item.text, text, box)
    for item in browser.all("#notebody li.task"):
        mark = browser.run("return arguments[0].firstElementChild.getBoundingClientRect().toJSON()", item)
        text = browser.run("const range = document.createRange(); range.selectNode(arguments[0].lastChild);"
                           "return range.getBoundingClientRect().toJSON()", item)
        gap = text["left"] - mark["right"] if side == "left" else mark["left"] - text["right"]
        assert 0 < gap < 20, (item.text, mark, text)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_focus_of_the_header_s_links_is_seen_whole(browser, width):
    """Nothing that is painted later lies on its edge."""
    browser.width(width)
    browser.sign_in()
    browser.run("document.querySelector('.nav-add').focus({focusVisible: true})")
    bottom, covering = browser.run("const link = document.activeElement, box = link.getBoundingClientRect();"
                                   "const style = getComputedStyle(link);"
                                   "return [box.bottom + parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth),"
                                   "        document.querySelector('main').getBoundingClientRect().top]")
    assert bottom <= covering


@pytest.mark.parametrize("width", [360, 1280])
def test_what_is_said_of_a_title_stands_where_the_title_begins(browser, make, width):
    browser.width(width)
    path = make(HEBREW, "text")
    browser.sign_in()
    for page, title in ((path, "#notetitle"), ("/", f"#notetitles a[href='{path}']")):
        browser.open(page)
        ends = browser.run("const title = document.querySelector(arguments[0]);"
                           "const last = (node) => node.lastElementChild.getBoundingClientRect().right;"
                           "return [title.getBoundingClientRect().right,"
                           "        ...[...title.parentElement.querySelectorAll('.meta, .actions')].map(last)]", title)
        assert len(ends) == (3 if page == path else 2)
        assert all(abs(end - ends[0]) < 2 for end in ends), ends


def test_a_table_on_paper_has_its_heads_above_its_columns(browser, make):
    browser.open(make("Table", "| one | two | three |\n|---|--:|---|\n| a much longer text than its head | 1 | short |\n"))
    emulate(browser, "print")
    heads, cells = browser.run("const ends = (name) => [...document.querySelectorAll(`#notebody ${name}`)].map((cell) => {"
                               "  const { left, right } = cell.getBoundingClientRect(); return [left, right]; });"
                               "return [ends('th'), ends('td')]")
    assert len(heads) == 3 and heads == cells


def test_the_hint_of_a_lost_connection_covers_no_focus(browser, make):
    """WCAG 2.4.11: what Tab leads to is scrolled to above the hint."""
    browser.width(1280, 400)
    browser.open(make("Links", "".join(f"[link {number}](https://example.com/{number})\n\n" for number in range(40))))
    browser.run("const hint = document.createElement('p'); hint.className = 'live-hint'; hint.textContent = 'Not connected.';"
                "document.body.append(hint);")
    for number in range(0, 40):
        browser.run("document.querySelectorAll('#notebody a')[arguments[0]].focus()", number)
        link, hint = browser.run("return [document.activeElement, document.querySelector('.live-hint')]"
                                 ".map((node) => node.getBoundingClientRect().toJSON())")
        assert link["bottom"] <= hint["top"], number


def test_what_scrolls_in_itself_is_reached_by_the_keyboard(browser, me, make):
    """WCAG 2.1.1: also where a browser does not see to it. It is no change of the note."""
    wide = "| " + " | ".join(["a wide column"] * 4) + " |\n" + "|---" * 4 + "|\n\n```\nshort\n```\n\n```\n" + "long " * 100 + "\n```\n"
    stops = "return [...document.querySelectorAll('#notebody :is(table, pre)')].map((part) => part.tabIndex)"
    path = make("Wide", wide)
    key = path.rpartition("=")[2]
    browser.width(360)
    browser.open(path)
    browser.until(lambda: browser.run(stops) == [0, -1, 0], "stops at what is wide")
    browser.width(1280)
    browser.until(lambda: browser.run(stops) == [-1, -1, 0], "no stop at what fits")
    browser.find("html[data-live=on]")
    browser.run("dispatchEvent(new PageTransitionEvent('pagehide'))")
    browser.gone("html[data-live]")
    assert me.post("/notes/comment", {"key": key, "message": "missed"}).status_code == 302
    browser.run("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    browser.until(lambda: [node.text for node in browser.all(".comment-text")] == ["missed"], "what was missed")
    assert browser.find(".note-head time").is_displayed(), "the text is the same: the page still says when it was changed"
    fields = me.html(f"/notes/edit?key={key}").form("/notes/save").fields()
    assert me.post("/notes/save", {**fields, "body": "```\n" + "other " * 100 + "\n```\n"}).status_code == 302
    browser.until(lambda: browser.run(stops) == [0], "a stop at what came later")


# --- the comment that is sent ---

def test_only_what_was_typed_wrongly_is_marked_as_wrong(browser, make):
    """A field is not invalid because nobody answered; what was wrong before is not said any more while one sends."""
    browser.sign_in()
    browser.open(make("Comments", "text"))
    field = browser.find("[name=message]")
    browser.run("arguments[0].value = 'x'.repeat(1025)", field)
    browser.click(SUBMIT)
    browser.until(lambda: "too long" in browser.find("#message-error").text, "the reason")
    assert field.get_attribute("aria-invalid") == "true"
    browser.run("window.usual = fetch; window.fetch = () => new Promise((_, fail) => { window.fail = fail; })")
    browser.type("[name=message]", "short")
    browser.click(SUBMIT)
    browser.until(lambda: browser.run("return window.fail !== undefined"), "the request")
    assert browser.find("#message-error").text == "" and field.get_attribute("aria-invalid") is None
    browser.run("window.fail(new TypeError('no network'))")
    browser.until(lambda: "not known" in browser.find("#message-error").text, "the reason")
    assert field.get_attribute("aria-invalid") is None
    browser.run("window.fetch = window.usual")
    browser.click(SUBMIT)
    answered(browser)


def test_nothing_can_be_sent_to_a_note_that_is_gone(browser, me, make):
    path = make("To go", "text")
    key = path.rpartition("=")[2]
    assert me.post("/notes/comment", {"key": key, "message": "there before"}).status_code == 302
    browser.sign_in()
    browser.open(path)
    browser.find("html[data-live=on]")
    browser.type("[name=message]", "begun")
    assert me.post("/notes/destroy/confirm", {"notekey": key}).status_code == 302
    browser.find("#note-gone")
    assert [button.text for button in browser.all("main button") if button.is_displayed()] == []
    assert browser.find("[name=message]").is_displayed() and browser.find("[name=message]").get_property("value") == "begun"
    again = {"docreate": "create", "notekey": key, "title": "Back", "body": "text"}
    assert me.post("/notes/save", again).status_code == 302
    browser.until(lambda: browser.find(SUBMIT).is_displayed(), "the button to be back")

# SPDX-License-Identifier: MIT
"""Redis goes while somebody writes: nothing typed is lost, nobody is told to be signed out. A real Chromium."""
import pytest

from harness.client import browser_session
from harness.redis import Redis
from harness.site import Site

SUBMIT = "form[action='/notes/comment'] button[type=submit]"


@pytest.fixture
def redis():
    with Redis(append_only=True) as server:
        yield server


@pytest.fixture
def site(redis, tmp_path):
    both = Site(tmp_path, {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, **redis.settings()}).start()
    note = {"docreate": "create", "notekey": "k", "title": "T", "body": "B"}
    assert browser_session(both, "me").post("/notes/save", note).status_code == 302
    yield both
    redis.close()
    both.stop()


def text_in(browser, selector):
    return browser.find(selector).get_attribute("value")


def test_comment_waits_in_its_field_and_is_sent_later(open_browser, site, redis):
    browser = open_browser()
    browser.sign_in()
    browser.open("/notes/view?key=k")
    browser.type("[name=message]", "precious remark")
    redis.kill()
    browser.click(SUBMIT)
    browser.until(lambda: browser.find("#message-error").text, "the reason")
    assert text_in(browser, "[name=message]") == "precious remark"
    browser.find("#signed-in-user")
    redis.start()

    def is_sent():
        if not browser.all("[id^=note-message-]"):
            browser.click(SUBMIT)
        return any("precious remark" in node.text for node in browser.all("[id^=note-message-]"))

    browser.until(is_sent, "the comment")


@pytest.mark.parametrize("has_script", [True, False])
def test_note_that_cannot_be_saved_is_sent_again_by_one_press(open_browser, site, redis, has_script):
    browser = open_browser()
    browser.sign_in()
    browser.open("/notes/add")
    if not has_script:
        browser.without_script()
    browser.type("[name=notekey]", "new")
    browser.type("[name=title]", "Precious title")
    browser.type("[name=body]", "precious text")
    redis.kill()
    browser.click("main form button[type=submit]")
    assert browser.find(".retry-form button").text == "Try again"
    assert text_in(browser, "[name=title]") == "Precious title"
    assert text_in(browser, "[name=body]") == "precious text"
    assert "not signed out" in browser.find("main").text and not browser.all(".user-unknown")
    browser.type("[name=body]", "changed text")
    redis.start()

    def is_saved():
        if not browser.path.startswith("/notes/view"):
            browser.click("main form button[type=submit]")
        return browser.path == "/notes/view?key=new"

    browser.until(is_saved, "the note")
    assert browser.find("#notetitle").text == "Precious title"
    assert browser.find("#notebody").text == "changed text"
    assert [key for key in browser.driver.execute_script("return Object.keys(localStorage)") if "note" in key] == []


def test_who_was_signed_in_is_told_and_stays_so(open_browser, site, redis):
    browser = open_browser()
    browser.sign_in()
    redis.kill()
    site.notes.wait_log(event="live.bus_lost")  # until then what it was told of a session a moment ago holds
    browser.open("/")
    assert "be checked right now" in browser.find(".user-unknown .notice").text
    redis.start()
    browser.until(lambda: browser.open("/") or browser.all("#signed-in-user"), "to be signed in as before")

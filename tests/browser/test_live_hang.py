# SPDX-License-Identifier: MIT
"""A service that hangs: connections are taken by its kernel and nobody answers. The page says so, loses nothing, and goes
on by itself. A real Chromium; notes-svc is stopped by SIGSTOP."""
import contextlib
import itertools
import json
import os
import signal

import pytest

from harness.client import browser_session

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, "LIVE_PING_INTERVAL_MS": 2000, "LIVE_PING_TIMEOUT_MS": 2000}
SUBMIT = "form[action='/notes/comment'] button[type=submit]"
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def me(site):
    return browser_session(site, "me")


@pytest.fixture
def key(me):
    name = f"hang-{next(_serial)}"
    note = {"docreate": "create", "notekey": name, "title": "T", "body": "B"}
    assert me.post("/notes/save", note).status_code == 302
    return name


@contextlib.contextmanager
def hanging(service):
    service.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, service.pid, os.WSTOPPED | os.WNOWAIT)
    try:
        yield
    finally:
        service.signal(signal.SIGCONT)


def say(me, key, message):
    answer = me.post("/notes/comment", {"key": key, "message": message}, headers={"Accept": "application/json"})
    assert answer.status_code == 200


def open_live(browser, key):
    browser.open("/notes/view?key=" + key)
    browser.find("html[data-live=on]")


def comments(browser):
    return [node.text for node in browser.all(".comment-text")]


def typed(browser):
    return browser.find("[name=message]").get_property("value")


def is_offline(browser):
    return any(hint.is_displayed() for hint in browser.all("#live-hint"))


def sockets_opened(browser):
    """How many live sockets were begun since the last call."""
    events = [json.loads(line["message"])["message"]["method"] for line in browser.driver.get_log("performance")]
    return events.count("Network.webSocketCreated")


def test_the_page_says_so_and_tries_again_until_it_is_back(open_browser, site, me, key):
    browser = open_browser()
    open_live(browser, key)
    assert not is_offline(browser)
    assert sockets_opened(browser) > 0
    with hanging(site.notes):
        browser.until(lambda: is_offline(browser), "the hint")
        begun = []
        browser.until(lambda: begun.append(sockets_opened(browser)) or sum(begun) >= 2, "a second attempt after one that hung")
        assert is_offline(browser), "an attempt is no connection"
    browser.find("html[data-live=on]")
    browser.until(lambda: not is_offline(browser), "the hint to be gone")
    say(me, key, "after the break")
    browser.until(lambda: comments(browser) == ["after the break"], "what others write")


@contextlib.contextmanager
def unanswered_comment(browser, site, text):
    """Sends a comment that gets no answer, up to the page's saying so; the service hangs inside."""
    with hanging(site.notes):
        browser.type("[name=message]", text)
        browser.click(SUBMIT)
        browser.until(lambda: browser.find(SUBMIT).text == "Sending…", "the button to say that it sends")
        browser.until(lambda: "No answer came" in browser.find("#message-error").text, "the page to say so")
        assert "not known" in browser.find("#message-error").text
        assert typed(browser) == text
        assert browser.find(SUBMIT).text == "Comment"
        assert browser.find(SUBMIT).get_attribute("aria-disabled") == "false"
        yield


def test_a_comment_without_an_answer_stays_until_it_arrives(open_browser, site, me, key):
    browser = open_browser()
    browser.sign_in()
    open_live(browser, key)
    with unanswered_comment(browser, site, "precious remark"):
        pass
    say(me, key, "precious remark")  # whether the first one was saved is known to nobody: another like it is
    browser.until(lambda: "precious remark" in comments(browser), "the comment")
    browser.until(lambda: typed(browser) == "", "the field to be empty")
    assert browser.find("[name=message]").get_attribute("aria-invalid") is None
    open_live(browser, key)
    assert typed(browser) == "", "a comment that is there is no draft any more"


def test_a_comment_that_was_changed_meanwhile_stays_when_it_arrives(open_browser, site, me, key):
    browser = open_browser()
    browser.sign_in()
    open_live(browser, key)
    with unanswered_comment(browser, site, "precious remark"):
        browser.find("[name=message]").send_keys(" and more")
    say(me, key, "precious remark")
    browser.until(lambda: "precious remark" in comments(browser), "the comment")
    browser.until(lambda: browser.find("#message-error").text == "", "the reason to be gone")
    assert typed(browser) == "precious remark and more"


def test_a_comment_of_another_with_the_same_text_is_not_ours(open_browser, site, me, key):
    browser = open_browser()
    browser.sign_in("you")
    open_live(browser, key)
    browser.run("window.fetch = () => Promise.reject(new DOMException('', 'TimeoutError'))")
    browser.type("[name=message]", "+1")
    browser.click(SUBMIT)
    browser.until(lambda: "No answer came" in browser.find("#message-error").text, "the page to say so")
    say(me, key, "+1")
    browser.until(lambda: comments(browser) == ["+1"], "the comment of another")
    assert typed(browser) == "+1"

# SPDX-License-Identifier: MIT
"""/users/account in a real Chromium: other devices are seen and signed out, the password changes, each with and without
script; what is wrong is found by eye, keyboard and screen reader."""
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from harness.client import Client
from harness.programs import new_password
from harness.wait import until

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
ACCOUNT = "/users/account"
PASSWORD = "form[action='/users/account/password']"
END = "form[action='/users/account/sessions/end'] button"
END_OTHERS = "form[action='/users/account/sessions/end-others'] button"


@pytest.fixture
def user(site, request):
    name = "b" + str(abs(hash(request.node.nodeid)))[:12]
    site.add_user(name)
    return name


def devices(browser):
    return [" ".join(node.text.split()) for node in browser.all(".session-device")]


def sign_in_elsewhere(site, user, agent):
    client = Client(site.url)
    client.http.headers["User-Agent"] = agent
    assert client.login(user, site.passwords[user]).headers["Location"] == "/"
    return client


def is_in(client):
    return client.get("/notes/add").status_code == 200


def type_passwords(browser, old, new, again=None):
    browser.type("#password", old)
    browser.type("#new-password", new)
    browser.type("#new-password-again", new if again is None else again)


@pytest.mark.parametrize("has_script", [True, False])
def test_other_devices_are_seen_and_signed_out(browser, site, user, has_script):
    if not has_script:
        browser.without_script()
    phone, reader, laptop = (sign_in_elsewhere(site, user, agent) for agent in ("(Android) Firefox/1", "curl/8", "(Windows) Edg/1"))
    browser.sign_in(user)
    browser.click(f"header a.nav-item[href='{ACCOUNT}']")
    browser.at(ACCOUNT)
    assert sorted(devices(browser)) == ["Chrome on Linux this one", "Edge on Windows", "Firefox on Android", "curl"]
    browser.click(END)
    browser.find(".notice[role=status]")
    assert len(devices(browser)) == 3 and sum(map(is_in, (phone, reader, laptop))) == 2
    browser.click(END_OTHERS)
    browser.until(lambda: devices(browser) == ["Chrome on Linux this one"], "the others are gone")
    assert "have ended" in browser.find(".notice[role=status]").text
    assert not any(map(is_in, (phone, reader, laptop)))
    assert not browser.all(END) and not browser.all(END_OTHERS)


@pytest.mark.parametrize("has_script", [True, False])
def test_of_many_devices_the_first_few_are_shown_and_the_others_are_folded_away(browser, site, user, has_script):
    if not has_script:
        browser.without_script()
    others = [sign_in_elsewhere(site, user, f"(Android) Firefox/{number}") for number in range(8)]
    browser.sign_in(user)
    browser.open(ACCOUNT)
    assert len([text for text in devices(browser) if text]) == 5 and browser.find("summary").text == "4 more"
    browser.click("summary")
    assert sorted(devices(browser)) == ["Chrome on Linux this one", *["Firefox on Android"] * 8]
    browser.click("details " + END)
    browser.find("[role=status].notice")
    assert [is_in(client) for client in others].count(False) == 1
    assert len([text for text in devices(browser) if text]) == 8 and not browser.all("details"), "few enough to be shown"


@pytest.mark.parametrize("has_script", [True, False])
def test_the_password_changes(browser, site, user, has_script):
    if not has_script:
        browser.without_script()
    other, new = sign_in_elsewhere(site, user, "curl/8"), new_password()
    browser.sign_in(user)
    browser.open(ACCOUNT)
    type_passwords(browser, site.passwords[user], new)
    browser.click(PASSWORD + " button")
    assert "Your password is changed" in browser.find(".notice[role=status]").text
    assert browser.path == ACCOUNT and devices(browser) == ["Chrome on Linux this one"]
    assert not is_in(other)
    browser.click("header a[href='/users/logout']")
    site.passwords[user] = new
    browser.sign_in(user)


def test_the_field_that_was_refused_has_the_focus_and_its_reason(browser, site, user):
    browser.sign_in(user)
    browser.open(ACCOUNT)
    for old, new, again, place in (("wrong", new_password(), None, "password"),
                                   (site.passwords[user], "short", None, "new-password"),
                                   (site.passwords[user], new_password(), "else", "new-password-again")):
        type_passwords(browser, old, new, again)
        browser.click(PASSWORD + " button")
        reason = browser.find(f"#{place}-error")
        assert reason.is_displayed() and reason.get_attribute("role") == "alert"
        browser.until(lambda: browser.run("return document.activeElement.id") == place, "the field has the focus")
        assert browser.run("return document.activeElement.getAttribute('aria-describedby')").split()[0] == f"{place}-error"
        assert [browser.find(f"#{name}").get_property("value") for name in ("password", "new-password", "new-password-again")] == [""] * 3


def test_every_field_and_button_of_the_page_has_a_name(browser, site, user):
    sign_in_elsewhere(site, user, "curl/8")
    browser.sign_in(user)
    browser.open(ACCOUNT)
    names = [node.accessible_name for node in browser.all("main input:not([type=hidden], [hidden]), main button")]
    assert len(names) == 6 and all(names)
    assert any(name.startswith("Sign out the session of curl, signed in ") for name in names)
    headings = [node.text for node in browser.all("main h1, main h2")]
    assert headings == ["Your account", "Where you are signed in", "Change your password"]
    assert [browser.find(f"#{name}").get_attribute("autocomplete") for name in ("password", "new-password", "new-password-again")] == \
        ["current-password", "new-password", "new-password"]


def test_a_session_is_ended_by_keyboard_only(browser, site, user):
    other = sign_in_elsewhere(site, user, "curl/8")
    browser.sign_in(user)
    browser.open(ACCOUNT)
    for _ in range(10):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        if browser.run("return document.activeElement.closest('.session-end') !== null"):
            break
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.find(".notice[role=status]")
    assert not is_in(other)


def test_pages_of_a_session_that_was_ended_elsewhere_become_a_strangers(open_browser, site, user):
    here, there = open_browser(), open_browser()
    for browser in (here, there):
        browser.sign_in(user)
    here.open(ACCOUNT)
    here.click(END_OTHERS)
    here.find(".notice[role=status]")
    until(lambda: there.open(ACCOUNT) or there.path == "/users/login", "it has to sign in again")
    there.type("[name=username]", user)
    there.type("[name=password]", site.passwords[user])
    there.click("main button[type=submit]")
    there.at(ACCOUNT)

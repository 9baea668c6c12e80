# SPDX-License-Identifier: MIT
"""The site as a person uses it, in a real Chromium: the whole round with and without script, drafts, comments without a
reload, hostile texts that stay texts, small screens, the keyboard, and the weight of the first visit."""

import itertools
from urllib.parse import quote

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from harness.client import browser_session as open_session
from rounds import answered, messages, view, whole_round

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
_serial = itertools.count(1)


def new_key():
    return f"round-{next(_serial)}"


@pytest.fixture(scope="module")
def me(site):
    """`me` over plain HTTP, to prepare what a test looks at."""
    return open_session(site, "me")


def make(me, key, title="A title", body="A body"):
    answer = me.post("/notes/save", {"docreate": "create", "notekey": key, "title": title, "body": body})
    assert answer.status_code == 302, answer.text[:1000]


def say(me, key, message):
    answer = me.post("/notes/comment", {"key": key, "message": message})
    assert answer.status_code == 302


def test_whole_round_with_script(browser):
    whole_round(browser, new_key(), True)


def test_whole_round_without_script(browser):
    browser.without_script()
    whole_round(browser, new_key(), False)


def test_script_is_really_off_in_the_round_without(browser, me):
    """Proves the switch: with script the comment comes without a reload, without it the page is loaded again."""
    key = new_key()
    make(me, key)
    browser.sign_in()
    browser.without_script()
    browser.open(view(key))
    browser.run("window.sameDocument = true")
    browser.type("[name=message]", "by the form")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.until(lambda: messages(browser) != [], "the comment")
    assert browser.run("return window.sameDocument") is None


def test_wrong_password_says_so_and_keeps_the_name(browser):
    browser.open("/users/login")
    browser.type("[name=username]", "me")
    browser.type("[name=password]", "wrong password")
    browser.click("main button[type=submit]")
    assert browser.find("[role=alert]").text
    assert browser.find("[name=username]").get_property("value") == "me"
    assert browser.find("[name=password]").get_property("value") == ""


def test_login_leads_back_to_the_form(browser):
    browser.open("/notes/add")
    browser.at("/users/login")
    browser.type("[name=username]", "me")
    browser.type("[name=password]", browser.site.passwords["me"])
    browser.click("main button[type=submit]")
    browser.at("/notes/add")


def test_login_leads_back_to_the_note_and_what_was_typed(browser, me):
    """Whoever reads, logs in to comment; or is logged out meanwhile, and logs in again."""
    key = new_key()
    make(me, key)
    browser.open(view(key))
    browser.click("main a[href='/users/login']")
    browser.type("[name=username]", "me")
    browser.type("[name=password]", browser.site.passwords["me"])
    browser.click("main button[type=submit]")
    browser.at(view(key))
    browser.driver.delete_all_cookies()
    browser.type("[name=message]", "typed when it was over")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.click("#message-error a[href='/users/login']")
    browser.type("[name=username]", "me")
    browser.type("[name=password]", browser.site.passwords["me"])
    browser.click("main button[type=submit]")
    browser.at(view(key))
    assert browser.find("[name=message]").get_property("value") == "typed when it was over"


# --- drafts ---

def type_note(browser, title, body, key=""):
    browser.type("[name=title]", title)
    browser.type("textarea[name=body]", body)
    if key:
        browser.type("[name=notekey]", key)


def stored(browser, text):
    """Waits until the browser's storage holds the text."""
    browser.until(lambda: text in browser.run("return JSON.stringify(Object.values(localStorage))"),
                  "the draft is stored")


def body_value(browser):
    return browser.find("textarea[name=body]").get_property("value")


def test_typed_note_outlives_a_reload_and_is_dropped_after_the_save(browser):
    key = new_key()
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, "Typed title", "typed before the reload", key)
    stored(browser, "typed before the reload")
    browser.open("/")
    browser.open("/notes/add")
    browser.until(lambda: body_value(browser) == "typed before the reload", "the text is back")
    assert browser.find("[name=title]").get_property("value") == "Typed title"
    assert browser.find("[name=notekey]").get_property("value") == key
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at(view(key))
    browser.open("/notes/add")
    browser.idle()
    assert body_value(browser) == "", "a saved text comes back"
    assert "typed before the reload" not in browser.run("return JSON.stringify(Object.values(localStorage))")


def test_restored_text_can_be_discarded(browser):
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, "Typed title", "typed and not wanted")
    stored(browser, "typed and not wanted")
    browser.open("/notes/add")
    browser.until(lambda: body_value(browser) == "typed and not wanted", "the text is back")
    browser.click("form[action='/notes/save'] button[type=button]")
    browser.until(lambda: body_value(browser) == "", "the text is discarded")
    browser.open("/notes/add")
    browser.idle()
    assert body_value(browser) == ""


def test_discarding_can_be_undone_and_loses_nothing(browser):
    notice = ".note-form .notice button"
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, "Typed title", "typed earlier")
    stored(browser, "typed earlier")
    browser.open("/notes/add")
    browser.until(lambda: body_value(browser) == "typed earlier", "the text is back")
    browser.find("textarea[name=body]").send_keys(" and more")
    browser.click(notice)
    browser.until(lambda: body_value(browser) == "", "the text is discarded")
    assert browser.find(notice).text == "Undo"
    browser.find("textarea[name=body]").send_keys("typed after the discarding")
    browser.click(notice)
    browser.until(lambda: body_value(browser) == "typed earlier and more", "the text is back, with what was added")
    assert browser.find("[name=title]").get_property("value") == "Typed title"
    stored(browser, "typed earlier and more")
    browser.click(notice)
    browser.until(lambda: body_value(browser) == "typed after the discarding", "the later text is there too")


def test_draft_of_an_edit_belongs_to_its_note(browser, me):
    one, other = new_key(), new_key()
    make(me, one, "One", "text of one")
    make(me, other, "Other", "text of other")
    browser.sign_in()
    browser.open(f"/notes/edit?key={one}")
    browser.type("textarea[name=body]", "draft of one")
    stored(browser, "draft of one")
    browser.open(f"/notes/edit?key={other}")
    browser.idle()
    assert body_value(browser) == "text of other"
    browser.open(f"/notes/edit?key={one}")
    browser.until(lambda: body_value(browser) == "draft of one", "the draft is back")


def test_draft_over_a_newer_version_ends_in_the_conflict_page(browser, me, site):
    """The draft was typed over version 1; meanwhile version 2 came: both texts are shown, nothing is overwritten."""
    key = new_key()
    make(me, key, "T", "version one")
    browser.sign_in()
    browser.open(f"/notes/edit?key={key}")
    browser.type("textarea[name=body]", "my draft over one")
    stored(browser, "my draft over one")
    browser.open("/")
    you = open_session(site, "you")
    fields = you.html(f"/notes/edit?key={key}").form("/notes/save").fields()
    assert you.post("/notes/save", {**fields, "body": "version two of you"}).status_code == 302
    browser.open(f"/notes/edit?key={key}")
    browser.until(lambda: body_value(browser) == "my draft over one", "the draft is back")
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.until(lambda: "version two of you" in browser.find("main").text, "the conflict page")
    assert body_value(browser) == "my draft over one"
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at(view(key))
    assert browser.find("#notebody").text == "my draft over one"


def end_session(browser):
    """Signs the browser's session out behind its back."""
    value = browser.driver.get_cookie("notescookie.sid")["value"]
    answer = open_session(browser.site).get("/users/logout", headers={"Cookie": f"notescookie.sid={value}"})
    assert answer.status_code == 302


def sign_in_here(browser):
    browser.at("/users/login")
    browser.type("[name=username]", "me")
    browser.type("[name=password]", browser.site.passwords["me"])
    browser.click("main button[type=submit]")
    browser.find("header a[href='/users/logout']")


def test_typed_note_outlives_an_ended_session(browser):
    key = new_key()
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, "Typed title", "typed before the session ended", key)
    end_session(browser)
    browser.click("form[action='/notes/save'] button[type=submit]")
    sign_in_here(browser)
    browser.open("/notes/add")
    browser.until(lambda: body_value(browser) == "typed before the session ended", "the text is back")
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at(view(key))
    assert browser.find("#notebody").text == "typed before the session ended"


def test_typed_comment_outlives_an_ended_session(browser, me):
    key = new_key()
    make(me, key)
    browser.sign_in()
    browser.open(view(key))
    browser.type("[name=message]", "typed before the session ended")
    end_session(browser)
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.until(lambda: [one for one in browser.all("[role=alert]") if one.text.strip()],
                  "the page says what happened")
    assert browser.find("[name=message]").get_property("value") == "typed before the session ended"
    browser.sign_in()
    browser.open(view(key))
    browser.until(lambda: browser.find("[name=message]").get_property("value") == "typed before the session ended",
                  "the text is back")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.until(lambda: any("typed before" in text for text in messages(browser)), "the comment")
    answered(browser)
    browser.open(view(key))
    browser.idle()
    assert browser.find("[name=message]").get_property("value") == ""


def test_drafts_of_one_user_are_not_shown_to_another(browser):
    browser.sign_in("me")
    browser.open("/notes/add")
    type_note(browser, "Private title", "private draft of me")
    stored(browser, "private draft of me")
    browser.click("header a[href='/users/logout']")
    browser.sign_in("you")
    browser.open("/notes/add")
    browser.idle()
    assert body_value(browser) == ""


def test_pages_work_without_storage(browser):
    """A browser that refuses localStorage: everything works but the keeping."""
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
        "source": "Object.defineProperty(window, 'localStorage',"
                  " {get() { throw new DOMException('no', 'SecurityError'); }});"})
    key = new_key()
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, "Without storage", "text without storage", key)
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at(view(key))
    browser.type("[name=message]", "comment without storage")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.until(lambda: any("comment without storage" in text for text in messages(browser)), "the comment")


def test_refused_comment_says_why_and_keeps_the_text(browser, me):
    key = new_key()
    make(me, key)
    browser.sign_in()
    browser.open(view(key))
    text = "x" * 1025
    browser.run("const field = document.querySelector('[name=message]'); field.value = arguments[0];"
                "field.dispatchEvent(new Event('input', { bubbles: true }))", text)
    assert browser.find("#message-count").text == "1 character too many"
    browser.click("form[action='/notes/comment'] button[type=submit]")
    reason = browser.until(lambda: [one.text for one in browser.all("[role=alert]") if one.text.strip()], "the reason")
    assert reason == ["The comment is too long: at most 1,024 characters."]
    assert browser.find("[name=message]").get_property("value") == text
    assert messages(browser) == []


def test_double_click_posts_one_comment(browser, me):
    key = new_key()
    make(me, key)
    browser.sign_in()
    browser.open(view(key))
    browser.type("[name=message]", "only once")
    button = browser.find("form[action='/notes/comment'] button[type=submit]")
    ActionChains(browser.driver).double_click(button).perform()
    browser.until(lambda: messages(browser) != [], "the comment")
    browser.open(view(key))
    assert len(messages(browser)) == 1


# --- hostile texts ---

HOSTILE = ["<script>window.pwned = 1</script>", '"><img src=x onerror="window.pwned=1">',
           "<svg onload=window.pwned=1>",
           "' onmouseover='window.pwned=1' x='", "</textarea><script>window.pwned=1</script>",
           "</title><script>window.pwned=1</script>",
           "[click](javascript:window.pwned=1)", "<javascript:window.pwned=1>", "\u202egnp.exe", "\U0001F433" * 10,
           '<a href="javascript:window.pwned=1">x</a>', "${window.pwned=1}{{window.pwned=1}}",
           "--><script>window.pwned=1</script>"]


def test_hostile_texts_run_nothing_and_are_shown_as_typed(browser, me):
    keys = []
    for text in HOSTILE:
        key = f"{text} {new_key()}"
        make(me, key, text, f"{text}\n\n- {text}\n\n    {text}")
        say(me, key, text)
        keys.append(key)
    browser.sign_in()
    for text, key in zip(HOSTILE, keys):
        for path in (view(key), "/notes/edit?key=" + quote(key, safe=""), "/notes/destroy?key=" + quote(key,
                                                                                                        safe="")):
            browser.open(path)
            browser.idle()
            assert browser.run("return window.pwned") is None, (text, path)
            assert browser.run("return [...document.querySelectorAll('*')].flatMap(one => [...one.attributes])"
                               ".filter(one => one.name.startsWith('on')).length") == 0
        browser.open(view(key))
        assert browser.run("return document.getElementById('notetitle').textContent").strip() == text
        assert text in browser.run("return document.querySelector('[id^=note-message-]').textContent")
        for link in browser.all("#notebody a"):
            assert not (link.get_attribute("href") or "").lower().startswith("javascript:")
    browser.open("/")
    assert browser.run("return window.pwned") is None
    shown = browser.run("return [...document.querySelectorAll('#notetitles a')].map(one => one.textContent.trim())")
    assert set(HOSTILE) <= set(shown)


def test_hostile_comment_that_comes_without_a_reload_is_text(browser, me):
    key = new_key()
    make(me, key)
    browser.sign_in()
    browser.open(view(key))
    for number, text in enumerate(text for text in HOSTILE if all(ord(char) < 0x10000 for char in text)):
        browser.type("[name=message]", text)
        browser.click("form[action='/notes/comment'] button[type=submit]")
        browser.until(lambda count=number: len(messages(browser)) == count + 1, "the comment")
        newest = browser.run("return document.querySelector('[id^=note-message-]').textContent")
        assert text in newest
        answered(browser)
    assert browser.run("return window.pwned") is None


def test_hostile_draft_is_text_when_it_is_restored(browser):
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, '"><script>window.pwned=1</script>', "</textarea><script>window.pwned=1</script>")
    stored(browser, "window.pwned=1")
    browser.open("/notes/add")
    browser.until(lambda: body_value(browser) == "</textarea><script>window.pwned=1</script>", "the text is back")
    assert browser.run("return window.pwned") is None


def test_draft_with_a_prototype_changes_no_object(browser):
    browser.sign_in()
    browser.open("/notes/add")
    type_note(browser, "A title", "A body")
    stored(browser, "A body")
    browser.run("""for (const [name, text] of Object.entries(localStorage)) {
                     const members = '"__proto__":{"title":"theirs","polluted":1},"constructor":{"prototype":{"polluted":1}},';
                     localStorage.setItem(name, text.replace('"fields":{', `${members}"fields":{${members}`));
                   }""")
    stored(browser, "polluted")
    browser.open("/notes/add")
    browser.until(lambda: body_value(browser) == "A body", "the text is back")
    assert browser.find("[name=title]").get_property("value") == "A title"
    assert browser.run("return [({}).polluted ?? null, [].polluted ?? null, (() => 0).polluted ?? null]") == [None, None, None]


def test_policy_stops_a_script_that_would_get_in(open_browser):
    """Were there ever a hole, the policy holds: an inline script that is put into the page does not run."""
    browser = open_browser()
    browser.open("/users/login")
    browser.run("const s = document.createElement('script'); s.textContent = 'window.pwned = 1';"
                "document.body.append(s);"
                "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned=1\">');")
    browser.until(lambda: [one for one in browser.complaints() if "Content Security Policy" in one],
                  "the browser says that it refused")
    assert browser.run("return window.pwned") is None


# --- small screens, keyboard, weight ---

@pytest.fixture
def wide_texts(me):
    """A note whose every part is wider than a small screen."""
    key = "k" * 120 + new_key()
    heads = " | ".join(f"column{number}" for number in range(20))
    cells = " | ".join("cell" * 5 for _ in range(20))
    body = ("W" * 400 + f"\n\n| {heads} |\n|" + "-|" * 20 + f"\n| {cells} |\n\n```\n" +
            "code " * 100 + "\n```\n\n> " + "Q" * 300 +
            "\n\n- " + "L" * 300 + "\n\nhttps://example.com/" + "u" * 300 + "\n\n`" + "c" * 300 + "`\n\n# " + "H" * 200)
    make(me, key, "T" * 255, body)
    say(me, key, "M" * 1024)
    return key


def page_paths(key):
    quoted = quote(key, safe="")
    return ["/", view(key), f"/notes/edit?key={quoted}", f"/notes/destroy?key={quoted}", "/notes/add", "/users/login",
            "/users/account", "/nowhere" + "x" * 200]


def sideways(browser):
    """By how many pixels the page can be scrolled sideways."""
    return browser.run("const e = document.scrollingElement; return e.scrollWidth - e.clientWidth")


@pytest.mark.parametrize("pixels", [320, 375, 768, 1280])
def test_nothing_scrolls_sideways(browser, wide_texts, pixels):
    browser.width(pixels)
    for path in page_paths(wide_texts):
        browser.open(path)
        browser.idle()
        assert sideways(browser) <= 0, f"{path} of a stranger at {pixels}"
    browser.sign_in()
    for path in page_paths(wide_texts):
        browser.open(path)
        browser.idle()
        assert sideways(browser) <= 0, f"{path} of a user at {pixels}"


def test_conflict_page_does_not_scroll_sideways(browser, me, site, wide_texts):
    browser.width(320)
    browser.sign_in()
    browser.open("/notes/edit?key=" + wide_texts)
    you = open_session(site, "you")
    fields = you.html("/notes/edit?key=" + wide_texts).form("/notes/save").fields()
    assert you.post("/notes/save", {**fields, "title": "Y" * 255}).status_code == 302
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.until(lambda: "Y" * 255 in browser.find("main").text, "the conflict page")
    assert sideways(browser) <= 0


def open_conflict(browser, site, key, their_body):
    """The conflict page of `me` about this note, which `you` saved first."""
    browser.open("/notes/edit?key=" + quote(key, safe=""))
    you = open_session(site, "you")
    fields = you.html("/notes/edit?key=" + quote(key, safe="")).form("/notes/save").fields()
    assert you.post("/notes/save", {**fields, "title": "Theirs", "body": their_body}).status_code == 302
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.until(lambda: "Theirs" in browser.find("main").text, "the conflict page")


def test_page_with_a_scroll_bar_does_not_scroll_sideways(browser, me, site):
    """The bar takes 15 pixels of the window, which a width in media queries or vw does not know of."""
    key = new_key()
    make(me, key, "Long", "line\n\n" * 100)
    browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": False})
    browser.sign_in()
    for path in (view(key), None):
        if path:
            browser.open(path)
        else:
            open_conflict(browser, site, key, "line\n\n" * 100)
        for pixels in (360, 768, 832, 840, 850, 900, 1000, 1200, 1216, 1240, 1280):
            browser.width(pixels, 600)
            bar = browser.run("return innerWidth - document.documentElement.clientWidth")
            assert bar > 0 or pixels < 600, "there is no scroll bar"
            assert sideways(browser) <= 0, f"{path} at {pixels}"


def test_conflict_with_an_emptied_text_says_that_it_is_empty(browser, me, site):
    key = new_key()
    make(me, key, "Emptied", "text")
    browser.sign_in()
    open_conflict(browser, site, key, "")
    assert browser.find("[aria-labelledby=theirs-title] .their-nothing").text == "(empty)"
    assert browser.all(".their-text") == []


def test_tint_of_a_new_comment_reaches_beyond_its_text(browser, me):
    key = new_key()
    make(me, key)
    browser.width(360)
    browser.sign_in()
    browser.open(view(key))
    browser.type("[name=message]", "tinted")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.until(lambda: messages(browser) != [], "the comment")
    name, start = browser.run(
        "const name = getComputedStyle(document.querySelector('.comment-new')).animationName;"
        "const rules = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules]);"
        "return [name, rules.find(rule => rule instanceof CSSKeyframesRule && rule.name === name).cssRules[0].cssText]")
    assert name == "arrive" and "box-shadow: -0.75rem 0" in start, (name, start)
    assert sideways(browser) <= 0


def test_header_links_are_visible_from_768(browser):
    for pixels in (768, 1024, 1600):
        browser.width(pixels)
        browser.open("/")
        assert browser.find("header a.nav-item[href='/users/login']").is_displayed()
    browser.sign_in()
    for pixels in (768, 1024, 1600):
        browser.width(pixels)
        browser.open("/")
        for path in ("/users/account", "/users/logout", "/notes/add"):
            link = browser.find(f"header a[href='{path}']")
            assert link.is_displayed()
            box = link.rect
            assert 0 <= box["x"] and box["x"] + box["width"] <= pixels


def test_buttons_and_links_of_a_small_screen_can_be_hit(browser, me):
    """WCAG 2.2, 2.5.8: a target is at least 24 by 24 pixels (links inside a sentence are exempt)."""
    key = new_key()
    make(me, key)
    say(me, key, "m")
    browser.width(320)
    browser.sign_in()
    for path in ("/", view(key), "/notes/add", f"/notes/destroy?key={key}", "/users/account"):
        browser.open(path)
        for node in browser.all("button, header a.nav-item"):
            if node.is_displayed():
                assert node.size["height"] >= 24 and node.size["width"] >= 24, (path, node.text, node.size)


def focus(browser):
    """Tag, name and href of what has the focus."""
    return browser.run("const e = document.activeElement;"
                       "return [e.tagName, e.getAttribute('name'), e.getAttribute('href')]")


def press(browser, *keys):
    ActionChains(browser.driver).send_keys(*keys).perform()


def tab_to(browser, wanted):
    """Presses Tab until the focus is where `wanted` says; every stop must be visible and marked."""
    for _ in range(30):
        press(browser, Keys.TAB)
        marked = browser.run("const s = getComputedStyle(document.activeElement);"
                             "return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0"
                             " || s.boxShadow !== 'none'")
        assert marked, f"no visible focus on {focus(browser)}"
        if wanted(focus(browser)):
            return
    raise AssertionError("Tab does not lead there")


def test_sign_in_by_keyboard_only(browser):
    browser.open("/")
    press(browser, Keys.TAB)
    assert focus(browser)[2].startswith("#"), "the first stop skips to the content"
    tab_to(browser, lambda at: at[2] == "/users/login")
    press(browser, Keys.ENTER)
    browser.at("/users/login")
    tab_to(browser, lambda at: at[1] == "username")
    press(browser, "me", Keys.TAB)
    assert focus(browser)[1] == "password"
    press(browser, browser.site.passwords["me"], Keys.ENTER)
    browser.at("/")
    browser.find("header a[href='/users/logout']")
    tab_to(browser, lambda at: at[2] == "/notes/add")
    press(browser, Keys.ENTER)
    browser.at("/notes/add")


def test_skip_link_leads_to_the_content(browser):
    browser.open("/users/login")
    press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    assert browser.run("return document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("path", ["/", "view", "/users/login"])
def test_first_visit_weighs_less_than_30_kb(open_browser, me, path):
    """All bytes on the wire, headers too, of everything a new browser loads."""
    key = new_key()
    make(me, key, "A usual note", "Some words. " * 40)
    for number in range(20):
        say(me, key, f"comment {number}")
    browser = open_browser()
    browser.transferred()
    browser.open(view(key) if path == "view" else path)
    browser.idle()
    loaded = browser.transferred()
    assert len([url for url in loaded if "/assets/" in url]) >= 2
    assert all(url.startswith(browser.site.url) for url in loaded), "something from elsewhere is loaded"
    assert sum(loaded.values()) < 30_000, loaded
    assert browser.complaints() == []


def test_second_visit_loads_no_asset_again(browser):
    browser.open("/users/login")
    browser.idle()
    first = {url for url in browser.transferred() if "/assets/" in url}
    browser.open("/")
    browser.idle()
    again = {url: size for url, size in browser.transferred().items() if url in first and size > 0}
    assert again == {}


CONTRAST = """
function channel(v) { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }
function rgb(text) { const m = text.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; }
function light(c) { return 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]); }
function over(top, under) { return [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1); }
function ground(node) {
  const layers = [];
  for (let at = node; at; at = at.parentElement) layers.push(rgb(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((under, top) => over(top, under), arguments[1]);
}
const page = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
  const style = getComputedStyle(node);
  if (!own || !node.checkVisibility() || node.closest(".visually-hidden, .skip-link")) continue;
  const under = ground(node, page);
  const text = over(rgb(style.color), under);
  const a = light(text), b = light(under);
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const name = `${node.tagName}.${node.className} "${node.textContent.trim().slice(0, 30)}"`;
  if (ratio < (isLarge ? 3 : 4.5)) found.push(`${name} ${ratio.toFixed(2)}`);
}
return found;
"""


@pytest.mark.parametrize("width", [360, 1280])
def test_headings_of_a_note_are_larger_than_its_text_and_smaller_than_its_title(browser, me, width):
    key = new_key()
    make(me, key, "A title", "# One\n\n## Two\n\n### Three\n\n#### Four\n\ntext\n")
    browser.width(width)
    browser.open(view(key))
    sizes = browser.run("return ['#notetitle', '#notebody h4', '#notebody h5', '#notebody h6', '#notebody p']"
                        ".map((name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize))")
    assert all(larger > smaller for larger, smaller in zip(sizes, sizes[1:])), sizes


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_every_text_is_aa(browser, me, scheme):
    key = new_key()
    make(me, key, "Contrast",
         "# One\n\n## Two\n\n### Three\n\ntext [link](https://example.com) `code`\n\n> quote\n\n| a | b |\n|---|---|\n| c | d |\n\n"
         "```\nblock\n```\n\n- [ ] task")
    say(me, key, "a comment")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme",
                                                                                "value": scheme}]})
    browser.sign_in()
    for path in page_paths(key):
        browser.open(path)
        browser.idle()
        assert browser.run(CONTRAST) == [], path


def test_light_and_dark_are_different(browser):
    colours = []
    for scheme in ("light", "dark"):
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme",
                                                                                    "value": scheme}]})
        browser.open("/")
        colours.append(browser.run("return getComputedStyle(document.body).color"))
    assert colours[0] != colours[1]

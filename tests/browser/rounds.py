# SPDX-License-Identifier: MIT
"""What a person does on the site in a browser, from the login to a page that is not there any more."""
from urllib.parse import quote


def view(key):
    return "/notes/view?key=" + quote(key, safe="")


def messages(browser):
    return [node.text for node in browser.all("#noteMessages [id^='note-message-']")]


def answered(browser):
    """Waits until the page has heard that its comment was made. The comment may be there before, by the socket."""
    browser.until(lambda: browser.find("[name=message]").get_property("value") == "", "the field to be empty")


def whole_round(browser, key, with_script):
    """Sign in, add, view, edit, comment, delete the comment, destroy, sign out, a page that is not there."""
    browser.open("/")
    browser.click("header a.nav-item[href='/users/login']")
    browser.type("[name=username]", "me")
    browser.type("[name=password]", browser.site.passwords["me"])
    browser.click("main button[type=submit]")
    browser.at("/")
    assert "me" in browser.find("header.page-header").text

    browser.click("header a[href='/notes/add']")
    browser.type("[name=notekey]", key)
    browser.type("[name=title]", "Title of the round")
    browser.type("textarea[name=body]", "First **text**\n\nwith two paragraphs")
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at(view(key))
    assert browser.find("#notetitle").text == "Title of the round"
    assert browser.find("#notebody strong").text == "text"

    browser.click("a[href^='/notes/edit?key=']")
    assert browser.find("textarea[name=body]").get_property("value") == "First **text**\n\nwith two paragraphs"
    browser.type("[name=title]", "Changed title")
    browser.type("textarea[name=body]", "Second text")
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at(view(key))
    assert browser.find("#notetitle").text == "Changed title"
    assert browser.find("#notebody").text == "Second text"

    if with_script:
        browser.run("window.sameDocument = true")
    browser.type("[name=message]", "A comment of the round")
    browser.click("form[action='/notes/comment'] button[type=submit]")
    browser.until(lambda: any("A comment of the round" in text for text in messages(browser)), "the comment")
    if with_script:
        answered(browser)
        assert browser.run("return window.sameDocument") is True, "the page was loaded again"
    browser.click("form[action='/notes/comment/destroy'] button[type=submit]")
    browser.until(lambda: messages(browser) == [], "the comment to be gone")
    if with_script:
        assert browser.run("return window.sameDocument") is True, "the page was loaded again"

    browser.click("a#notedestroy")
    assert "Changed title" in browser.find("main").text
    browser.click("form[action='/notes/destroy/confirm'] button[type=submit]")
    browser.at("/")
    assert not browser.all(f"#notetitles a[href='{view(key)}']")

    browser.click("header a[href='/users/logout']")
    browser.find("header a.nav-item[href='/users/login']")
    browser.open(view(key))
    assert browser.find("h2").text.startswith("404 ")
    assert browser.find("h1").text
    assert browser.all("main a[href^='/']")

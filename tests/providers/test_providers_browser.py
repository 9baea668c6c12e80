# SPDX-License-Identifier: MIT
"""Both ways to sign in, in a real Chromium, from the login page to the provider's and back; linking, and signing out there as well.
The providers are at `localhost`, which is another site than 127.0.0.1 is: cookies and policies are tried as they are in the world."""
import pytest

from harness.browser import Browser
from harness.client import Client
from steps import at_openid, begin

PROVIDERS = ("openid", "twitter")
ACCOUNT = "/users/account"
SUBMIT = "button[value='sign in']"


@pytest.fixture
def browser(site, tmp_path):
    one = Browser(site, tmp_path / "profile")
    yield one
    try:
        assert one.complaints() == []
    finally:
        one.driver.quit()


@pytest.fixture(params=["openid", "twitter"])
def provider(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def name(request):
    return "b" + str(abs(hash(request.node.nodeid)))[:12]


def link_of(provider):
    return "main a[href='/users/auth/twitter']" if type(provider).__name__ == "Twitter" else "main a[href='/users/auth/oidc']"


def at_provider(browser, provider, account):
    browser.until(lambda: browser.driver.current_url.startswith(provider.url + "/"), "to be at the provider")
    browser.type("[name=account]", account)
    browser.click(SUBMIT)


def signed_in_as(browser):
    return browser.find("#signed-in-user").text


@pytest.mark.parametrize("has_script", [True, False])
def test_one_signs_in_writes_and_signs_out(browser, site, provider, name, has_script):
    provider.account(name)
    if not has_script:
        browser.without_script()
    browser.open("/notes/add")
    browser.at("/users/login")
    browser.click(link_of(provider))
    at_provider(browser, provider, name)
    browser.at("/notes/add")
    assert signed_in_as(browser) == name
    browser.type("[name=notekey]", name)
    browser.type("[name=title]", "Written by " + name)
    browser.click("form[action='/notes/save'] button[type=submit]")
    browser.at("/notes/view?key=" + name)
    assert browser.find("#notetitle").text == "Written by " + name
    assert [cookie["name"] for cookie in browser.driver.get_cookies() if cookie["name"] == "notesprovider"] == []
    browser.click("header a[href='/users/logout']")
    if type(provider).__name__ == "OpenId":
        browser.until(lambda: browser.driver.current_url.startswith(provider.url + "/session/end"), "the provider's own page")
        browser.click("button[name=logout]")
    browser.at("/")
    browser.find("header a.nav-item[href='/users/login']")
    site.notes.wait_log(event="auth.login_ok", user=name)


def test_after_signing_out_there_the_provider_asks_again(browser, openid, name):
    openid.account(name)
    for _ in range(2):
        browser.open("/users/login")
        browser.click(link_of(openid))
        at_provider(browser, openid, name)
        browser.at("/")
        assert signed_in_as(browser) == name
        browser.click("header a[href='/users/logout']")
        browser.click("button[name=logout]")
        browser.at("/")


def test_who_declines_finds_the_way_back(browser, provider, name):
    browser.open("/users/login")
    browser.click(link_of(provider))
    browser.click("button[value=decline]")
    assert browser.find("h2.status").text.startswith("403 ")
    assert browser.find("h1").text
    browser.click("main a[href='/users/login']")
    browser.at("/users/login")
    browser.sign_in()
    assert signed_in_as(browser) == "me"


def test_one_links_signs_in_by_it_and_unlinks(browser, site, provider, name):
    site.add_user(name)
    provider.account(name + "-there")
    word = "twitter" if type(provider).__name__ == "Twitter" else "oidc"
    browser.sign_in(name)
    browser.open(ACCOUNT)
    browser.click(f"main a[href='/users/auth/{word}?link']")
    at_provider(browser, provider, name + "-there")
    browser.at("/users/account/identities/link")
    assert name in browser.find("main").text
    browser.click("form[action='/users/account/identities/link'] button[type=submit]")
    browser.at(ACCOUNT)
    browser.find("form[action='/users/account/identities/unlink']")
    browser.driver.delete_all_cookies()
    browser.open("/users/login")
    browser.click(link_of(provider))
    if word == "twitter":  # the other one still knows this browser, and asks nothing
        at_provider(browser, provider, name + "-there")
    browser.at("/")
    assert signed_in_as(browser) == name
    browser.open(ACCOUNT)
    browser.click("form[action='/users/account/identities/unlink'] button")
    browser.gone("form[action='/users/account/identities/unlink']")
    assert site.api.get(f"/identities/{name}").json()["identities"] == []


def test_a_name_of_somebody_here_gets_a_suffix(browser, site, provider):
    provider.account("me")
    browser.open("/users/login")
    browser.click(link_of(provider))
    at_provider(browser, provider, "me")
    browser.at("/")
    assert signed_in_as(browser).startswith("me-")


def test_another_site_leads_nobody_into_a_strangers_account(browser, site, openid, name):
    """Login CSRF in a browser: the attacker's callback, opened from elsewhere."""
    openid.account(name)
    back = at_openid(openid, begin(Client(site.url), "oidc"), name)
    browser.sign_in()
    browser.driver.get(openid.url + "/jwks")
    browser.run("location.href = arguments[0]", back)
    browser.until(lambda: browser.all("h2.status"), "the refusal")
    assert browser.find("h2.status").text.startswith("400 ")
    browser.open("/")
    assert signed_in_as(browser) == "me"


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_login_page_fits(browser, openid, twitter, width):
    browser.width(width)
    browser.open("/users/login")
    for provider in (openid, twitter):
        link = browser.find(link_of(provider))
        assert link.is_displayed() and link.accessible_name
        place = link.rect
        assert place["x"] >= 0 and place["x"] + place["width"] <= width and place["height"] >= 24
    assert browser.run("return document.documentElement.scrollWidth") <= width

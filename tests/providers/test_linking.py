# SPDX-License-Identifier: MIT
"""An identity at a provider is linked to the user that one is, and unlinked, from /users/account: only by its owner, with his word."""
import pytest

from harness.client import Client
from harness.client import browser_session as open_session
from harness.client import read_page
from steps import at_openid, at_twitter, begin, finish, sign_in, who_is

PROVIDERS = ("openid", "twitter")
ACCOUNT = "/users/account"
LINK, UNLINK = "/users/account/identities/link", "/users/account/identities/unlink"
MAX_COUNT = 10
WAITING = "noteslink"


@pytest.fixture(params=["openid", "twitter"])
def provider(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def name(request):
    return "k" + str(abs(hash(request.node.nodeid)))[:12]


@pytest.fixture
def me(site, name):
    """A local user of this test's own, signed in."""
    site.add_user(name)
    return open_session(site, name)


def which(provider):
    return "twitter" if type(provider).__name__ == "Twitter" else "oidc"


def go(client, provider, account):
    """The round trip to the provider, and on to the question; returns the last answer."""
    at = at_twitter if which(provider) == "twitter" else at_openid
    answer = finish(client, at(provider, begin(client, which(provider), "?link"), account))
    return client.get(LINK) if answer.status_code == 302 and answer.headers["Location"] == LINK else answer


def ask_to_link(client, provider, account):
    answer = go(client, provider, account)
    assert answer.status_code == 200, (answer.status_code, answer.text[:2000])
    page = read_page(answer)
    assert page.form(LINK) is not None, page.source
    return page


def link(client, provider, account):
    page = ask_to_link(client, provider, account)
    return client.post(LINK, page.form(LINK).fields())


def identities(site, user):
    answer = site.api.get(f"/identities/{user}")
    assert answer.status_code == 200
    return [(one["issuer"], one["subject"]) for one in answer.json()["identities"]]


def unlink_forms(client):
    return [form for form in client.html(ACCOUNT).all("form", action=UNLINK)]


def test_one_links_and_signs_in_there_ever_after(site, provider, me, name):
    account = name + "-there"
    subject = provider.account(account, "Somebody <there>") if which(provider) == "twitter" else provider.account(account, name="Somebody <there>")
    page = ask_to_link(me, provider, account)
    text = " ".join(page.first("main").text.split())
    assert name in text and "Somebody <there>" in text
    assert identities(site, name) == [], "nothing yet"
    answer = me.post(LINK, page.form(LINK).fields())
    assert (answer.status_code, answer.headers["Location"]) == (302, ACCOUNT)
    assert [one[1] for one in identities(site, name)] == [subject]
    assert site.notes.wait_log(event="account.identity_linked", user=name)["peer"] == "127.0.0.1"
    assert len(unlink_forms(me)) == 1
    other, _ = sign_in(site, provider, account)
    assert who_is(other) == name
    assert Client(site.url).login(name, site.passwords[name]).headers["Location"] == "/", "and the password is still good"


def test_one_unlinks(site, provider, me, name):
    provider.account(name + "-there")
    link(me, provider, name + "-there")
    form, = unlink_forms(me)
    answer = me.post(UNLINK, form.fields())
    assert (answer.status_code, answer.headers["Location"]) == (302, ACCOUNT)
    assert identities(site, name) == [] and unlink_forms(me) == []
    assert site.notes.wait_log(event="account.identity_unlinked", user=name)
    other, _ = sign_in(site, provider, name + "-there")
    assert who_is(other) not in (None, name), "now somebody new"


def test_the_last_way_in_stays(site, provider, name):
    provider.account(name)
    client, _ = sign_in(site, provider, name)
    before = identities(site, name)
    issuer, subject = before[0]
    answer = client.post(UNLINK, {"issuer": issuer, "subject": subject})
    assert answer.status_code in (302, 409)
    assert identities(site, name) == before


def test_both_providers_on_one_user(site, openid, twitter, me, name):
    openid.account(name + "-o")
    twitter.account(name + "-t")
    link(me, openid, name + "-o")
    link(me, twitter, name + "-t")
    assert len(identities(site, name)) == 2 == len(unlink_forms(me))
    for provider, account in ((openid, name + "-o"), (twitter, name + "-t")):
        assert who_is(sign_in(site, provider, account)[0]) == name


def test_linking_twice_is_linking_once(site, provider, me, name):
    provider.account(name + "-there")
    link(me, provider, name + "-there")
    answer = go(me, provider, name + "-there")
    if answer.status_code == 200 and read_page(answer).form(LINK):
        assert me.post(LINK, read_page(answer).form(LINK).fields()).status_code == 302
    assert len(identities(site, name)) == 1


def test_another_users_identity_is_not_taken(site, provider, me, name):
    provider.account(name + "-there")
    first, _ = sign_in(site, provider, name + "-there")
    owner = who_is(first)
    answer = go(me, provider, name + "-there")
    if answer.status_code == 200:
        answer = me.post(LINK, read_page(answer).form(LINK).fields())
    assert answer.status_code == 409
    page = read_page(answer)
    assert page.first("a", href=ACCOUNT) is not None and owner not in page.first("main").text
    assert identities(site, name) == [] and len(identities(site, owner)) == 1
    assert who_is(me) == name


def test_linking_needs_a_session(site, provider):
    client = Client(site.url)
    answer = client.get(f"/users/auth/{which(provider)}?link")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")


def test_a_link_begun_in_a_session_ends_with_it(site, provider, me, name):
    """Who signs out in between, or becomes another user, links nothing."""
    provider.account(name + "-there")
    at = at_twitter if which(provider) == "twitter" else at_openid
    back = at(provider, begin(me, which(provider), "?link"), name + "-there")
    me.logout()
    assert finish(me, back).status_code in (302, 400, 403)
    assert who_is(me) is None and identities(site, name) == []
    me.login(name, site.passwords[name])
    back = at(provider, begin(me, which(provider), "?link"), name + "-there")
    me.login("you", site.passwords["you"])
    answer = finish(me, back)
    assert answer.status_code in (400, 403)
    assert who_is(me) == "you" and identities(site, "you") == []


def test_a_stranger_links_his_account_to_nobody(site, provider, me, name):
    """Link CSRF: the attacker's callback in the victim's browser; then his identity would sign him in as the victim."""
    provider.account(name + "-evil")
    evil = open_session(site, "you")
    at = at_twitter if which(provider) == "twitter" else at_openid
    for query, client in (("?link", evil), ("", Client(site.url))):
        back = at(provider, begin(client, which(provider), query), name + "-evil")
        assert finish(me, back).status_code == 400
    assert identities(site, name) == [] and who_is(me) == name


def test_only_the_owners_word_links(site, provider, me, name):
    provider.account(name + "-there")
    page = ask_to_link(me, provider, name + "-there")
    fields = page.form(LINK).fields()
    for data in ({**fields, "csrf": ""}, {**fields, "csrf": "x" * 43}, {key: value for key, value in fields.items() if key != "csrf"}):
        assert me.post(LINK, data, csrf=False).status_code == 403
    assert me.post(LINK, fields, origin="http://evil.example").status_code == 403
    you = open_session(site, "you")
    for cookie in [one for one in me.http.cookies if one.name == WAITING]:
        you.http.cookies.set_cookie(cookie)
    assert you.http.cookies.get(WAITING) and you.get(LINK).status_code == 400, "what waits is of another session"
    assert you.post(LINK, {}).status_code == 400
    assert identities(site, name) == identities(site, "you") == []
    assert me.post(LINK, fields).status_code == 302 and len(identities(site, name)) == 1


def test_nothing_waits_nothing_is_linked(site, me, name):
    assert me.get(LINK).status_code == me.post(LINK, {}).status_code == 400
    assert identities(site, name) == []


def test_a_foreign_identity_in_the_form_is_not_believed(site, openid, twitter, me, name):
    """The form could say anything: what is linked is what the provider said."""
    openid.account(name + "-o")
    number = twitter.account(name + "-victim")
    page = ask_to_link(me, openid, name + "-o")
    me.post(LINK, {**page.form(LINK).fields(), "issuer": "twitter", "subject": number, "provider": "twitter"})
    assert ("twitter", number) not in identities(site, name)


@pytest.mark.parametrize("change", [{"subject": "none"}, {"issuer": "none"}, {"subject": ""}, {"issuer": ""}, {"subject": "x" * 5000}], ids=str)
def test_what_is_not_linked_is_not_unlinked(site, openid, me, name, change):
    openid.account(name + "-there")
    link(me, openid, name + "-there")
    form, = unlink_forms(me)
    answer = me.post(UNLINK, {**form.fields(), **change})
    assert answer.status_code in (302, 400, 404)
    assert len(identities(site, name)) == 1


def test_one_does_not_unlink_for_another(site, openid, me, name):
    openid.account(name + "-there")
    link(me, openid, name + "-there")
    form, = unlink_forms(me)
    you = open_session(site, "you")
    fields = {key: value for key, value in form.fields().items() if key != "csrf"}
    assert you.post(UNLINK, fields).status_code in (302, 404)
    assert me.post(UNLINK, fields, csrf=False).status_code == 403
    assert len(identities(site, name)) == 1


def test_a_user_has_no_more_than_ten(site, openid, me, name):
    for number in range(MAX_COUNT):
        openid.account(f"{name}-{number}")
        assert link(me, openid, f"{name}-{number}").status_code == 302
    assert len(identities(site, name)) == MAX_COUNT
    openid.account(name + "-more")
    answer = go(me, openid, name + "-more")
    if answer.status_code == 200:
        answer = me.post(LINK, read_page(answer).form(LINK).fields())
    assert answer.status_code == 409 and len(identities(site, name)) == MAX_COUNT


def test_who_declines_comes_back_to_the_account(site, provider, me, name):
    answer = go(me, provider, None)
    assert answer.status_code == 403
    page = read_page(answer)
    assert page.first("a", href=ACCOUNT) or page.first("a", href="/users/login")
    assert who_is(me) == name


def test_hostile_names_are_only_text(site, openid, me, name):
    openid.account(name + "-there", name='"><script>alert(1)</script>', preferred_username="\u202e<b>")
    page = ask_to_link(me, openid, name + "-there")
    assert not [node for node in page.first("main").all("script")] and not page.first("main").all("b")
    me.post(LINK, page.form(LINK).fields())
    account = me.html(ACCOUNT)
    assert not account.first("main").all("script")

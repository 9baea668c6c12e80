# SPDX-License-Identifier: MIT
"""A provider that is away, breaks, hangs or never ends. Nobody is signed in, everybody is told, local users sign in meanwhile,
and when it is back it is used again without a restart."""
import concurrent.futures
import re

import pytest

from harness.client import Client
from harness.client import browser_session as open_session
from harness.wait import until
from served import closed, cut, drip, endless, hang, not_http, says
from sites import PATIENT
from steps import assert_refused, at_liar, at_twitter, finish, who_is

PROVIDERS = ("liar", "twitter")
FAULTS = {"error": says("{}", code=500), "away": says("{}", code=503), "cut": cut, "closed": closed, "not-http": not_http,
          "hang": hang, "drip": drip, "endless": endless}
STATUSES = {"hang": (504,), "drip": (504,), "endless": (502, 504), "not-http": (502, 503)}
TOKENS = {"liar": "/token", "twitter": "/oauth/access_token"}
FIRST = {"liar": "/.well-known/openid-configuration", "twitter": "/oauth/request_token"}
PATHS = {"liar": "/users/auth/oidc", "twitter": "/users/auth/twitter"}
AT_ONCE = 2
BRIEF_MS = 1500


@pytest.fixture(params=["liar", "twitter"])
def name(request):
    return request.param


@pytest.fixture
def provider(request, name, liar, twitter):
    liar.is_somebody(preferred_username="somebody")
    twitter.account("somebody")
    return request.getfixturevalue(name)


def begin_anew(site, fault=None, brief_ms=BRIEF_MS):
    """Nothing is known of a provider. It is soon given up where the fault is that it never ends: the others tell at once."""
    site.notes.restart(PROVIDER_TIMEOUT_MS=brief_ms if fault in ("hang", "drip") else PATIENT["PROVIDER_TIMEOUT_MS"])


def at_provider(name, provider, location):
    return (at_twitter if name == "twitter" else at_liar)(provider, location, "somebody")


def unreached(site, name):
    via = PATHS[name].rpartition("/")[2]
    return site.notes.log_lines(event="auth.provider_unreachable", via=via)


def come_back(site, name, provider):
    """Half a sign-in, its last step left; waits until the provider is asked again."""
    client = Client(site.url)
    answer = until(lambda: (found := client.get(PATHS[name])).status_code == 302 and found, "the provider to be asked again")
    return client, at_provider(name, provider, answer.headers["Location"])


@pytest.mark.parametrize("fault", FAULTS)
def test_at_the_first_step(site, name, provider, fault):
    begin_anew(site, fault)
    client, before = Client(site.url), len(unreached(site, name))
    with provider.misdoing(FIRST[name], FAULTS[fault]):
        answer = client.get(PATHS[name])
        assert answer.status_code in STATUSES.get(fault, (502, 503)), answer.status_code
        assert_refused(client, answer, answer.status_code)
        if fault != "endless":  # that is an answer, if none that is good for anything
            until(lambda: len(unreached(site, name)) == before + 1, "a line in the log")


@pytest.mark.parametrize("fault", ["away", "closed", "hang"])
def test_it_is_used_again_without_a_restart(site, name, provider, fault):
    begin_anew(site, fault, brief_ms=5000)  # it must answer in time afterwards
    with provider.misdoing(FIRST[name], FAULTS[fault]):
        assert Client(site.url).get(PATHS[name]).status_code >= 502
    client, back = come_back(site, name, provider)
    assert finish(client, back).status_code == 302 and who_is(client)


@pytest.mark.parametrize("fault", FAULTS)
def test_at_the_last_step(site, name, provider, fault):
    begin_anew(site, fault)
    client, back = come_back(site, name, provider)
    with provider.misdoing(TOKENS[name], FAULTS[fault]):
        answer = finish(client, back)
        assert answer.status_code in STATUSES.get(fault, (502, 503)), answer.status_code
        assert_refused(client, answer, answer.status_code)


def test_stopped_and_started(site, name, provider):
    begin_anew(site)
    provider.stop()
    try:
        client = Client(site.url)
        answer = client.get(PATHS[name])
        assert answer.status_code in (502, 503)
        assert_refused(client, answer, answer.status_code)
        assert who_is(open_session(site, "me")) == "me"
    finally:
        provider.start()
    client, back = come_back(site, name, provider)
    assert finish(client, back).status_code == 302 and who_is(client)


def test_it_is_left_alone_for_a_moment(site, name, provider):
    """Who comes next does not wait for it as well. Who comes when the moment is over does, and another moment begins."""
    begin_anew(site)

    def is_left_alone():
        asked = provider.count(FIRST[name])
        answer = Client(site.url).get(PATHS[name])
        return answer.status_code == 503 and provider.count(FIRST[name]) == asked

    with provider.misdoing(FIRST[name], closed):
        assert Client(site.url).get(PATHS[name]).status_code in (502, 503)
        until(is_left_alone, "the next one comes within the moment")


def test_local_users_sign_in_while_it_hangs(make_site, name, provider):
    """As many as may wait for it do; the next is told so at once, and nobody else waits."""
    site = make_site(provider, PROVIDER_TIMEOUT_MS=60000, REQUEST_DEADLINE_MS=60000)
    begun = provider.count(FIRST[name])
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool, provider.misdoing(FIRST[name], hang):
        waiting = [pool.submit(Client(site.url).get, PATHS[name], timeout=90) for _ in range(AT_ONCE)]
        provider.wait_for(FIRST[name], begun + AT_ONCE)
        third = Client(site.url)
        assert_refused(third, third.get(PATHS[name]), 503)
        for user in ("me", "you"):
            assert who_is(open_session(site, user)) == user
        assert Client(site.url).get("/").status_code == 200 and site.notes.is_ready()
        assert not any(future.done() for future in waiting), "all that while"
    for future in waiting:
        assert future.result().status_code in (502, 503, 504)


def test_a_sign_out_does_not_wait_for_it(make_site, liar):
    """The session ends whatever the provider does, even when it takes all the time that the request has."""
    site = make_site(liar, PROVIDER_TIMEOUT_MS=60000)
    liar.is_somebody(preferred_username="leaving")
    client, back = come_back(site, "liar", liar)
    assert finish(client, back).status_code == 302 and who_is(client) == "leaving"
    session, cookies = client.session_cookie, client.http.cookies.copy()
    site.notes.restart(REQUEST_DEADLINE_MS=5000)  # what it knew of the provider is gone
    asked = liar.count(FIRST["liar"])
    with liar.misdoing(FIRST["liar"], hang):
        answer = client.logout()
    site.notes.restart(**PATIENT)
    assert liar.count(FIRST["liar"]) == asked + 1, "it was asked where to go on to"
    assert (answer.status_code, answer.headers["Location"]) == (302, "/") and who_is(client) is None
    again = Client(site.url)
    again.http.cookies.update(cookies)
    assert again.session_cookie == session and who_is(again) is None, "it has ended, not only been forgotten"


def test_nobodys_sign_out_asks_the_provider(make_site, liar):
    """Else strangers could have it asked as often as they like."""
    site = make_site(liar)
    asked = liar.count(FIRST["liar"])
    with liar.misdoing(FIRST["liar"], says("{}", code=404)):
        for cookie in ("notesoidc=1", "notesoidc=1; notescookie.sid=" + "A" * 43):
            answer = Client(site.url).get("/users/logout", headers={"Cookie": cookie})
            assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert liar.count(FIRST["liar"]) == asked


def test_it_hangs_at_the_end_of_the_service(make_site, liar):
    """The service ends cleanly while somebody waits for a provider."""
    site = make_site(liar, PROVIDER_TIMEOUT_MS=2000)
    begun = liar.count(FIRST["liar"])
    with concurrent.futures.ThreadPoolExecutor(1) as pool, liar.misdoing(FIRST["liar"], hang):
        waiting = pool.submit(lambda: Client(site.url).request("GET", PATHS["liar"]))
        liar.wait_for(FIRST["liar"], begun + 1)
        assert site.notes.stop() == 0
        liar.release()
        waiting.exception()
    site.notes.start()


def test_userauth_is_away(site, name, provider):
    """Who comes back from the provider meets the page of birds and whale; afterwards it works."""
    begin_anew(site)
    client, back = come_back(site, name, provider)
    site.userauth.stop()
    try:
        answer = finish(client, back)
        assert_refused(client, answer, 503)
    finally:
        site.userauth.start()

    def signed_in():
        again, back = come_back(site, name, provider)
        return finish(again, back).status_code == 302 and who_is(again)

    until(signed_in, "the user service to be asked again")


def test_no_answer_shows_what_is_inside(site, liar):
    """Addresses, reasons and words of libraries are for the log."""
    begin_anew(site)
    with liar.misdoing(FIRST["liar"], closed):
        page = Client(site.url).get(PATHS["liar"]).text
    assert not re.search(r"curl|localhost|errno|jansson|cjose|timed out after", page, re.I), page

# SPDX-License-Identifier: MIT
"""Without a provider no page has a trace of one, and the paths of sign-ins are unknown ones. With one, pages differ, and a browser
does not keep those of before."""
import re

import pytest

from harness.client import Client
from harness.client import browser_session as open_session
from liar import Liar

PROVIDERS = ()
PAGES = ("/", "/users/login", "/notes/view?key=none", "/no/such/page")
SIGNED_IN = ("/", "/users/account", "/notes/add")
TRACE = re.compile(r"users/auth|twitter|openid|oidc|provider|identit|sign in with|log in with", re.I)
PATHS = ("/users/auth/twitter", "/users/auth/twitter/callback", "/users/auth/oidc", "/users/auth/oidc/callback", "/users/auth/twitter?link", "/users/auth/", "/users/auth/other")
CHANGING = re.compile(r"<code>[0-9a-f-]{8,}</code>|value=\"[\w-]{43}\"")


def visible(text):
    """What a page says, without its <head>, whose <link> is another matter, and without random words, which may be any."""
    return CHANGING.sub("", text.partition("</head>")[2])


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_a_trace(site, path):
    assert not TRACE.search(visible(Client(site.url).get(path).text))


@pytest.mark.parametrize("path", SIGNED_IN)
def test_nor_have_those_of_who_is_signed_in(site, path):
    assert not TRACE.search(visible(open_session(site, "me").get(path).text))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_their_paths_are_unknown_ones(site, path, method):
    client = Client(site.url)
    answer, unknown = (client.request(method, place, headers={"Origin": site.url}) for place in (path, "/users/no-such-thing"))
    assert answer.status_code == unknown.status_code
    assert {name for name in answer.headers} == {name for name in unknown.headers}
    assert CHANGING.sub("", answer.text) == CHANGING.sub("", unknown.text)
    assert answer.headers.get("Allow") == unknown.headers.get("Allow") and not answer.cookies


@pytest.mark.parametrize("path", ["/users/account/identities/link", "/users/account/identities/unlink"])
def test_so_are_those_of_the_account(site, path):
    me = open_session(site, "me")
    for method in ("GET", "POST"):
        answer, unknown = (me.request(method, place, data={"issuer": "twitter", "subject": "1", "csrf": me.csrf()}) for place in (path, "/users/account/no-such-thing"))
        assert answer.status_code == unknown.status_code == 404
        assert CHANGING.sub("", answer.text) == CHANGING.sub("", unknown.text)


def test_a_page_that_a_browser_kept_is_not_good_after_a_provider_came(site):
    """Its tag differs with what it offers, and is the old one again when the provider is gone."""
    with Liar() as liar:
        tags = []
        for settings in ({}, liar.settings, {**liar.settings, "OIDC_NAME": "Another name"}, dict.fromkeys((*liar.settings, "OIDC_NAME"))):
            site.notes.restart(**settings)
            answer = Client(site.url).get("/")
            assert answer.status_code == 200
            tags.append(answer.headers["ETag"])
            kept = Client(site.url).get("/", headers={"If-None-Match": tags[0]})
            assert kept.status_code == (304 if tags[-1] == tags[0] else 200)
            assert ("/users/auth/oidc" in answer.text) == ("OIDC_ISSUER" in settings and settings["OIDC_ISSUER"] is not None)
    assert tags[0] == tags[3] and len(set(tags)) == 3


def test_logging_out_is_as_ever(site):
    assert open_session(site, "me").logout().headers["Location"] == "/"

# SPDX-License-Identifier: MIT
"""What a person's browser does between the site and a provider, step by step, so that a test can do each wrongly.

    location = begin(client, "oidc")                        # the site sends the browser to the provider
    back = at_openid(openid, location, "alice")             # who sends it back, with a code
    answer = finish(client, back)                           # the callback
"""
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

from harness import programs
from harness.client import Client, read_page
from harness.page import Page
from harness.wait import until

HOPS_MAX = 10


def begin(client, which, query=""):
    """Goes to /users/auth/WHICH; returns where at the provider the browser is sent."""
    answer = client.get(f"/users/auth/{which}{query}")
    assert answer.status_code == 302, (answer.status_code, answer.text[:2000])
    return answer.headers["Location"]


def finish(client, back):
    """The callback, as the browser asks it when a provider has sent it."""
    assert back.startswith(client.url + "/users/auth/"), back
    return client.get(back[len(client.url):], headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def with_query(url, **changes):
    """The URL with some members of its query changed; None takes one away."""
    members = {**query_of(url), **changes}
    return url.partition("?")[0] + "?" + urlencode({name: value for name, value in members.items() if value is not None})


def stranger():
    session = requests.Session()
    session.trust_env = False
    return session


def _until_back(session, answer, site_part="/users/auth/"):
    """Follows redirects of a provider until one leads to the site, or there are none; returns (URL or None, last answer)."""
    for _ in range(HOPS_MAX):
        if answer.status_code not in (301, 302, 303, 307):
            return None, answer
        url = urljoin(answer.url, answer.headers["Location"])
        if site_part in urlsplit(url).path:
            return url, answer
        answer = session.get(url, allow_redirects=False, timeout=30)
    raise AssertionError("too many redirects")


def at_openid(openid, location, account, session=None):
    """Signs in at oidc-provider (None declines); returns where it sends the browser."""
    session = session or openid.http()
    back, answer = _until_back(session, session.get(location, allow_redirects=False, timeout=30))
    if back is None:
        assert answer.status_code == 200, answer.text
        action = Page(answer.text).first("form")["action"]
        fields = {"account": account or "", "do": "sign in" if account else "decline"}
        answer = session.post(urljoin(answer.url, action), fields, allow_redirects=False, timeout=30)
        back, answer = _until_back(session, answer)
        assert back, answer.text
    remember(query_of(back), "code")
    return back


def at_twitter(_twitter, location, account):
    """Authorizes at Twitter's page (None declines); returns where it sends the browser."""
    session = stranger()
    answer = session.get(location, allow_redirects=False, timeout=30)
    assert answer.status_code == 200, answer.text
    action = Page(answer.text).first("form")["action"]
    fields = {"account": account or "", "do": "sign in" if account else "decline"}
    answer = session.post(urljoin(location, action), fields, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    remember(query_of(answer.headers["Location"]), "oauth_verifier")
    return answer.headers["Location"]


def at_liar(_liar, location, _account=None):
    answer = stranger().get(location, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def remember(members, name):
    """It must be in no log."""
    if name in members:
        programs.remember_secret(members[name])


WAYS = {"OpenId": ("oidc", at_openid), "Twitter": ("twitter", at_twitter), "Liar": ("oidc", at_liar)}


def sign_in(site, provider, account=None, client=None, query=""):
    """The whole way. Returns (client, answer of the callback)."""
    client = client or Client(site.url)
    which, at_provider = WAYS[type(provider).__name__]
    return client, finish(client, at_provider(provider, begin(client, which, query), account))


# --- what a test looks at ---

def who_is(client):
    """The name of the user that is signed in, or None."""
    answer = client.get("/")
    assert answer.status_code == 200
    return read_page(answer).text("signed-in-user")


def assert_refused(client, answer, status, *words):
    """A clear page with a way on, no session, the sign-in's cookie gone. Returns the page."""
    assert answer.status_code == status, (answer.status_code, answer.headers, answer.text[:3000])
    page = read_page(answer)
    assert page.first("a", href="/users/login") is not None, page.source
    assert str(status) in page.first("h2").text and page.first("h1").text.strip()
    text = " ".join(page.first("main").text.split()).lower()
    for word in words:
        assert word.lower() in text, text
    assert client.session_cookie is None and who_is(client) is None
    return page


def refusals(site):
    return site.notes.log_lines(event="auth.provider_refused")


def logged(site, event):
    """Its lines of all that was answered until now: what a request after all others is logged by, they are, too."""
    last = stranger().get(site.url + "/no/such/page", timeout=30)
    site.notes.wait_log(req_id=last.headers["X-Request-Id"])
    return site.notes.log_lines(event=event)


def refusals_count(site):
    """Of all that was answered until now, for refused_once."""
    return len(logged(site, "auth.provider_refused"))


def refused_once(site, before):
    """The one line that is new since refusals_count() was `before`; the log may be a moment later than the answer."""
    until(lambda: len(refusals(site)) > before, "a line in the log")
    assert len(refusals(site)) == before + 1
    return refusals(site)[-1]

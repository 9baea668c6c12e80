# SPDX-License-Identifier: MIT
"""Whom the site trusts: certificates always, addresses that may be, e-mail domains; and settings that can't be meant."""
import pytest

from harness.certificates import Authority
from harness.client import Client
from harness.services import StartFailed
from harness.wait import until
from liar import Liar
from openid import OpenId
from sites import start_site
from steps import assert_refused, at_liar, finish, refusals, sign_in, who_is
from twitter import Twitter

PROVIDERS = ()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("trust") / "ca")


@pytest.fixture(scope="module")
def secure(openid_place, authority, tmp_path_factory):
    provider = OpenId(openid_place, tmp_path_factory.mktemp("openid"), authority).start()
    yield provider
    provider.stop()


# --- TLS ---

def test_a_companys_own_authority(make_site, secure, authority):
    site = make_site(secure, PROVIDER_CA_FILE=authority.certificate)
    secure.account("alice")
    assert who_is(sign_in(site, secure, "alice")[0]) == "alice"


def test_an_unknown_authority_is_not_trusted(make_site, secure):
    site = make_site(secure)
    client = Client(site.url)
    answer = client.get("/users/auth/oidc")
    assert answer.status_code in (502, 503)
    assert_refused(client, answer, answer.status_code)
    assert site.notes.wait_log(event="auth.provider_unreachable")["via"] == "oidc"


@pytest.mark.parametrize("kind", [Liar, Twitter])
def test_a_certificate_of_another_name_is_not_trusted(make_site, authority, kind):
    key, certificate = authority.sign("elsewhere", "DNS:elsewhere.example")
    with kind(key=key, certificate=certificate) as provider:
        site = make_site(provider, PROVIDER_CA_FILE=authority.certificate)
        answer = Client(site.url).get("/users/auth/" + ("oidc" if kind is Liar else "twitter"))
        assert answer.status_code in (502, 503) and provider.requests == []


def test_twitter_by_tls(make_site, authority):
    """The signature is over the https address."""
    key, certificate = authority.sign("twitter", "DNS:localhost")
    with Twitter(key=key, certificate=certificate) as provider:
        site = make_site(provider, PROVIDER_CA_FILE=authority.certificate)
        answer = Client(site.url).get("/users/auth/twitter")
        assert answer.status_code == 302 and answer.headers["Location"].startswith(provider.url + "/oauth/authenticate?")


def test_from_https_no_way_leads_to_http(make_site, authority):
    key, certificate = authority.sign("liar", "DNS:localhost")
    with Liar(key=key, certificate=certificate) as liar:
        site = make_site(liar, PROVIDER_CA_FILE=authority.certificate)
        for endpoint in ("token_endpoint", "jwks_uri", "userinfo_endpoint", "authorization_endpoint", "end_session_endpoint"):
            with liar.lying(discovery={endpoint: liar.url.replace("https", "http") + "/x"}):
                client = Client(site.url)
                assert_refused(client, client.get("/users/auth/oidc"), 502)
        assert Client(site.url).get("/users/auth/oidc").status_code == 302, "else it would be for another reason"


# --- what discovery may name ---

@pytest.fixture(scope="module")
def plain_liar():
    with Liar() as liar:
        yield liar


BAD_DISCOVERY = [
    {"issuer": "http://localhost:1"}, {"issuer": None}, {"issuer": 7}, {"token_endpoint": None}, {"jwks_uri": None}, {"authorization_endpoint": None},
    {"authorization_endpoint": "http://elsewhere.example/authorize"}, {"token_endpoint": "http://192.0.2.1/token"}, {"token_endpoint": "file:///etc/passwd"},
    {"jwks_uri": "ftp://localhost/x"}, {"jwks_uri": "gopher://localhost/x"}, {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "http://localhost@192.0.2.1/"},
    {"authorization_endpoint": "http://localhost:1/\r\nX-Injected: 1"}, {"authorization_endpoint": "//elsewhere.example/"}, {"token_endpoint": "x" * 5000}, {"token_endpoint": ["x"]},
    {"token_endpoint": "http://localhost.elsewhere.example/"}, {"token_endpoint": "http://127.0.0.1.elsewhere.example/"},
]


def test_an_offer_that_leads_astray(make_site, plain_liar):
    site = make_site(plain_liar)
    for discovery in BAD_DISCOVERY:
        with plain_liar.lying(discovery=discovery):
            client = Client(site.url)
            answer = client.get("/users/auth/oidc")
            assert answer.status_code == 502, (discovery, answer.status_code, answer.headers)
            assert_refused(client, answer, 502)
            assert not any(name.lower() == "x-injected" for name in answer.headers)
    until(lambda: len(refusals(site)) == len(BAD_DISCOVERY), "a line for each")
    assert who_is(sign_in(site, plain_liar)[0])


def test_an_issuer_with_a_slash_at_its_end_is_another_one(make_site, plain_liar):
    site = make_site(plain_liar, OIDC_ISSUER=plain_liar.url + "/")
    client = Client(site.url)
    assert_refused(client, client.get("/users/auth/oidc"), 502)


def test_an_end_session_that_leads_astray_is_not_followed(make_site, plain_liar):
    site = make_site(plain_liar)
    with plain_liar.lying(discovery={"end_session_endpoint": "http://elsewhere.example/"}):
        client = Client(site.url)
        assert_refused(client, client.get("/users/auth/oidc"), 502)


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic"], ["client_secret_post", "client_secret_basic"], None], ids=str)
def test_the_secret_goes_where_the_provider_wants_it(make_site, plain_liar, methods):
    site = make_site(plain_liar)
    plain_liar.is_somebody()
    with plain_liar.lying(discovery={"token_endpoint_auth_methods_supported": methods}):
        assert who_is(sign_in(site, plain_liar)[0])


def test_without_user_info_the_token_is_enough(make_site, plain_liar):
    site = make_site(plain_liar)
    plain_liar.is_somebody()
    with plain_liar.lying(discovery={"userinfo_endpoint": None, "end_session_endpoint": None}, claims={"preferred_username": "by-token"}):
        client, _ = sign_in(site, plain_liar)
        assert who_is(client) == "by-token"
        assert client.logout().headers["Location"] == "/"


# --- e-mail domains ---

@pytest.mark.parametrize("claims, is_let_in", [
    ({"email": "a@example.org", "email_verified": True}, True), ({"email": "a@EXAMPLE.net", "email_verified": True}, True),
    ({"email": "a@example.net", "email_verified": "true"}, True), ({"email": "a@example.net", "email_verified": "false"}, False), ({"email": "a@example.net", "email_verified": 1}, False),
    ({"email": "a@example.org", "email_verified": False}, False), ({"email": "a@example.org"}, False),
    ({"email": "a@sub.example.org", "email_verified": True}, False), ({"email": "a@notexample.org", "email_verified": True}, False),
    ({"email": "a@example.org.evil.example", "email_verified": True}, False), ({"email": "example.org", "email_verified": True}, False),
    ({"email": "@example.org", "email_verified": True}, False), ({"email": "a@evil.example\n@example.org", "email_verified": True}, False),
    ({"email": "a@example.org\x00", "email_verified": True}, False), ({"email": ["a@example.org"], "email_verified": True}, False), ({"email_verified": True}, False), ({}, False),
], ids=str)
def test_only_these_domains(domain_site, plain_liar, claims, is_let_in):
    plain_liar.is_somebody(preferred_username="somebody", **claims)
    client, answer = sign_in(domain_site, plain_liar)
    if is_let_in:
        assert answer.status_code == 302 and who_is(client)
    else:
        assert answer.status_code in (403, 502)
        assert_refused(client, answer, answer.status_code)
        assert answer.status_code == 403 or "\\x00" in str(claims)


@pytest.fixture(scope="module")
def domain_site(plain_liar, tmp_path_factory):
    site = start_site(tmp_path_factory.mktemp("domains"), [plain_liar], OIDC_ALLOWED_DOMAINS="example.org,example.net")
    yield site
    site.stop()


# --- settings ---

LOCAL = {"OIDC_ISSUER": "http://localhost:1", "OIDC_CLIENT_ID": "notes"}
TWITTER = {"TWITTER_CONSUMER_KEY": "a key", "TWITTER_CONSUMER_SECRET": "and its secret"}


@pytest.mark.parametrize("settings, named", [
    ({"OIDC_ISSUER": "http://localhost:1"}, "OIDC_CLIENT_ID"), ({"OIDC_CLIENT_ID": "notes"}, "OIDC_ISSUER"), ({"OIDC_CLIENT_SECRET": "some secret"}, "OIDC_ISSUER"),
    ({**LOCAL, "OIDC_ISSUER": "http://login.example.org"}, "OIDC_ISSUER"), ({**LOCAL, "OIDC_ISSUER": "login.example.org"}, "OIDC_ISSUER"),
    ({**LOCAL, "OIDC_ISSUER": "https://user@login.example.org"}, "OIDC_ISSUER"), ({**LOCAL, "OIDC_ISSUER": "https://login.example.org/?x"}, "OIDC_ISSUER"),
    ({**LOCAL, "OIDC_SCOPES": "profile"}, "OIDC_SCOPES"), ({**LOCAL, "OIDC_NAME": "a\nb"}, "OIDC_NAME"), ({**LOCAL, "OIDC_ALLOWED_DOMAINS": "@x"}, "OIDC_ALLOWED_DOMAINS"),
    ({"TWITTER_CONSUMER_KEY": "a key"}, "TWITTER_CONSUMER_SECRET"), ({"TWITTER_CONSUMER_SECRET": "a secret of it"}, "TWITTER_CONSUMER_KEY"),
    ({**TWITTER, "TWITTER_API_URL": "http://api.example.org"}, "TWITTER_API_URL"), ({**TWITTER, "TWITTER_CALLBACK_HOST": "notes"}, "TWITTER_CALLBACK_HOST"),
    ({**LOCAL, "LISTEN": "0.0.0.0"}, "PUBLIC_URL"), ({**TWITTER, "LISTEN": "0.0.0.0"}, "PUBLIC_URL"),
    ({**LOCAL, "PROVIDER_CA_FILE": "/nonexistent/ca.pem"}, "/nonexistent/ca.pem"), ({**LOCAL, "PROVIDER_TIMEOUT_MS": "0"}, "PROVIDER_TIMEOUT_MS"),
], ids=str)
def test_what_cannot_be_meant_stops_the_start(services, settings, named):
    notes = services.notes(USER_SERVICE_KEY="a key for the users", **settings)
    with pytest.raises(StartFailed) as failed:
        notes.start()
    assert failed.value.code != 0 and named in failed.value.stderr + notes.stdout_text()
    for secret in ("some secret", "a secret of it", "and its secret"):
        assert secret not in failed.value.stderr


def test_secrets_come_from_files(make_site, plain_liar, tmp_path):
    secret = tmp_path / "client-secret"
    secret.write_text(plain_liar.secret + "\n")
    site = make_site(plain_liar, OIDC_CLIENT_SECRET=None, OIDC_CLIENT_SECRET_FILE=secret, OIDC_NAME="The <Company> & Sons")
    page = Client(site.url).html("/users/login")
    assert "The <Company> & Sons" in page.first("a", href="/users/auth/oidc").text
    plain_liar.is_somebody(preferred_username="by-file")
    client = Client(site.url)
    answer = finish(client, at_liar(plain_liar, client.get("/users/auth/oidc").headers["Location"]))
    assert answer.status_code == 302 and who_is(client)

# SPDX-License-Identifier: MIT
"""An OpenID Connect provider that lies. Each lie: no session, a clear page with the right status, a line in the log; and the
next honest answer is believed, which shows that the lie was the reason."""
import json
import time

import pytest

from harness.client import Client
from keys import Key, by_secret, encode, no_signature, token
from liar import Liar
from served import elsewhere, huge, says, status
from steps import assert_refused, at_liar, begin, finish, query_of, refusals_count, refused_once, sign_in, who_is, with_query

PROVIDERS = ("liar",)
DISCOVERY, KEYS, TOKEN, USERINFO = "/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"
FOREIGN = Key("first")
OTHER = Key("second")
CURVE = Key("curve", "ES256")


def at(seconds):
    return lambda: int(time.time()) + seconds


def told(claims):
    return {name: value() if callable(value) else value for name, value in claims.items()}


@pytest.fixture(autouse=True)
def honest_again(site, liar):
    """Each test begins with a somebody whose sign-in would succeed, and ends with one that does."""
    liar.is_somebody(preferred_username="somebody")
    yield
    liar.is_somebody(preferred_username="somebody else")
    client, answer = sign_in(site, liar)
    assert answer.status_code == 302 and who_is(client), (answer.status_code, answer.text[:2000])


def assert_lie(site, liar, *words, status=502):
    before, users = refusals_count(site), site.api.get("/list").json()
    client, answer = sign_in(site, liar)
    page = assert_refused(client, answer, status, *words)
    line = refused_once(site, before)
    assert line["via"] == "oidc" and line["why"] and line["peer"] == "127.0.0.1"
    assert site.api.get("/list").json() == users, "nobody was made"
    return page, line


# --- claims ---

@pytest.mark.parametrize("claims", [
    {"iss": "http://evil.example"}, {"iss": None}, {"iss": ""}, {"iss": 1}, {"iss": ["x"]},
    {"aud": "somebody else"}, {"aud": None}, {"aud": []}, {"aud": ["somebody else"]}, {"aud": {}}, {"aud": Liar.client_id + "x"},
    {"aud": [Liar.client_id, "somebody else"]}, {"aud": [Liar.client_id, "somebody else"], "azp": "somebody else"}, {"azp": "somebody else"},
    {"nonce": "wrong"}, {"nonce": None}, {"nonce": ""}, {"nonce": 7},
    {"sub": None}, {"sub": ""}, {"sub": "x" * 256}, {"sub": 7}, {"sub": "é"}, {"sub": "a\nb"}, {"sub": "a\x00b"},
    {"exp": None}, {"exp": "soon"}, {"exp": -1}, {"exp": 0}, {"exp": 1e300}, {"iat": None}, {"iat": "now"}, {"iat": -5},
], ids=str)
def test_a_claim_that_does_not_fit(site, liar, claims):
    with liar.lying(claims=claims):
        assert_lie(site, liar)


@pytest.mark.parametrize("claims", [
    {"exp": at(-121)}, {"exp": at(-86400)}, {"iat": at(+180)}, {"iat": at(-900)}, {"iat": at(+86400), "exp": at(+90000)}, {"nbf": at(+180)},
], ids=["expired", "long-expired", "from-the-future", "too-old", "tomorrow", "not-yet"])
def test_a_clock_that_is_off_is_named(site, liar, claims):
    with liar.lying(claims=told(claims)):
        assert_lie(site, liar, "clock")


@pytest.mark.parametrize("claims", [{"exp": at(-60)}, {"iat": at(+60)}, {"nbf": at(+60)}, {"aud": [Liar.client_id]}, {"azp": Liar.client_id},
                                    {"aud": [Liar.client_id, "x"], "azp": Liar.client_id}, {"email": "é"}, {"unknown": {"deep": [1]}}], ids=lambda value: next(iter(value)))
def test_what_is_within_bounds_is_believed(site, liar, claims):
    """Else the tests above would show little."""
    with liar.lying(claims=told(claims)):
        client, answer = sign_in(site, liar)
        assert answer.status_code == 302 and who_is(client)


# --- signatures ---

def confused(liar, how):
    """HS256 with what everybody knows as the secret."""
    jwk = liar.key.jwk
    secrets = {"pem": liar.key.public_text(), "pem-without-end": liar.key.public_text().rstrip(), "modulus": jwk["n"].encode(), "client-id": liar.client_id.encode(),
               "empty": b"", "kid": b"first", "client-secret": liar.secret.encode()}
    return by_secret(secrets[how])


@pytest.mark.parametrize("how", ["pem", "pem-without-end", "modulus", "client-id", "empty", "kid", "client-secret"])
@pytest.mark.parametrize("header", [{}, {"kid": None}], ids=["with-kid", "without-kid"])
def test_key_confusion(site, liar, how, header):
    with liar.lying(header={"alg": "HS256", **header}, sign=confused(liar, how)):
        assert_lie(site, liar)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, "HS512", "RS1", "RSA-OAEP", "dir", "EdDSA", "ES256K", 256, ["RS256"]], ids=str)
@pytest.mark.parametrize("sign", [no_signature, None], ids=["unsigned", "signed"])
def test_an_algorithm_that_is_none(site, liar, alg, sign):
    with liar.lying(header={"alg": alg}, sign=sign):
        assert_lie(site, liar)


@pytest.mark.parametrize("header", [
    {"kid": "unknown"}, {"kid": ""}, {"kid": 1}, {"alg": "RS384"}, {"alg": "PS256"}, {"alg": "ES256"},
    {"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": False},
    {"jwk": FOREIGN.jwk}, {"jku": "http://localhost:1/"}, {"x5u": "http://localhost:1/"},
], ids=lambda header: "-".join(header))
def test_a_header_that_does_not_fit(site, liar, header):
    sign = FOREIGN.sign if {"jwk", "jku", "x5u"} & set(header) else None
    with liar.lying(header=header, sign=sign):
        assert_lie(site, liar)


@pytest.mark.parametrize("sign", [
    FOREIGN.sign, no_signature, lambda data: b"\0" * 256, lambda data: b"\0", lambda data: FOREIGN.sign(data)[:-1], lambda data: b"x" * 5000,
], ids=["foreign", "empty", "zeros", "one-byte", "short", "long"])
def test_a_signature_that_is_not_the_keys(site, liar, sign):
    with liar.lying(sign=sign):
        assert_lie(site, liar)


def bent(change):
    """A rightly signed token, changed afterwards."""
    return lambda header, claims, sign: change(token(header, claims, sign))


def other_claims(text):
    head, _, end = text.split(".")
    return ".".join([head, encode({"sub": "1"}), end])


@pytest.mark.parametrize("make", [
    bent(other_claims), bent(lambda text: text.rpartition(".")[0] + "."), bent(lambda text: text.rpartition(".")[0]), bent(lambda text: text + ".x"),
    bent(lambda text: "." + text), bent(lambda text: text + "="), bent(lambda text: text[:-4]), bent(lambda text: ""), bent(lambda text: 7),
    bent(lambda text: [text]), bent(lambda text: text.replace(".", "..")), bent(lambda text: "x" * 100000), bent(lambda text: " " + text),
    lambda header, _claims, sign: token(header, "{}", sign), lambda header, _claims, sign: token(header, "[]", sign),
    lambda header, _claims, sign: token(header, "not JSON", sign), lambda header, _claims, sign: token(header, "[" * 5000, sign),
    lambda _header, claims, sign: token("not JSON", claims, sign), lambda _header, claims, sign: token([], claims, sign),
    lambda header, claims, sign: token(header, "{" + ",".join(f'"{name}":{json.dumps(value)}' for name, value in claims.items()) + ',"sub":"9"}', sign),
], ids=["claims", "unsigned", "two-parts", "four-parts", "empty-part", "padded", "cut", "empty", "number", "list", "dots", "long", "blank", "no-claims", "list-claims",
        "no-json", "deep", "header-no-json", "header-list", "sub-twice"])
def test_a_token_that_is_none(site, liar, make):
    with liar.lying(make_token=make):
        assert_lie(site, liar)


# --- keys ---

@pytest.mark.parametrize("keys", [
    [], [FOREIGN.jwk], [OTHER.jwk], [{"kty": "oct", "kid": "first", "k": encode(b"secret")}], ["x"], [7], [{}], [{"kty": "RSA", "kid": "first"}],
    [{"kty": "RSA", "kid": "first", "n": "AQ", "e": "AQ"}], [{"kty": "RSA", "kid": "first", "n": "!!", "e": "AQAB"}],
    [{"kty": "EC", "kid": "first", "crv": "P-256", "x": "AA", "y": "AA"}],
], ids=["none", "foreign", "another", "shared", "text", "number", "empty", "bare", "tiny", "no-base64", "off-curve"])
def test_keys_that_do_not_fit(anew, liar, keys):
    with liar.lying(keys=keys):
        assert_lie(anew, liar)
    anew.notes.restart()


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}, {"key_ops": ["encrypt"]}], ids=lambda change: next(iter(change)))
def test_a_key_that_is_for_something_else(anew, liar, change):
    with liar.lying(keys=[{**liar.key.jwk, **change}]):
        assert_lie(anew, liar)
    anew.notes.restart()


def test_a_weak_key_is_none(anew, liar):
    weak = Key("weak", bits=1024)
    with liar.lying(keys=[weak.jwk], header={"kid": "weak"}, sign=weak.sign):
        assert_lie(anew, liar)
    anew.notes.restart()


def test_a_shared_key_among_the_published_is_no_key(anew, liar):
    """Key confusion by the provider's own list."""
    shared = {"kty": "oct", "kid": "shared", "k": encode(b"everybody knows this secret of 32"), "alg": "HS256"}
    with liar.lying(keys=[liar.key.jwk, shared], header={"alg": "HS256", "kid": "shared"}, sign=by_secret(b"everybody knows this secret of 32")):
        assert_lie(anew, liar)


@pytest.mark.parametrize("keys", [[OTHER, "own"], ["own", OTHER], [CURVE, OTHER, "own"]], ids=["after", "before", "among"])
def test_the_right_key_is_found_among_several(anew, liar, keys):
    with liar.lying(keys=[liar.key.jwk if key == "own" else key.jwk for key in keys]):
        client, answer = sign_in(anew, liar)
        assert answer.status_code == 302 and who_is(client)


def test_an_unknown_key_of_the_list_harms_no_other(anew, liar):
    strange = [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "first"}, {"kty": "unknown", "kid": "u"}, {"kty": "RSA", "kid": "broken"}]
    with liar.lying(keys=strange + [liar.key.jwk]):
        client, answer = sign_in(anew, liar)
        assert answer.status_code == 302 and who_is(client)


def test_a_token_without_a_key_id_is_believed_when_one_key_fits(anew, liar):
    with liar.lying(keys=[CURVE.jwk, liar.key.jwk], header={"kid": None}):
        client, answer = sign_in(anew, liar)
        assert answer.status_code == 302 and who_is(client)


def test_keys_are_not_fetched_for_every_unknown_one(anew, liar):
    """Else anybody could have the provider asked as often as he likes."""
    sign_in(anew, liar)
    before = liar.count(KEYS)
    with liar.lying(header={"kid": "unknown"}):
        for _ in range(4):
            assert_lie(anew, liar)
    assert liar.count(KEYS) - before <= 1
    anew.notes.restart()


# --- what comes to the browser ---

@pytest.mark.parametrize("members", [{"state": "x"}, {"state": None}, {"state": ""}, {"code": None}, {"code": ""}, {"code": "x" * 3000}], ids=str)
def test_a_callback_that_does_not_fit(site, liar, members):
    client = Client(site.url)
    answer = finish(client, with_query(at_liar(liar, begin(client, "oidc")), **members))
    assert answer.status_code in (400, 414, 431, 502)
    assert_refused(client, answer, answer.status_code)


def test_a_member_twice(site, liar):
    for name in ("state", "code", "iss"):
        client = Client(site.url)
        back = with_query(at_liar(liar, begin(client, "oidc")), iss=liar.url)
        answer = finish(client, f"{back}&{name}={query_of(back)[name]}x")
        assert answer.status_code in (400, 502)
        assert_refused(client, answer, answer.status_code)


def test_the_issuer_of_the_answer(anew, liar):
    """RFC 9207: a foreign one is refused always; none only if one was promised."""
    for issuer in ("http://evil.example", "", liar.url + "/", liar.url.upper()):
        with liar.lying(redirect={"iss": issuer}):
            assert_lie(anew, liar)
    with liar.lying(redirect={"iss": liar.url}):
        assert who_is(sign_in(anew, liar)[0])
    anew.notes.restart()
    with liar.lying(discovery={"authorization_response_iss_parameter_supported": True}):
        assert_lie(anew, liar)
    anew.notes.restart()


@pytest.mark.parametrize("error, status", [("access_denied", 403), ("server_error", 502), ("temporarily_unavailable", 502), ("<script>alert(1)</script>", 502), ("x" * 500, 502)])
def test_an_error_instead_of_a_code(site, liar, error, status):
    words = "<b>call 555-12345 now</b>"
    with liar.lying(redirect={"code": None, "error": error, "error_description": words, "error_uri": "http://evil.example/"}):
        client, answer = sign_in(site, liar)
        assert answer.status_code in (status, 403, 502, 503)
        page = assert_refused(client, answer, answer.status_code)
        for foreign in ("555-12345", "evil.example", "alert(1)", "x" * 100):
            assert foreign not in page.source


# --- what the endpoints say ---

@pytest.mark.parametrize("answer", [{"id_token": None}, {"id_token": ""}, {"id_token": 7}, {"access_token": None}, {"access_token": 7}, {"token_type": "mac"},
                                    {"access_token": "a\r\nX-Injected: 1"}], ids=str)
def test_a_token_answer_that_does_not_fit(site, liar, answer):
    with liar.lying(answer=answer):
        assert_lie(site, liar)
    assert not any("X-Injected" in seen.headers for seen in liar.requests)


@pytest.mark.parametrize("person", [{"sub": "somebody else"}, {"sub": None}, {"sub": ""}, {"sub": 7}], ids=str)
def test_user_info_of_somebody_else(site, liar, person):
    with liar.lying(person=person):
        assert_lie(site, liar)


@pytest.mark.parametrize("person", [{"name": 7}, {"email": ["x"]}, {"email_verified": "true"}, {"given_name": "x" * 100000}, {"picture": "javascript:alert(1)"},
                                    {"preferred_username": "\x01\x02"}, {"name": "<img src=x onerror=alert(1)>"}], ids=lambda person: next(iter(person)))
def test_a_strange_profile_is_no_reason(site, liar, person):
    with liar.lying(person=person):
        client, answer = sign_in(site, liar)
        assert answer.status_code == 302 and who_is(client)
        user = site.api.get(f"/find/{who_is(client)}").json()
        assert not any("javascript" in photo for photo in user["photos"])


BODIES = {
    "not-json": says("hello"), "html": says("<h1>hello</h1>", "text/html"), "empty": says(""), "list": says("[]"), "number": says("7"),
    "null": says("null"), "cut-json": says('{"x":'), "deep": says("[" * 100000), "not-utf8": says(b'{"x":"\xff\xfe"}'), "nul": says(b'{"x":"a\x00"}'),
    "two": says("{}{}"), "no-content": says("", code=204), "refused": says('{"error":"invalid_request"}', code=400), "huge": huge, "redirect": None,
    "created": status(201), "partial": status(206), "not-found": status(404),
}


@pytest.mark.parametrize("how", BODIES)
@pytest.mark.parametrize("route", [TOKEN, USERINFO])
def test_an_answer_that_is_none(site, liar, route, how):
    deed = BODIES[how] or elsewhere(liar.url + "/elsewhere")
    with liar.misdoing(route, deed):
        assert_lie(site, liar)
    assert liar.count("/elsewhere") == 0, "redirects are not followed"


@pytest.mark.parametrize("route", [DISCOVERY, KEYS])
def test_an_offer_that_is_none(anew, liar, route):
    """Nothing of it is kept: the next one is asked for, and the first good one is believed."""
    for how, body in BODIES.items():
        with liar.misdoing(route, body or elsewhere(liar.url + "/elsewhere")):
            client, asked = Client(anew.url), liar.count(route)
            answer = client.get("/users/auth/oidc")
            if answer.status_code == 302:
                answer = finish(client, at_liar(liar, answer.headers["Location"]))
            assert_refused(client, answer, 502)
            assert liar.count(route) == asked + 1, how
    assert liar.count("/elsewhere") == 0

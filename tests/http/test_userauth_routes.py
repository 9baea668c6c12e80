# SPDX-License-Identifier: MIT
"""Every route of userauth-svc: who may, which method, which body, and in which order that is checked."""
import json

import pytest

from harness.api import Api
from harness.errors import assert_error
from harness.programs import new_password
from harness.raw import basic, exchange

KEYED = [
    ("POST", "/create-user"),
    ("POST", "/update-user/someone"),
    ("POST", "/find-or-create"),
    ("GET", "/find/someone"),
    ("DELETE", "/destroy/someone"),
    ("POST", "/password-check"),
    ("POST", "/change-password"),
    ("GET", "/list"),
    ("POST", "/disable/someone"),
    ("POST", "/enable/someone"),
    ("POST", "/revoke/someone"),
    ("GET", "/identities/someone"),
    ("POST", "/link-identity/someone"),
    ("POST", "/unlink-identity/someone"),
]
WITHOUT_BODY = ("/disable/", "/enable/", "/revoke/")
WITH_BODY = [path for method, path in KEYED if method == "POST" and not path.startswith(WITHOUT_BODY)]
OPEN = [("GET", "/healthz"), ("GET", "/readyz")]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
JSON = {"Content-Type": "application/json"}


def json_body(route):
    """A body that is fine as JSON for this route."""
    return json.dumps({"username": "someone", "password": "something", "plainPassword": "something else"})


# --- keys ---

@pytest.mark.parametrize("method,path", KEYED)
def test_route_refuses_a_request_without_key(userauth, method, path):
    answer = Api(userauth.url).request(method, path)
    assert_error(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="userauth", charset="UTF-8"'


def wrong_credentials(key):
    return {
        "wrong key": basic("them", new_password("wrongkey")),
        "wrong name": basic("me", key),
        "name in other case": basic("THEM", key),
        "key cut": basic("them", key[:-1]),
        "key longer": basic("them", key + "A"),
        "empty key": basic("them", ""),
        "empty name": basic("", key),
        "key with line end": basic("them", key + "\n"),
        "no colon": "Basic dGhlbQ==",
        "not base64": "Basic ***",
        "nothing": "Basic ",
        "scheme only": "Basic",
        "other scheme": f"Bearer {key}",
        "NUL after key": basic("them", key + "\0"),
        "long": basic("them", "x" * 8000),
    }


@pytest.mark.parametrize("kind", sorted(wrong_credentials("k")))
def test_wrong_credentials_are_refused(userauth, kind):
    header = wrong_credentials(userauth.key)[kind]
    answer = exchange(userauth.port, "GET", "/list", [("Authorization", header)])
    assert_error(answer, 401)
    assert answer.header("www-authenticate") == 'Basic realm="userauth", charset="UTF-8"'


def test_scheme_of_the_key_is_read_in_any_case(userauth):
    header = basic("them", userauth.key).replace("Basic", "bASIC")
    assert exchange(userauth.port, "GET", "/list", [("Authorization", header)]).status == 200


@pytest.mark.parametrize("method,path", OPEN)
def test_health_needs_no_key(userauth, method, path):
    assert Api(userauth.url).request(method, path).status_code == 200


def test_health_bodies(userauth):
    api = Api(userauth.url)
    assert api.get("/healthz").json() == {"status": "ok"}
    ready = api.get("/readyz").json()
    assert ready["status"] == "ready"
    assert ready["dependencies"] == {"database": "ok"}


# --- methods and paths ---

@pytest.mark.parametrize("right,path", KEYED + OPEN)
def test_wrong_method_is_405_with_allow_before_the_key_is_asked(userauth, right, path):
    allowed = {"GET", "HEAD"} if right == "GET" else {right}
    for method in METHODS:
        if method in allowed:
            continue
        answer = Api(userauth.url).request(method, path, data=b"{}" if method in ("POST", "PUT", "PATCH") else None)
        assert answer.status_code == 405, (method, answer.status_code)
        assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed
        if method != "HEAD":
            assert_error(answer, 405)


@pytest.mark.parametrize("method", ["BREW", "TRACE", "PROPFIND"])
def test_unheard_of_method_is_405(userauth, method):
    answer = exchange(userauth.port, method, "/list")
    assert answer.status in (405, 501) and answer.header("allow") is not None


@pytest.mark.parametrize("path", [
    "/", "/nothing", "/find", "/find/a/b", "/create-user/", "/list/", "/LIST", "//list", "/update-user", "/destroy",
    "/password-check/me", "/healthz/", "/find/..%2flist/x", "/.%2e/list", "/index.html", "/?/list",
])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_path_is_404_before_the_key_is_asked(userauth, path, method):
    answer = exchange(userauth.port, method, path, body=b"{}" if method == "POST" else None)
    assert_error(answer, 404)


@pytest.mark.parametrize("path", ["/find/", "/destroy/", "/update-user/", "/disable/", "/enable/", "/revoke/", "/identities/",
                                  "/link-identity/", "/unlink-identity/"])
def test_path_without_its_name_is_404(api, path):
    method = {"/find/": "GET", "/identities/": "GET", "/destroy/": "DELETE"}.get(path, "POST")
    assert api.request(method, path, json={} if method == "POST" else None).status_code == 404


def test_404_and_405_come_before_a_body_is_judged(userauth):
    big = b"x" * 100_000
    assert_error(exchange(userauth.port, "POST", "/nothing", [("Content-Type", "text/plain")], big), 404)
    assert_error(exchange(userauth.port, "PUT", "/list", [("Content-Type", "text/plain")], big), 405)


@pytest.mark.parametrize("path", WITH_BODY)
def test_key_is_asked_before_a_body_is_judged(userauth, path):
    for kind, body in (("application/json", b"{"), ("text/plain", b"{}"), ("application/json", b" " * 70_000)):
        assert_error(exchange(userauth.port, "POST", path, [("Content-Type", kind)], body), 401)


@pytest.mark.parametrize("path", ["/find/headed", "/list", "/healthz", "/readyz", "/find/nobody-of-this-name"])
def test_head_gives_what_get_gives_without_the_body(api, path):
    if path == "/find/headed":
        api.post("/find-or-create", json={"username": "headed", "provider": "x"})
    got, head = api.get(path), api.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Link"):
        assert head.headers.get(name) == got.headers.get(name), name


# --- bodies ---

@pytest.mark.parametrize("path", WITH_BODY)
@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx",
    "application/json; charset=latin1", "application/json; charset=utf-16", "text/json", "application", ",", "",
])
def test_other_content_type_is_415(api, path, kind):
    assert_error(api.post(path, data=json_body(path), headers={"Content-Type": kind}), 415)


@pytest.mark.parametrize("path", WITH_BODY)
def test_body_without_content_type_is_415(userauth, path):
    auth = [("Authorization", basic("them", userauth.key))]
    assert_error(exchange(userauth.port, "POST", path, auth, json_body(path).encode()), 415)


@pytest.mark.parametrize("kind", [
    "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
    'application/json; charset="utf-8"', "application/json ; charset=utf-8",
])
def test_json_content_types_are_taken(api, kind):
    answer = api.post("/password-check", data='{"username":"x","password":"y"}', headers={"Content-Type": kind})
    assert answer.status_code in (200, 429)
    assert answer.json()["check"] is False


@pytest.mark.parametrize("path", WITH_BODY)
@pytest.mark.parametrize("headers", [{}, JSON, {"Content-Type": "text/plain"}])
def test_missing_body_is_400_whatever_the_content_type(api, path, headers):
    if path.startswith("/update-user"):
        api.post("/find-or-create", json={"username": "someone", "provider": "x"})
    assert_error(api.post(path, headers=headers), 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "nonsense"])
def test_content_type_without_a_body_is_ignored(api, kind):
    api.post("/find-or-create", json={"username": "typed", "provider": "x"})
    assert api.get("/list", headers={"Content-Type": kind}).status_code == 200
    assert api.get("/find/typed", headers={"Content-Type": kind}).status_code == 200
    assert api.delete("/destroy/typed", headers={"Content-Type": kind}).status_code == 200


BAD_JSON = {
    "empty object cut": b"{",
    "cut in a member": b'{"username":"a","pass',
    "cut in a text": b'{"username":"a',
    "trailing comma": b'{"username":"a",}',
    "single quotes": b"{'username':'a'}",
    "bare word": b"{username:1}",
    "trailing garbage": b'{"username":"a"} x',
    "two documents": b"{}{}",
    "comment": b'{/* x */"username":"a"}',
    "not a number": b'{"username":NaN}',
    "array": b"[]",
    "text": b'"username"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "only spaces": b"  \r\n ",
    "byte order mark": b'\xef\xbb\xbf{"username":"a"}',
    "utf-16": '{"username":"a"}'.encode("utf-16"),
    "duplicate member": b'{"username":"a","username":"b","provider":"x"}',
    "duplicate unknown member": b'{"username":"a","provider":"x","z":1,"z":1}',
    "duplicate inside": b'{"username":"a","provider":"x","emails":[{"v":1,"v":2}]}',
    "escaped NUL": b'{"username":"a\\u0000b","provider":"x"}',
    "escaped NUL in unknown member": b'{"username":"a","provider":"x","z":"\\u0000"}',
    "escaped NUL in a name": b'{"username":"a","provider":"x","z\\u0000":1}',
    "raw NUL": b'{"username":"a\x00b","provider":"x"}',
    "NUL after": b'{"username":"a","provider":"x"}\x00',
    "raw line end in a text": b'{"username":"a\nb","provider":"x"}',
    "lone high surrogate": b'{"username":"\\ud83d","provider":"x"}',
    "lone low surrogate": b'{"username":"\\ude00","provider":"x"}',
    "bad escape": b'{"username":"\\x41","provider":"x"}',
    "invalid byte": b'{"username":"\xff","provider":"x"}',
    "cut sequence": b'{"username":"\xe2\x82","provider":"x"}',
    "overlong slash": b'{"username":"\xc0\xaf","provider":"x"}',
    "overlong NUL": b'{"username":"\xc0\x80","provider":"x"}',
    "encoded surrogate": b'{"username":"\xed\xa0\x80","provider":"x"}',
    "beyond unicode": b'{"username":"\xf4\x90\x80\x80","provider":"x"}',
    "latin-1": '{"username":"café","provider":"x"}'.encode("latin-1"),
    "deep arrays": b"[" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep in an unknown member": b'{"username":"a","provider":"x","z":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
}


@pytest.mark.parametrize("path", WITH_BODY)
@pytest.mark.parametrize("kind", sorted(BAD_JSON))
def test_malformed_json_is_400(api, path, kind):
    if path.startswith("/update-user"):
        api.post("/find-or-create", json={"username": "someone", "provider": "x"})
    assert_error(api.post(path, data=BAD_JSON[kind], headers=JSON), 400)


@pytest.mark.parametrize("path", WITH_BODY)
def test_a_text_with_a_nul_is_named(api, path):
    if path.startswith("/update-user"):
        api.post("/find-or-create", json={"username": "someone", "provider": "x"})
    document = {"username": "someone", "provider": "x", "password": "x", "givenName": "a\0b"}
    assert_error(api.post(path, json=document), 400, field="givenName")


def padded(document, size):
    body = json.dumps(document).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize("path", WITH_BODY)
def test_body_over_64_kib_is_413(api, path):
    document = {"username": "someone", "provider": "x", "password": "something"}
    if path == "/change-password":
        document["plainPassword"] = new_password("a new one")
    if path.startswith("/update-user"):
        api.post("/find-or-create", json={"username": "someone", "provider": "x"})
        document = {}
    if "link-identity" in path:
        api.post("/find-or-create", json={"username": "someone", "provider": "x"})
        document = {"issuer": "twitter", "subject": "1", "provider": "twitter"}
        api.post("/link-identity/someone", json=document)
    answer = api.post(path, data=padded(document, 64 * 1024), headers=JSON)
    assert answer.status_code in (200, 409, 429), answer.text
    assert_error(api.post(path, data=padded(document, 64 * 1024 + 1), headers=JSON), 413)


@pytest.mark.parametrize("size", [100_000, 1_000_000, 7_900_000])
def test_too_large_body_is_read_so_that_the_413_arrives(api, size):
    assert_error(api.post("/create-user", data=b" " * size, headers=JSON), 413)
    assert api.get("/healthz").status_code == 200


def test_too_large_chunked_body_is_413(api):
    assert_error(api.post("/create-user", data=(b" " * 8192 for _ in range(100)), headers=JSON), 413)


def test_chunked_body_is_taken(api):
    parts = [b'{"username":"chun', b'ked","prov', b'ider":"x"}']
    answer = api.post("/create-user", data=iter(parts), headers=JSON)
    assert answer.status_code == 200 and answer.json()["username"] == "chunked"


# --- request ids ---

@pytest.mark.parametrize("given", ["a", "A-1._z", "x" * 64])
def test_well_formed_request_id_is_kept(api, given):
    assert api.get("/list", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    answer = Api(api.url).get("/list", headers={"X-Request-Id": given})
    assert assert_error(answer, 401)["requestId"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<b>", "a\tb", 'a"b', "a,b", "a/b", "é".encode().decode("latin-1")])
def test_other_request_id_is_replaced(userauth, given):
    answer = exchange(userauth.port, "GET", "/healthz", [("X-Request-Id", given.encode("latin-1"))])
    made = answer.header("x-request-id")
    assert made and made != given and 1 <= len(made) <= 64


def test_request_ids_differ(api):
    assert len({api.get("/healthz").headers["X-Request-Id"] for _ in range(20)}) == 20


def test_every_kind_of_answer_has_a_request_id(api):
    for path in ("/healthz", "/readyz", "/list", "/find/nobody-here", "/nothing"):
        assert api.get(path).headers["X-Request-Id"], path

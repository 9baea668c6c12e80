# SPDX-License-Identifier: MIT
"""What every error answer in JSON must look like, and what must be in none."""
import re

CODES = {400: "InvalidArgument", 401: "InvalidCredentials", 403: "NotAuthorized", 404: "ResourceNotFound",
         405: "MethodNotAllowed", 409: "Conflict", 412: "PreconditionFailed", 413: "PayloadTooLarge", 415: "UnsupportedMediaType", 429: "TooManyRequests",
         500: "InternalError", 503: "ServiceUnavailable"}

INSIDE_KNOWLEDGE = re.compile(r"sqlite|\bselect\b.*\bfrom\b|insert into|\bconstraint\b|\.c:\d|\$argon2|\$2[aby]\$", re.I)


def assert_error(answer, status, field=None, code=None):
    """Checks status, JSON shape, code, request id and content type; with `field` also that it is named;
    `code` where it says more than that of the status.
    Works for requests' answers and for raw ones. Returns the JSON."""
    got = answer.status if hasattr(answer, "status") else answer.status_code
    text = answer.body.decode() if hasattr(answer, "body") else answer.text
    assert got == status, f"{got}, wanted {status}: {text}"
    headers = dict(answer.headers)
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["content-type"].split(";")[0] == "application/json", headers
    body = answer.json()
    assert body["code"] == (code or CODES[status]), body
    assert isinstance(body["message"], str) and body["message"], body
    assert body["requestId"] == headers["x-request-id"], (body, headers)
    assert set(body) <= {"code", "message", "requestId", "field", "check", "username"}, body
    assert not INSIDE_KNOWLEDGE.search(body["message"]), body
    if field is not None:
        assert body.get("field") == field, body
        assert field in body["message"], body
    return body

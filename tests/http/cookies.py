# SPDX-License-Identifier: MIT
"""Set-Cookie headers of an answer, one by one (requests folds them)."""


def set_cookies(answer):
    """Name to (value, set of lower-cased attributes) of each cookie that the answer sets or removes."""
    found = {}
    for header in answer.raw.headers.getlist("Set-Cookie"):
        pair, *attributes = [part.strip() for part in header.split(";")]
        name, _, value = pair.partition("=")
        assert name not in found, f"{name} is set twice in one answer"
        found[name] = (value, {part.lower() for part in attributes})
    return found


def is_removed(attributes):
    """Whether these attributes make a browser forget the cookie."""
    return "max-age=0" in attributes

# SPDX-License-Identifier: MIT
"""GET /list: order, pages, links, limits."""
import concurrent.futures
import re
import urllib.parse

import pytest

from harness.errors import assert_error
from harness.raw import basic, exchange

NAMES = ["Zoe", "anna", "Bob", "bob2", "ANTON", "carl-", "Émile", "émile", "b b", "a&b=c", "日本", "😀", "_x", "9"]
MANY = [f"many{number:04d}" for number in range(1_020)]


def folded(name):
    """Order of the list: ASCII letters as lower case, then byte by byte."""
    return "".join(c.lower() if c.isascii() else c for c in name).encode()


@pytest.fixture(scope="module")
def few(userauth):
    with userauth.api() as api:
        for name in NAMES:
            assert api.post("/create-user", json={"username": name, "provider": "x"}).status_code == 200
    return sorted(NAMES, key=folded)


@pytest.fixture(scope="module")
def many(userauth, few):
    def create(part):
        with userauth.api() as api:
            for name in part:
                assert api.post("/create-user", json={"username": name, "provider": "x"}).status_code == 200

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(create, [MANY[start::4] for start in range(4)]))
    return sorted(NAMES + MANY, key=folded)


def next_path(answer):
    """Path of the next page, or None."""
    link = answer.headers.get("Link")
    if link is None:
        return None
    match = re.fullmatch(r'<(/list\?[^>]*)>; rel="next"', link)
    assert match, link
    return match[1]


def names(answer):
    assert answer.status_code == 200, answer.text
    return [user["username"] for user in answer.json()]


def all_pages(api, path):
    seen, pages = [], 0
    while path is not None:
        answer = api.get(path)
        seen += names(answer)
        path = next_path(answer)
        pages += 1
        assert pages < 3_000
    return seen, pages


def test_new_service_has_an_empty_list(services):
    service = services.userauth().start()
    answer = service.api().get("/list")
    assert answer.json() == [] and "Link" not in answer.headers


def test_list_is_ordered_by_name_whatever_the_case(api, few):
    assert [name for name in all_pages(api, "/list")[0] if name in NAMES] == few


def test_entries_are_whole_users_without_secrets(api, few):
    for user in api.get("/list").json():
        assert set(user) == {"id", "username", "provider", "familyName", "givenName", "middleName", "emails", "photos"}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 13, 14, 15])
def test_pages_by_link_give_everyone_once(api, few, limit):
    seen, pages = all_pages(api, f"/list?limit={limit}")
    assert [name for name in seen if name not in MANY] == few
    assert len(seen) == len(set(seen))
    assert pages == -(-len(seen) // limit)


def test_after_is_exclusive_and_ignores_case(api, few):
    assert names(api.get("/list?after=ANNA&limit=2")) == names(api.get("/list?after=anna&limit=2"))
    assert "anna" not in names(api.get("/list?after=anna"))
    assert names(api.get("/list?after=anna&limit=1")) == [few[few.index("anna") + 1]]


def test_after_need_not_exist(api, few):
    assert names(api.get("/list?after=anna0&limit=1")) == [few[few.index("anna") + 1]]
    assert names(api.get("/list?after=" + urllib.parse.quote("\U0010ffff"))) == []


@pytest.mark.parametrize("name", ["a&b=c", "b b", "Émile", "日本"])
def test_after_is_percent_decoded(api, few, name):
    everyone = all_pages(api, "/list")[0]
    wanted = everyone[everyone.index(name) + 1]
    assert names(api.get("/list?limit=1&after=" + urllib.parse.quote(name, safe=""))) == [wanted]


@pytest.mark.parametrize("limit", ["0", "-1", "+5", "abc", "", "1.5", "1e2", "0x10", "99999999999999999999", " 5", "5 ", "5;"])
def test_bad_limit_is_400(api, few, limit):
    assert_error(api.get("/list?limit=" + limit), 400, field="limit")


@pytest.mark.parametrize("query", [
    "limit=5&limit=6", "after=a&after=b", "after=%ff", "after=%zz", "after=%C0%80", "after=a%00b", "limit=%ff", "limit=%00",
])
def test_doubled_or_broken_parameter_is_400(userauth, few, query):
    answer = exchange(userauth.port, "GET", "/list?" + query, [("Authorization", basic("them", userauth.key))])
    assert_error(answer, 400)


def test_unknown_parameter_is_ignored(api, few):
    assert names(api.get("/list?x=1&limit=3")) == names(api.get("/list?limit=3"))


def test_sql_in_after_is_only_text(api, few):
    everyone = names(api.get("/list"))
    answer = api.get("/list?after=" + urllib.parse.quote("' OR '1'='1"))
    assert names(answer) == [name for name in everyone if folded(name) > folded("' or '1'='1")]


def test_at_most_1000_come_at_once_and_a_link_leads_on(api, many):
    first = api.get("/list")
    assert names(first) == many[:1000]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(next_path(first)).query)
    assert query == {"after": [many[999]], "limit": ["1000"]}
    second = api.get(next_path(first))
    assert names(second) == many[1000:]
    assert next_path(second) is None
    assert names(api.get("/list?limit=1000")) == many[:1000]


@pytest.mark.parametrize("limit", [1001, 100_000, 2**63 - 1])
def test_who_asks_for_more_gets_1000_and_the_link(api, many, limit):
    first = api.get(f"/list?limit={limit}")
    assert names(first) == many[:1000]
    assert names(api.get(next_path(first))) == many[1000:]


def test_page_that_ends_exactly_at_the_end_has_no_link(api, many):
    answer = api.get(f"/list?limit=20&after={many[-21]}")
    assert names(answer) == many[-20:]
    assert next_path(answer) is None

# SPDX-License-Identifier: MIT
"""What somebody outside sends to the edge, and what somebody inside could do with the services' passwords."""
import pytest

from harness import raw
from harness.wait import until

LOGIN = b"POST /users/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def answer(site, request):
    with raw.Connection(site.port) as connection:
        connection.send(request)
        return connection.answer()


@pytest.mark.parametrize("length", [16777217, 2**32 + 5, 2**63 - 1])
def test_a_length_beyond_all_measure_is_refused_by_the_edge_itself(deployment, length):
    refused = answer(deployment, LOGIN + b"Content-Length: %d\r\n\r\n" % length)
    assert refused.status == 413
    assert refused.header("X-Request-Id") is None, "an answer of the service"


def test_a_request_that_names_no_host_gets_a_page_that_says_so(deployment):
    refused = answer(deployment, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert refused.status == 400 and b"page-header" in refused.body and b"That request was not understood" in refused.body, refused
    assert answer(deployment, b"GET / HTTP/1.0\r\n\r\n").status == 200, "HTTP/1.0 needs no name"


@pytest.mark.parametrize("path", [b"/users/sessions?username=me", b"/users/sessions/x?username=me", b"/users/%73essions",
                                  b"/users/sessions"])
@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
def test_what_the_service_key_opens_is_not_there_from_outside(deployment, method, path):
    refused = answer(deployment, method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert refused.status == 404
    assert refused.header("X-Request-Id") is None, "an answer of the service"


@pytest.mark.parametrize("fields", [b"X-Request-Id: twice-1\r\nX-Request-Id: twice-\"2\r\n", b"X-Request-Id: twice-1,twice-<2>\r\n"])
def test_a_request_has_one_id_in_the_logs_of_edge_and_service(deployment, fields):
    got = answer(deployment, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n").header("X-Request-Id")
    until(lambda: f'"{got}"' in deployment.one("edge").logs(), "the edge's line")
    assert "twice-" not in deployment.one("edge").logs()


@pytest.mark.parametrize("command", ["SCAN 0", "FUNCTION LIST", "SCRIPT FLUSH", "CONFIG GET dir", "REPLICAOF NO ONE", "KEYS *", "DBSIZE",
                                     "FLUSHALL", "GET other"])
def test_the_password_of_redis_is_good_for_what_the_pages_need_only(deployment, command):
    ask = "set -f && REDISCLI_AUTH=$(cat /run/secrets/redis_password) && export REDISCLI_AUTH && redis-cli $0"
    told = deployment.one("redis").exec("sh", "-c", ask, command)
    assert told.startswith("NOPERM "), told

# SPDX-License-Identifier: MIT
"""What is ended on the account's page at one process is ended at all: sessions, their kept copies, their sockets. With
Redis at once, without it when the other process looks."""
import pytest

from harness.live import Raw
from harness.programs import new_password
from harness.replicas import Replicas
from harness.wait import until

ACCOUNT = "/users/account"
CHECK_S = 2


@pytest.fixture(scope="module", params=[True, False], ids=["redis", "database"])
def site(request, tmp_path_factory):
    with Replicas(tmp_path_factory.mktemp("account"), has_redis=request.param, USER_CHECK_S=CHECK_S) as replicas:
        yield replicas


@pytest.fixture
def user(site, request):
    name = "r" + str(abs(hash(request.node.nodeid)))[:12]
    site.passwords[name] = new_password(name)
    with site.userauth.api() as api:
        api.create(name, site.passwords[name])
    return name


def is_stranger(site, client, place):
    page = site.client(client, place).html("/")
    return page.by_id("signed-in-user") is None


def assert_ended(site, client):
    for place in (0, 1):
        answer = site.client(client, place).get("/notes/add")
        assert answer.status_code == 302 and answer.headers["Location"] == "/users/login", place
        until(lambda place=place: is_stranger(site, client, place), "its page is a stranger's")


def end_others(site, me, user):
    assert me.post(f"{ACCOUNT}/sessions/end-others").headers["Location"] == ACCOUNT


def end_one(site, me, user):
    page = me.html(ACCOUNT)
    handle, = [node["value"] for node in page.all("input", name="id")]
    assert me.post(f"{ACCOUNT}/sessions/end", {"id": handle}).headers["Location"] == ACCOUNT


def change_password(site, me, user):
    new = new_password()
    typed = {"password": site.passwords[user], "new-password": new, "new-password-again": new}
    assert me.post(f"{ACCOUNT}/password", typed).headers["Location"] == ACCOUNT


@pytest.mark.parametrize("end", [end_one, end_others, change_password])
def test_what_is_ended_at_one_process_is_ended_at_the_other(site, user, end):
    me, there, you = site.sign_in(user, 0), site.sign_in(user, 1), site.sign_in("you", 1)
    assert not is_stranger(site, there, 1), "it is kept there for a moment"
    with Raw(site.urls[1], cookie=there.session_cookie) as raw, Raw(site.urls[1], cookie=you.session_cookie) as kept:
        raw.join()
        kept.join()
        end(site, me, user)
        assert raw.is_ended()
        kept.settle()
    assert_ended(site, there)
    for place in (0, 1):
        assert site.client(me, place).get("/notes/add").status_code == 200, "who ended the others goes on, everywhere"


def test_a_disabled_user_is_out_everywhere(site, user):
    clients = [site.sign_in(user, place) for place in (0, 1)]
    with Raw(site.urls[0], cookie=clients[0].session_cookie) as one, Raw(site.urls[1], cookie=clients[1].session_cookie) as other:
        one.join()
        other.join()
        with site.userauth.api() as api:
            assert api.post(f"/disable/{user}").status_code == 200
        assert one.is_ended() and other.is_ended()
    for client in clients:
        until(lambda client=client: site.client(client, 0).get("/notes/add").status_code == 302, "the session has ended")
        assert_ended(site, client)

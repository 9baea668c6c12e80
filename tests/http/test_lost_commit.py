# SPDX-License-Identifier: MIT
"""The connection to the database goes in the moment of a COMMIT: what became of it is found out, and nothing happens twice."""
import concurrent.futures
import contextlib

import pytest

from harness import mariadb
from harness.client import Client
from harness.cutting_proxy import CuttingProxy
from harness.errors import assert_error
from harness.site import Site
from harness.wait import until
from notes_verbs import comment, create_note, destroy_note, edit_note, leads_to_view, shown_comments, view_path

pytestmark = pytest.mark.server_only


@pytest.fixture(scope="module")
def proxy():
    """Between the services of this module and the run's server."""
    server = mariadb.shared()
    relay = CuttingProxy(server.port)
    own_port, server.port = server.port, relay.port
    yield relay
    server.port = own_port
    relay.close()


@pytest.fixture(scope="module")
def site(proxy, tmp_path_factory):
    both = Site(tmp_path_factory.mktemp("site"), {"WRITES_PER_MIN": 0})
    both.start()
    yield both
    both.stop()


@pytest.fixture
def client(site):
    one = Client(site.url)
    assert one.login("me", site.passwords["me"]).status_code == 302
    one.csrf()
    return one


@pytest.fixture(params=["before", "after"])
def cut(request, proxy):
    """Arms the proxy; afterwards it must have cut."""
    count = proxy.cuts

    def arm():
        proxy.arm(request.param)

    yield arm
    assert proxy.cuts == count + 1, "no COMMIT came by"


def test_a_new_note_is_saved_once(site, client, cut, request):
    key = "made " + request.node.name
    cut()
    create_note(client, key, title="Once")
    page = client.html(view_path(key))
    assert "Once" in page.text("notetitle")
    assert client.html("/").text("notetitles").count("Once") >= 1


def test_an_edit_is_saved_once_and_the_next_one_is_no_conflict(site, client, cut, request):
    key = "edited " + request.node.name
    create_note(client, key)
    cut()
    assert leads_to_view(edit_note(client, key, body="second"), key)
    assert leads_to_view(edit_note(client, key, body="third"), key)
    assert "third" in client.html(view_path(key)).text("notebody")


def test_a_comment_is_there_once(site, client, cut, request):
    key = "commented " + request.node.name
    create_note(client, key)
    cut()
    comment(client, key, "only once")
    page = client.html(view_path(key))
    assert len(shown_comments(page)) == 1 and "only once" in page.text("noteMessages")


def test_an_outcome_that_cannot_be_found_out_is_not_tried_again(site, proxy, client):
    """The comment is made; its answer is lost, and so is each question after it until nobody asks any more."""
    create_note(client, "open outcome")
    proxy.refused = b"SELECT 1 FROM comments WHERE id"
    proxy.arm("after")
    try:
        answer = client.post("/notes/comment", {"key": "open outcome", "message": "only once"}, headers={"Accept": "application/json"})
    finally:
        proxy.refused = None
    assert_error(answer, 503)
    assert "Look whether it is there" in answer.json()["message"]
    rows = mariadb.shared().root(f"SELECT COUNT(*) FROM {site.notes.database.name}.comments WHERE message = 'only once'"
                                 f" AND note_id = (SELECT id FROM {site.notes.database.name}.notes WHERE note_key = 'open outcome')")
    assert rows[0][0] == 1


def test_a_commit_that_stands_still_holds_up_its_own_group_only(site, proxy, client):
    """Whoever comes after it is served, long before its deadline."""
    keys = [f"own-{number}" for number in range(12)]
    for key in keys:
        create_note(client, key)
    clients = [one_more(client, site) for _ in keys[1:]]
    count = proxy.cuts
    with concurrent.futures.ThreadPoolExecutor(len(keys)) as pool:
        proxy.arm("freeze")
        frozen = pool.submit(client.post, "/notes/comment", {"key": keys[0], "message": "stands still"})
        until(lambda: proxy.cuts == count + 1, "the COMMIT to stand still")
        others = [pool.submit(one.post, "/notes/comment", {"key": key, "message": "goes on"}) for one, key in zip(clients, keys[1:])]
        assert {other.result().status_code for other in others} == {302}
        assert not frozen.done()
        assert frozen.result().status_code in (302, 503)  # it is there, or nobody knows
    assert "stands still" in client.html(view_path(keys[0])).text("noteMessages")


def one_more(client, site):
    """Another connection of the same session."""
    another = Client(site.url)
    another.http.cookies.update(client.http.cookies)
    another.csrf()
    return another


def test_a_comment_is_deleted(site, client, cut, request):
    key = "uncommented " + request.node.name
    create_note(client, key)
    made = comment(client, key, "goes")
    cut()
    answer = client.post("/notes/comment/destroy", {"key": key, "id": made["id"]})
    assert answer.status_code == 302
    assert shown_comments(client.html(view_path(key))) == {}


def test_a_note_is_destroyed(site, client, cut, request):
    key = "destroyed " + request.node.name
    create_note(client, key)
    cut()
    destroy_note(client, key)
    assert client.get(view_path(key)).status_code == 404


def test_a_user_is_made_once(site, cut, request):
    name = "user-" + request.node.callspec.id
    cut()
    answer = site.api.post("/create-user", json={"username": name, "provider": "local", "plainPassword": "an old password here",
                                                   "familyName": "One"})
    assert answer.status_code == 200, answer.text
    assert site.api.get("/find/" + name).json()["familyName"] == "One"


def test_a_user_is_changed_once(site, cut, request):
    name = "changed-" + request.node.callspec.id
    assert site.api.post("/create-user", json={"username": name, "provider": "local", "plainPassword": "an old password here"}).status_code == 200
    cut()
    assert site.api.post("/update-user/" + name, json={"givenName": "Two", "plainPassword": "a long new password"}).status_code == 200
    check = site.api.post("/password-check", json={"username": name, "password": "a long new password"})
    assert check.json()["check"] is True


def test_a_user_is_destroyed_once(site, cut, request):
    name = "gone-" + request.node.callspec.id
    assert site.api.post("/create-user", json={"username": name, "provider": "local", "plainPassword": "an old password here"}).status_code == 200
    cut()
    assert site.api.delete("/destroy/" + name).status_code == 200
    assert_error(site.api.delete("/destroy/" + name), 404)


def test_an_own_password_is_changed_once(site, cut, request):
    name = "own-" + request.node.callspec.id
    old, new = "an old password here", "a long new password"
    assert site.api.create(name, old)["username"] == name
    assert site.api.check(name, old, "c").json()["check"] is True  # so that the change is the only thing to commit
    cut()
    answer = site.api.post("/change-password", json={"username": name, "password": old, "plainPassword": new, "client": "c"})
    assert answer.status_code == 200 and answer.json()["changed"] is True, answer.text
    assert answer.headers["ETag"] == site.api.get("/find/" + name).headers["ETag"]
    assert site.api.check(name, new, "c").json()["check"] is True


@pytest.mark.parametrize("path, is_disabled", [("/disable/", True), ("/enable/", None), ("/revoke/", True)])
def test_who_may_sign_in_is_changed_once(site, cut, request, path, is_disabled):
    name = request.node.callspec.id.replace("/", "_")
    site.api.post("/create-user", json={"username": name, "provider": "twitter"})
    site.api.post("/disable/" + name)
    if path == "/disable/":
        site.api.post("/enable/" + name)
    before = site.api.get("/find/" + name)
    cut()
    assert site.api.post(path + name).status_code == 200
    after = site.api.get("/find/" + name)
    assert after.json().get("disabled") is is_disabled and after.headers["ETag"] != before.headers["ETag"]


def by_identity(site, name, subject):
    """POST /find-or-create of somebody who comes by an identity; the response."""
    return site.api.post("/find-or-create", json={"username": name, "provider": "oidc", "issuer": "https://id.example.com", "subject": subject})


def test_a_user_who_comes_by_an_identity_is_made_once(site, cut, request):
    name = "came-" + request.node.callspec.id
    cut()
    answer = by_identity(site, name, name)
    assert answer.status_code == 200, answer.text
    assert answer.json()["username"] == name and answer.headers["ETag"] == site.api.get("/find/" + name).headers["ETag"]
    assert by_identity(site, name, name).json() == answer.json()
    assert site.api.get("/find/" + name + "-2").status_code == 404


@pytest.mark.parametrize("is_linked", [False, True], ids=["link", "unlink"])
def test_an_identity_is_linked_and_unlinked_once(site, cut, request, is_linked):
    name = "tied-" + request.node.callspec.id
    identity = {"provider": "oidc", "issuer": "https://id.example.com", "subject": name}
    site.api.create(name, "an old password here")
    if is_linked:
        assert site.api.post("/link-identity/" + name, json=identity).status_code == 200
    cut()
    answer = site.api.post(("/unlink-identity/" if is_linked else "/link-identity/") + name, json=identity)
    assert answer.status_code == 200, answer.text
    assert answer.json() == site.api.get("/identities/" + name).json()
    assert len(answer.json()["identities"]) == (not is_linked)


def test_a_server_that_stays_away_leaves_it_open_and_says_so(tmp_path):
    """Nobody can know: the page says that one should look before sending again."""
    server = mariadb.own(is_durable=True)
    relay = CuttingProxy(server.port)
    server.port = relay.port
    both = Site(tmp_path, {"REQUEST_DEADLINE_MS": 8000, "WRITERS": 1})
    with contextlib.ExitStack() as undo:
        undo.callback(server.close)
        undo.enter_context(mariadb.instead(server))
        undo.callback(both.kill)
        both.start()
        client = Client(both.url)
        assert client.login("me", both.passwords["me"]).status_code == 302
        create_note(client, "before")  # the one writer has its connection
        relay.arm("after")
        relay.close()  # which is the last one
        answer = client.post("/notes/save", {"docreate": "create", "notekey": "k", "title": "T", "body": "precious words"})
        assert answer.status_code == 503
        assert "before you send it again" in answer.text and "precious words" in answer.text
        name = server.database_of((both.notes.state_dir, both.notes.name))
        found = until(lambda: server.root(f"SELECT title FROM {name}.notes WHERE note_key = 'k'"), "the note is there after all")
        assert found[0][0] == "T"

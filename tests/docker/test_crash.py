# SPDX-License-Identifier: MIT
"""Containers whose main process is killed, stopped ones, and all of them gone and back: what was answered is there."""
import itertools

import pytest
import requests

from harness.client import Client
from harness.live import Raw
from harness.wait import until
from notes_verbs import comment, create_note, view_path
from load import JSON, Writer
from viewers import read_all_comments

SERVICES = ("db-userauth", "svc-userauth", "db-notes", "redis", "svc-notes", "edge")
KEY = "crashes"
BACK_TIMEOUT_S = 90


@pytest.fixture(scope="module")
def me(deployment):
    """Signed in before the first crash, and from then on by the same session."""
    me = deployment.sign_in("me")
    create_note(me, KEY)
    return me


@pytest.fixture(scope="module")
def answered():
    """Texts of all comments of this module that were answered."""
    return []


def try_to_comment(client, text):
    """Whether it was answered as done."""
    try:
        answer = client.post("/notes/comment", {"key": KEY, "message": text}, headers=JSON, timeout=20)
    except requests.RequestException:
        return False
    assert answer.status_code in (200, 502, 503, 504), (answer.status_code, answer.headers.get("Location"))
    return answer.status_code == 200


def comment_again_and_again(client, text):
    """Until one is answered, whose text is returned. Each has its own: what was not answered may be there all the same."""
    texts = (f"{text}, try {number}" for number in itertools.count(1))
    return until(lambda: one if try_to_comment(client, one := next(texts)) else None, f"comments {text}", BACK_TIMEOUT_S)


def can_sign_in(deployment):
    try:
        client = Client(deployment.url)
        answer = client.login("me", deployment.passwords["me"])
        return answer.status_code == 302 and client.is_signed_in
    except requests.RequestException:
        return False


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_main_process_comes_back_and_nothing_else_is_restarted(deployment, me, answered, service):
    before = {one.id: (one.service, one.started_at) for one in deployment.containers()}
    victim = deployment.one(service)
    writer = Writer(deployment, KEY, f"writer of {service}", "you")
    writer.start()
    until(lambda: writer.count >= 5, "comments before the crash")
    victim.kill()
    deployment.wait_healthy(service, timeout_s=BACK_TIMEOUT_S)
    answered.append(comment_again_and_again(me, f"after the crash of {service}"))
    until(lambda: can_sign_in(deployment), "somebody signs in", BACK_TIMEOUT_S)
    reached = writer.count
    until(lambda: writer.count >= reached + 5, "the other session goes on", BACK_TIMEOUT_S)
    writer.is_over.set()
    writer.join(60)
    answered += writer.answered.values()
    assert writer.lost_sessions == 0
    after = {one.id: (one.service, one.started_at) for one in deployment.containers()}
    assert set(after) == set(before)
    assert {after[one][0] for one in after if after[one] != before[one]} == {service}
    texts = read_all_comments(deployment.url, KEY)
    assert [text for text in answered if texts.count(text) != 1] == []
    print(f"{service}: {len(writer.answered)} comments answered, {len(writer.failed)} requests failed meanwhile")


def test_after_down_and_up_everything_is_there(deployment, me, answered):
    comment(me, KEY, "before down")
    before = {one.id for one in deployment.containers()}
    deployment.down()
    assert deployment.containers() == []
    deployment.up()
    assert not before & {one.id for one in deployment.containers()}
    assert me.get("/notes/add").status_code == 200, "the session is gone"
    assert deployment.sign_in("you").is_signed_in
    texts = read_all_comments(deployment.url, KEY)
    assert set(answered) | {"before down"} <= set(texts)


@pytest.mark.parametrize("service", SERVICES)
def test_a_stop_ends_in_time_and_with_exit_code_0(deployment, me, service):
    """In 10 s for our own; the others have their stop_grace_period. The engine kills after it, which would be another exit code.
    There is an open socket, for which the edge goes on for 8 s, and a kept connection."""
    one = deployment.one(service)
    assert me.get(view_path(KEY)).status_code == 200
    with Raw(deployment.url) as live:
        live.join(key=KEY)
        seconds = ["--time", "10"] if service.startswith("svc-") else []
        deployment.engine.docker("stop", *seconds, one.id)
        assert one.exit_code == 0, one.logs()[-2000:]
    deployment.engine.docker("start", one.id)
    deployment.wait_healthy(service)
    until(lambda: try_to_comment(me, f"after the stop of {service}"), "comments", BACK_TIMEOUT_S)
    until(lambda: can_sign_in(deployment), "somebody signs in", BACK_TIMEOUT_S)

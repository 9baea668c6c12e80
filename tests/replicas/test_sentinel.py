# SPDX-License-Identifier: MIT
"""The master of Redis dies and Sentinel names another: who is signed in stays so, events flow again, nobody restarts anything."""
import json

from harness.live import Raw
from harness.redis import Sentinels
from harness.replicas import Replicas
from harness.wait import until
from notes_verbs import comment, create_note

JSON = {"Accept": "application/json"}


def try_comment(client, text):
    """The answer's status; 503 until the new master is found."""
    return client.post("/notes/comment", {"key": "k", "message": text, "csrf": client.token}, headers=JSON).status_code


def hear(reader, text):
    """Reads up to what holds this text: the name of that event."""
    while True:
        _, name, data = reader.event()
        if text in json.dumps(data):
            return name


def test_failover_keeps_sign_ins_and_events(tmp_path):
    with Sentinels(has_password=True) as group, Replicas(tmp_path, has_redis=False, **group.settings()) as site:
        me = site.sign_in("me", 0)
        me.token = me.csrf()
        create_note(me, "k")
        there = site.client(me, 1)
        pids = [one.pid for one in site.notes]
        with Raw(site.notes[1].url) as reader:
            reader.join(key="k")
            assert reader.event()[1] == "snapshot"
            comment(me, "k", "before the failover")
            assert hear(reader, "before the failover") == "newmessage"

            group.kill_master()
            until(lambda: try_comment(me, "after the failover") == 200, "writing again with the old sign-in", 40)
            assert hear(reader, "after the failover") in ("newmessage", "snapshot")
            until(lambda: there.get("/notes/add").status_code == 200, "signed in at the other replica too", 40)

            numbers = iter(range(1000))

            def arrives_as_an_event():
                text = f"number {next(numbers)} of many"
                comment(me, "k", text)
                return hear(reader, text) == "newmessage"

            until(arrives_as_an_event, "the bus is whole again", 60)
        assert [one.pid for one in site.notes] == pids
        assert site.sign_in("you", 1).is_signed_in
        for one in site.notes:  # which looks every 5 s: a failover may be over before
            until(lambda one=one: len(one.log_lines(event="redis.back")) == len(one.log_lines(event="redis.lost")), "no loss is the last word", 30)

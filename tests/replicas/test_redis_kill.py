# SPDX-License-Identifier: MIT
"""SIGKILL of Redis while a thousand comments are written over two replicas: none is lost, none is there twice."""
import queue
import threading

import pytest

from harness.client import Client
from harness.page import Page
from harness.replicas import Replicas
from harness.redis import Redis
from harness.wait import until
from history import PAGE_COMMENTS
from notes_verbs import create_note
from viewers import NoteView, RawViewer, read_all_comments
from writers import JSON

COMMENTS_COUNT = 1000
WRITERS_COUNT = 8
KILLS_AT = (250, 500, 750)  # comments that are answered by then
PATIENCE_S = 120
KEY = "thousand"


@pytest.fixture(params=[True, False], ids=["sessions_kept", "sessions_lost"])
def site(request, tmp_path):
    redis = Redis(has_password=True, append_only=request.param)
    with Replicas(tmp_path, count=2, redis=redis) as replicas:
        replicas.keeps_sessions = request.param
        yield replicas


class Poster(threading.Thread):
    """Posts each text until it is answered; 503 is tried again, and a lost session is a new sign-in."""

    def __init__(self, site, place, texts):
        super().__init__(daemon=True)
        self.site, self.place, self.texts = site, place, texts
        self.client = site.sign_in("me", place)
        self.token = self.client.csrf()
        self.answered = {}
        self.retries = self.sign_ins = 0
        self.fault = None

    def run(self):
        try:
            while True:
                text = self.texts.get_nowait()
                self.answered[text] = self.post(text)
        except queue.Empty:
            pass
        except Exception as fault:  # pylint: disable=broad-exception-caught  # the test says what it was
            self.fault = repr(fault)

    def post(self, text):
        """The comment's id. Redis is asked before anything is written, so a 503 for it says that nothing was."""
        while True:
            answer = self.client.post("/notes/comment", {"key": KEY, "message": text, "csrf": self.token}, headers=JSON)
            if answer.status_code == 200:
                return int(answer.json()["id"])
            assert answer.status_code in (401, 503), (answer.status_code, answer.text)
            if answer.status_code == 401:
                assert not self.site.keeps_sessions, "signed out although Redis kept the session"
                self.sign_in()
            self.retries += 1
            threading.Event().wait(0.05)

    def sign_in(self):
        def is_in():
            client = Client(self.site.notes[self.place].url)
            if client.login("me", self.site.passwords["me"]).status_code != 302 or not client.is_signed_in:
                return False
            page = client.get("/notes/add")
            if page.status_code != 200:
                return False
            self.client, self.token = client, Page(page.text).first("input", name="csrf")["value"]
            return True

        until(is_in, "signed in again", PATIENCE_S)
        self.sign_ins += 1


@pytest.mark.slow
def test_a_thousand_comments_while_redis_is_killed(site):
    create_note(site.sign_in("me"), KEY)
    texts = queue.Queue()
    for number in range(COMMENTS_COUNT):
        texts.put(f"comment {number:04}")
    posters = [Poster(site, number % 2, texts) for number in range(WRITERS_COUNT)]
    listeners = [RawViewer(f"listener{number}", NoteView(KEY), site, number, lambda *_: None) for number in range(4)]
    for listener in listeners:
        listener.calm()
        listener.start()
    try:
        for poster in posters:
            poster.start()
        for answered in KILLS_AT:
            until(lambda: COMMENTS_COUNT - texts.qsize() >= answered or not any(p.is_alive() for p in posters),
                  "the next kill's time", PATIENCE_S)
            before = sum(poster.retries for poster in posters)
            site.redis.kill()
            until(lambda: sum(p.retries for p in posters) > before, "somebody meets the outage", PATIENCE_S)
            site.redis.start()
        for poster in posters:
            poster.join(PATIENCE_S)
            assert not poster.is_alive() and poster.fault is None, poster.fault
        until_all_there(site, posters, listeners)
    finally:
        for listener in listeners:
            listener.stop()
            listener.join()


def until_all_there(site, posters, listeners):
    answered = {text: number for poster in posters for text, number in poster.answered.items()}
    assert len(answered) == COMMENTS_COUNT
    rows = site.database.root(f"SELECT id, message FROM {site.schema}.comments")
    assert len(rows) == COMMENTS_COUNT, "a comment is missing or there twice"
    assert {message: number for number, message in rows} == answered
    newest_first = [message for _, message in sorted(rows, reverse=True)]
    for url in site.urls:
        until(lambda url=url: read_all_comments(url, KEY) == newest_first, f"all comments at {url}", PATIENCE_S)
    revision, = site.database.root(f"SELECT revision FROM {site.schema}.notes")[0]
    for listener in listeners:
        until(lambda: listener.view.now.revision == revision, "a listener has the last state", PATIENCE_S)
        shown = [message for _, _, message in listener.view.now.comments]
        assert shown == newest_first[:len(shown)] and len(shown) >= PAGE_COMMENTS
        assert listener.view.twice == [], "an event came twice"
        assert listener.heard == sorted(listener.heard), "something older came after something newer"
    if not site.keeps_sessions:
        assert sum(poster.sign_ins for poster in posters) > 0

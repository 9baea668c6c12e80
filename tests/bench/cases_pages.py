# SPDX-License-Identifier: MIT
"""Pages and files, and posting comments."""
import re

from bench import fill, stage, statements
from bench.measure import LARGE, MANY, SMALL


def static(measure):
    with measure.stage.notes(SMALL) as service:
        _, _, home = stage.ask(service.url, "/")
        path = re.search(rb'/assets/notes\.[0-9a-f]+\.js', home)[0].decode()
        measure.page("static", service, path, ["Accept-Encoding: gzip"])


def note(measure):
    with measure.stage.notes(SMALL) as service:
        cookie = measure.stage.sign_in(service).session_cookie
        path = stage.note_path(stage.FIRST_NOTE)
        measure.page("note-anonymous", service, path)
        measure.page("note-signed-in", service, path, [f"Cookie: notescookie.sid={cookie}"])


def home(measure):
    for row, data in (("home-small", SMALL), ("home-large", LARGE)):
        with measure.stage.notes(data) as service:
            measure.page(row, service, "/")


def cold(measure):
    with measure.stage.notes(MANY) as service:
        count = MANY.count(measure.stage)
        request = measure.stage.get_file(service, stage.note_path("note-@@@@@@@"))
        measure.statements("note-cold", service, measure.stage.schema(MANY.name), (request, count),
                           statements.NOTE_VIEW.format(notes=count))


def comments(measure):
    """Each on another note: on one alone they wait for each other, which the loop would do too."""
    with measure.stage.notes(SMALL) as service:
        count = SMALL.count(measure.stage)
        client = measure.stage.sign_in(service)
        request = measure.stage.comment_file(service, client, "note-@@@@@@@")
        measure.statements("comments", service, measure.stage.schema(SMALL.name), (request, count),
                           statements.COMMENT.format(notes=count, message=fill.MESSAGE))

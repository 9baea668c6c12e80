# SPDX-License-Identifier: MIT
"""What a person does with notes, as short calls on a harness.client.Client, and what every page must be.

The calls assert success: tests of refusals post the form themselves.
"""
import re
from urllib.parse import parse_qs, quote, urlsplit

from harness import stored
from harness.client import read_page

DANGEROUS_TAGS = {"iframe", "object", "embed", "applet", "base", "frame", "frameset", "style", "math",
                  "foreignobject",
                  "animate", "set", "template", "video", "audio", "marquee", "portal"}
URL_ATTRIBUTES = ("href", "src", "action", "formaction", "srcset", "data", "poster", "background", "ping",
                  "xlink:href")


def view_path(key):
    return "/notes/view?key=" + quote(key, safe="")


def edit_path(key):
    return "/notes/edit?key=" + quote(key, safe="")


def destroy_path(key):
    return "/notes/destroy?key=" + quote(key, safe="")


def leads_to_view(answer, key):
    """Whether this is the 302 to the note's page."""
    target = urlsplit(answer.headers.get("Location", ""))
    return (answer.status_code == 302 and target.scheme == "" and target.netloc == ""
            and target.path == "/notes/view" and parse_qs(target.query, keep_blank_values=True).get("key") == [key])


def create_note(client, key, title="A title", body="A body"):
    """Adds a note through the form's fields."""
    answer = client.post("/notes/save", {"docreate": "create", "notekey": key, "title": title, "body": body})
    assert leads_to_view(answer, key), (answer.status_code, answer.headers.get("Location"), answer.text[:2000])
    return answer


def edit_fields(client, key):
    """What the edit form of this note would send if nobody touched it."""
    return client.html(edit_path(key)).form("/notes/save").fields()


def edit_note(client, key, **changes):
    """Saves the note again with these fields changed."""
    answer = client.post("/notes/save", {**edit_fields(client, key), **changes})
    assert leads_to_view(answer, key), (answer.status_code, answer.text[:2000])
    return answer


def comment(client, key, message):
    """Posts a comment the way the page's script does; returns its JSON."""
    answer = client.post("/notes/comment", {"key": key, "message": message}, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def destroy_note(client, key):
    answer = client.post("/notes/destroy/confirm", {"notekey": key})
    assert answer.status_code == 302 and answer.headers["Location"] == "/", answer.status_code
    return answer


def shown_comments(page):
    """Element id to element of each comment on a note's page, in document order."""
    return {node["id"]: node for node in page.by_id("noteMessages").all()
            if (node.get("id") or "").startswith("note-message-")}


def note_titles(page):
    """(key, title) of each link in the home list, in document order."""
    links = [node for node in page.by_id("notetitles").all("a") if node.get("href",
                                                                            "").startswith("/notes/view?key=")]
    return [(parse_qs(urlsplit(node["href"]).query, keep_blank_values=True)["key"][0], node.text.strip())
            for node in links]


def error_page(answer, status):
    """Reads an error page and asserts what each of them has: h1, h2, request id, a way on."""
    assert answer.status_code == status, (answer.status_code, answer.text[:1500])
    page = check_page(read_page(answer))
    assert page.first("h1").text.strip()
    assert page.first("h2").text.strip().startswith(f"{status} ")
    assert answer.headers["X-Request-Id"] in page.first("body").text
    assert [node for node in page.first("main").all("a") if node.get("href", "").startswith("/")], "no way on"
    assert answer.headers["Cache-Control"] == "no-store"
    return page


def url_is_safe(value):
    """Whether a link target is http, https, mailto or relative, read as leniently as a browser reads it."""
    shown = "".join(char for char in value if char not in "\t\n\r").lstrip("".join(map(chr, range(33))))
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", shown)
    return scheme is None or scheme[1].lower() in ("http", "https", "mailto")


def dangers(page):
    """Everything on the page that could run script, style itself or send a form elsewhere; [] on a page of ours."""
    found = []
    for node in page.all():
        own = (node.get("src") or node.get("href") or "").startswith(("/assets/", "/favicon.ico"))
        if node.tag in DANGEROUS_TAGS:
            found.append(repr(node))
        if node.tag == "script" and (node.text.strip() or not own):
            found.append(repr(node) + node.text[:80])
        if node.tag in ("link", "img") and not own:
            found.append(repr(node))
        if node.tag == "meta" and "http-equiv" in node.attrs:
            found.append(repr(node))
        if node.tag == "form" and not (node.get("action") or "").startswith("/"):
            found.append(repr(node))
        found += [repr(node) for name in node.attrs if name.startswith("on") or name in ("style", "srcdoc")]
        found += [repr(node) for name in URL_ATTRIBUTES if not url_is_safe(node.get(name) or "")]
    return found


def check_page(page):
    """What is true of every page, whoever looks and whatever it holds. Returns the page."""
    assert page.faults == [], page.faults
    assert dangers(page) == []
    assert page.source.lower().startswith("<!doctype html>")
    assert page.first("html").get("lang")
    assert page.title.strip()
    assert len(page.all("header", class_="page-header")) == 1
    assert len(page.all("main")) == 1
    assert page.first("meta", name="viewport") is not None
    for field in page.all("input") + page.all("textarea"):
        if field.get("type") not in ("hidden", "submit", "checkbox"):
            assert has_label(page, field), f"{field} has no label"
    for form in page.all("form"):
        assert form.get("method", "get").lower() == "post"
    return page


def has_label(page, field):
    if field.get("aria-label") or field.get("aria-labelledby") or field.parent.tag == "label":
        return True
    return field.get("id") is not None and page.first("label", for_=field["id"]) is not None


def open_database(service):
    """The service's database, read beside the running program."""
    return stored.connect(service.database, is_writable=True)


def tables_holding(service, text):
    """Names of tables in which some cell contains this text (or these bytes)."""
    wanted = text if isinstance(text, bytes) else text.encode()
    found = set()
    database = open_database(service)
    try:
        for name in stored.tables(database):
            for row in database.execute(f"SELECT * FROM `{name}`"):
                cells = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
                if any(wanted in cell for cell in cells):
                    found.add(name)
    finally:
        database.close()
    return found

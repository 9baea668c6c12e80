# SPDX-License-Identifier: MIT
"""How a note's Markdown is shown, and which links it may hold."""

import itertools

import pytest

from harness.client import browser_session as open_session
from notes_verbs import check_page, create_note, edit_fields, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0}
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def show(site):
    """show(markdown) -> the #notebody element of a note with this text."""
    client = open_session(site, "me")

    def show_body(text):
        key = f"md-{next(_serial)}"
        create_note(client, key, "Markdown", text)
        body = check_page(client.html(view_path(key))).by_id("notebody")
        assert edit_fields(client, key)["body"] == text.replace("\r\n", "\n"), "the text changed by saving"
        return body

    return show_body


def test_paragraphs_emphasis_and_code(show):
    body = show("one *two* **three** `four`\nfive\n\nsix ~~seven~~")
    assert len(body.all("p")) == 2
    assert body.first("em").text == "two"
    assert body.first("strong").text == "three"
    assert body.first("code").text == "four"
    assert body.first("del").text == "seven"


def test_headings(show):
    body = show("# One\n\n## Two\n\ntext\n\nThree\n-----\n")
    headings = [node for node in body.all() if node.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    assert [node.text for node in headings] == ["One", "Two", "Three"]
    assert headings[0].tag < headings[1].tag, "the order of levels is lost"
    assert headings[1].tag == headings[2].tag
    assert [node["aria-level"] for node in headings] == ["2", "3", "3"], "the title is the first"


def test_lists_and_task_lists(show):
    body = show("- a\n- b\n  1. c\n  2. d\n\n- [ ] open\n- [x] done\n")
    assert body.first("ul") is not None and body.first("ol") is not None
    boxes = body.all("input")
    assert [box.get("type") for box in boxes] == ["checkbox", "checkbox"]
    assert all("disabled" in box.attrs for box in boxes)
    assert ["checked" in box.attrs for box in boxes] == [False, True]


def test_ordered_list_keeps_its_start(show):
    assert show("7. seven\n8. eight").first("ol").get("start") == "7"


def test_table(show):
    body = show("| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | <b>4</b> |\n")
    table = body.first("table")
    assert [node.text for node in table.all("th")] == ["a", "b"]
    assert [node.text for node in table.all("td")] == ["1", "2", "3", "<b>4</b>"]


def test_code_block_and_quote(show):
    body = show("```c\nif (a < b && c > \"d\") {\n    return;\n}\n```\n\n> quoted\n> > twice\n")
    assert body.first("pre").text == 'if (a < b && c > "d") {\n    return;\n}\n'
    assert "quoted" in body.first("blockquote").text
    assert body.first("blockquote").first("blockquote") is not None


def test_rule_and_hard_break(show):
    body = show("a  \nb\n\n---\n\nc\\\nd")
    assert len(body.all("hr")) == 1
    assert len(body.all("br")) == 2


def test_entities_are_text(show):
    body = show("&lt;script&gt; &amp;amp; &copy; &#65; &#0; &unknown; &#x1F600;")
    assert "<script> &amp; © A" in body.text
    assert "&unknown;" in body.text
    assert "\U0001F600" in body.text


def test_raw_html_is_shown_as_text(show):
    source = '<b>bold</b>\n\n<script>alert(1)</script>\n\n<!-- hidden -->\n\n<div onclick="x()">\n</div>\n\n<?php x ?>'
    body = show(source)
    for tag in ("b", "script", "div"):
        assert body.first(tag) is None or tag == "div" and "onclick" not in body.first(tag).attrs
    for part in ("<b>bold</b>", "<script>alert(1)</script>", "<!-- hidden -->", '<div onclick="x()">', "<?php x ?>"):
        assert part in body.text


def test_image_is_not_loaded(show):
    body = show('![the alt text](http://example.com/a.png "title")\n\n![x](/assets/whale.svg)')
    assert body.all("img") == []
    assert "the alt text" in body.text


def test_links_have_rel_and_title(show):
    link = show('[text *em*](https://example.com/a?b=c&d=%20 "the \\"title\\" <b>")').first("a")
    assert link["href"] == "https://example.com/a?b=c&d=%20"
    assert link.text == "text em"
    assert link.get("title") == 'the "title" <b>'
    assert set(link["rel"].split()) == {"nofollow", "noopener"}


ALLOWED = ["http://example.com", "https://example.com/a_b?c=d#e", "mailto:me@example.com", "HTTPS://EXAMPLE.COM/x",
           "/notes/view?key=a",
           "other", "./a", "../a", "?page=2", "#part", "a/b:c", "https://example.com/%3Cb%3E",
           "https://example.com/ä"]

REFUSED = ["javascript:alert(1)", "JavaScript:alert(1)", "javascript&colon;alert(1)", "javascript&#58;alert(1)",
           "&#106;avascript:alert(1)", "java&#10;script:alert(1)", "java&Tab;script:alert(1)",
           "&#1;javascript:alert(1)",
           "vbscript:x", "data:text/html,<x>",
           "data:text/html;base64,PHNjcmlwdD4=", "file:///etc/passwd", "ftp://example.com", "tel:+123", "blob:x",
           "view-source:http://a", "about:blank", "x:y", "httpx://a", "http+x://a"]


@pytest.mark.parametrize("target", ALLOWED)
def test_link_target_that_is_allowed(show, target):
    link = show(f"[the text](<{target}>)").first("a")
    assert link is not None and link.text == "the text"
    assert link["href"].lower().startswith(target.lower()[:8])


@pytest.mark.parametrize("form", ["[the text](<{}>)", "[the text][r]\n\n[r]: <{}>"])
@pytest.mark.parametrize("target", REFUSED)
def test_link_target_that_is_refused_leaves_the_text(show, form, target):
    body = show(form.format(target))
    assert [node for node in body.all("a") if "href" in node.attrs] == []
    assert "the text" in body.text


@pytest.mark.parametrize("target", REFUSED)
def test_autolink_target_that_is_refused_leaves_the_text(show, target):
    body = show(f"before <{target}> after")
    assert "before" in body.text and "after" in body.text
    # dangers() has looked at every href already; here: nothing but a mail address or http became a link
    for node in body.all("a"):
        assert node.get("href", "").split(":")[0].lower() in ("http", "https", "mailto")


def test_url_autolinks_and_no_www_autolinks(show):
    body = show("see https://example.com/a_b and <http://example.org/> but not www.example.net or ftp://example.com/x")
    assert [node["href"] for node in body.all("a")] == ["https://example.com/a_b", "http://example.org/"]
    assert all(set(node["rel"].split()) == {"nofollow", "noopener"} for node in body.all("a"))


def test_reference_definitions_are_used(show):
    body = show("[a][1] [b][2]\n\n[1]: https://example.com/1\n[2]: javascript:x")
    assert [node["href"] for node in body.all("a") if "href" in node.attrs] == ["https://example.com/1"]


def test_crlf_is_a_line_end_like_any(show):
    body = show("- a\r\n- b\r\n\r\ntext")
    assert [node.text.strip() for node in body.all("li")] == ["a", "b"]


def test_empty_body_is_an_empty_note(show):
    assert show("").text.strip() == ""


def test_leading_line_ends_and_spaces_survive_editing(show):
    """HTML drops one line end after <textarea>; the form must not lose it (show() compares the text)."""
    show("\n\n\nafter three line ends")
    show("\n")
    show("    indented code\n\ttab\n  \n")
    show("trailing spaces   \n\n\n")

# SPDX-License-Identifier: MIT
"""Tests of the two compilers that run at build time: tools/compile_views.py and tools/compile_assets.py.

Templates are compiled to C, the C is compiled with the project's header and run on hostile values: what counts
is the HTML that comes out, or the error that stops the build. A small strbuf stands in for the real one, with the
same escaping as its header promises."""

import gzip
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWS = ROOT / "tools" / "compile_views.py"
ASSETS = ROOT / "tools" / "compile_assets.py"
WARNINGS = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wmissing-prototypes", "-Werror"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]

VIEWS_H = """
#ifndef TEST_VIEWS_H
#define TEST_VIEWS_H
#include <stdbool.h>
#include "base/html.h"
#include "base/strbuf.h"
struct frame { const char *user; };
struct item { const char *name; const struct item *parts; size_t parts_count; };
struct view_page {
    struct frame frame;
    const char *text;
    const char *path;
    struct html body;
    int64_t number;
    bool is_on;
    const struct item *items;
    size_t items_count;
};
void view_page(struct strbuf *out, const struct view_page *view);
#endif
"""

MAIN_C = r"""
#include <stdio.h>
#include <string.h>
#include "views/views.h"
void strbuf_add_bytes(struct strbuf *b, const char *t, size_t n) { (void)b; fwrite(t, 1, n, stdout); }
void strbuf_add_i64(struct strbuf *b, int64_t n) { (void)b; printf("%lld", (long long)n); }
void strbuf_add_html(struct strbuf *b, const char *t)
{
    (void)b;
    for (; t && *t; t++)
        strchr("&<>\"'", *t) ? printf("&#%d;", *t) : putchar(*t);
}
void strbuf_add_url(struct strbuf *b, const char *t)
{
    (void)b;
    for (; t && *t; t++) {
        int c = (unsigned char)*t;
        int plain = (c | 32) >= 'a' && (c | 32) <= 'z';
        plain || (c >= '0' && c <= '9') || strchr("-._~", c) ? putchar(c) : printf("%%%02X", (unsigned)c);
    }
}
int main(void)
{
    struct item parts[] = {{.name = "p1"}, {.name = "p2"}};
    struct item items[] = {{.name = "<a>", .parts = parts, .parts_count = 2}, {.name = "b"}};
    struct strbuf out = {0};
    struct view_page view = {.frame = {"me"}, .text = TEXT, .path = PATH, .body = {"<i>x</i>", 8},
                             .number = -7, .is_on = true, .items = items, .items_count = 2};
    view_page(&out, &view);
    return 0;
}
"""

# A shared template: what it makes is filled for each viewer by the real common/http/parts.c.
SHARED_HEAD = "{% view page struct view_page shared %}\n"
SHARED_VIEWS_H = """
#include <stdbool.h>
#include "base/html.h"
#include "base/strbuf.h"
struct parts;
struct frame { const char *user, *csrf; bool is_user_unknown; };
struct item { const char *name, *author; };
struct view_page { struct frame frame; const struct item *items; size_t items_count; };
void view_page(struct parts *parts, const struct view_page *view);
"""
SHARED_MAIN_C = r"""
#include <stdio.h>
#include <string.h>
#include "views/views.h"
#include "base/arena.h"
#include "http/parts.h"
static bool may(const char *user, const char *owner, const char *page_owner)
{
    return user && (strcmp(user, owner) == 0 || strcmp(user, page_owner) == 0);
}
int main(int argc, char **argv)
{
    struct item items[] = {{"1", "me"}, {"2", "you"}};
    struct view_page view = {.items = items, .items_count = 2};
    struct arena arena;
    struct parts parts;
    struct strbuf out;
    arena_init(&arena);
    parts_init(&parts, &arena, 0, 4096);
    parts.owner = "boss";
    parts.may = may;
    view_page(&parts, &view);
    for (int i = 1; i < argc; i++) {
        struct viewer viewer = {argv[i][0] ? argv[i] : NULL, argv[i][0] ? "<token>" : NULL, argv[i][0] == '\0'};
        strbuf_init(&out, &arena, 0, 4096);
        parts_fill(&parts, &viewer, &out);
        puts(out.text);
    }
    arena_done(&arena);
    return 0;
}
"""

HOSTILE = "<script>\"'&%/ é"


class Site:
    """A folder with templates and what is needed to run them."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "views").mkdir()
        (folder / "views" / "views.h").write_text(VIEWS_H)
        (folder / "main.c").write_text(MAIN_C)
        (folder / "map.json").write_text(json.dumps({"notes.css": "/assets/notes.0123456789.css"}))

    def write(self, text, name="page", head="{% view page struct view_page %}\n"):
        (self.folder / "views" / f"{name}.html").write_text(head + text, encoding="utf-8")

    def compile(self):
        return subprocess.run([sys.executable, VIEWS, self.folder / "views.c", self.folder / "views",
                               self.folder / "map.json"], capture_output=True, text=True, check=False)

    def build(self, compiler, text=HOSTILE, path="/"):
        program = self.folder / "program"
        defines = [f"-DTEXT={json.dumps(text)}", f"-DPATH={json.dumps(path)}"]
        base = [compiler, "-I", ROOT / "common", "-I", self.folder]
        units = [("views", WARNINGS), ("main", ["-w"])]
        for unit, flags in units:
            run = subprocess.run([*base, *flags, *defines, "-c", self.folder / f"{unit}.c", "-o",
                                  self.folder / f"{unit}.o"], capture_output=True, text=True, check=False)
            if run.returncode:
                return run
        return subprocess.run([compiler, self.folder / "views.o", self.folder / "main.o", "-o", program],
                              capture_output=True, text=True, check=False)

    def render(self, template, **values):
        self.write(template)
        compiled = self.compile()
        assert compiled.returncode == 0, compiled.stderr
        built = self.build("gcc" if "gcc" in COMPILERS else COMPILERS[0], **values)
        assert built.returncode == 0, built.stderr
        return subprocess.run([self.folder / "program"], capture_output=True, check=True).stdout.decode()

    def render_shared(self, template, *users):
        """What each of these users gets; "" is a viewer of whom it can't be told who it is."""
        (self.folder / "views" / "views.h").write_text(SHARED_VIEWS_H)
        (self.folder / "main.c").write_text(SHARED_MAIN_C)
        self.write(template, head=SHARED_HEAD)
        compiled = self.compile()
        assert compiled.returncode == 0, compiled.stderr
        real = [ROOT / "common" / name for name in ("base/arena.c", "base/strbuf.c", "base/text.c", "http/parts.c")]
        program = self.folder / "program"
        command = [COMPILERS[0], "-D_GNU_SOURCE", "-I", ROOT / "common", "-I", self.folder, self.folder / "views.c",
                   self.folder / "main.c", *real, "-lsodium", "-o", program]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        done = subprocess.run([program, *users], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def error(self, template, **options):
        self.write(template, **options)
        run = self.compile()
        assert run.returncode == 1, "the template was accepted"
        assert not (self.folder / "views.c").exists(), "output was written despite the error"
        return run.stderr


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    return Site(tmp_path)


# --- What comes out ---


@pytest.mark.parametrize("template, expected", [
    ("<p>{{ text }}</p>", "<p>&#60;script&#62;&#34;&#39;&#38;%/ é</p>"),
    ("<title>{{ text }}</title>", "<title>&#60;script&#62;&#34;&#39;&#38;%/ é</title>"),
    ('<p title="{{ text }}">', '<p title="&#60;script&#62;&#34;&#39;&#38;%/ é">'),
    ("<p title='{{ text }}'>", "<p title='&#60;script&#62;&#34;&#39;&#38;%/ é'>"),
    ('<a href="/view?key={{ text }}">', '<a href="/view?key=%3Cscript%3E%22%27%26%25%2F%20%C3%A9">'),
    ("<a HREF='{{ text }}'>", "<a HREF='%3Cscript%3E%22%27%26%25%2F%20%C3%A9'>"),
    ('<form action="/x?k={{ text }}">', '<form action="/x?k=%3Cscript%3E%22%27%26%25%2F%20%C3%A9">'),
    ('<b formaction="?k={{ number }}">', '<b formaction="?k=-7">'),
    ("<p>{{ number }}", "<p>-7"),
    ("<p>{{ body | html }}", "<p><i>x</i>"),
    ("<p>{{ frame.user }}", "<p>me"),
    ('<link href="{% asset "notes.css" %}">', '<link href="/assets/notes.0123456789.css">'),
    ("a{# gone #}b", "ab"),
    ("a<!-- gone\n -->b", "ab"),
    ("<!doctype html><p>1 &lt; 2? \"\\ é", "<!doctype html><p>1 &lt; 2? \"\\ é"),
])
def test_a_value_is_escaped_for_its_place(site, template, expected):
    assert site.render(template) == expected


@pytest.mark.parametrize("path, expected", [
    ("/notes/view?key=a&b=c", "/notes/view?key=a&#38;b=c"),
    ("//evil.example/", "/"),
    ("/\\evil.example/", "/"),
    ("/\t/evil.example/", "/"),
    ("javascript:alert(1)", "/"),
    ("https://evil.example/", "/"),
    ("", "/"),
])
def test_a_path_never_leads_away(site, path, expected):
    assert site.render('<a href="{{ path | path }}">', path=path) == f'<a href="{expected}">'


def test_conditions_and_loops(site):
    template = """
<ul>
  {% for item in items %}
  <li>{{ item.name }}{% for part in item.parts %} {{ part.name }}{% end %}</li>
  {% end %}
</ul>
{% if is_on %}on{% else %}off{% end %}{% if not frame.user %}nobody{% end %}"""
    assert site.render(template) == "<ul>\n<li>&#60;a&#62; p1 p2</li>\n<li>b</li>\n</ul>\non"


def test_conditions_inside_of_tags_and_attributes(site):
    template = ('<input {% if is_on %}checked {% end %}class="a{% if number %} b{% end %}"'
                '{% if not is_on %} x="1"{% end %}>')
    assert site.render(template) == '<input checked class="a b">'


def test_a_shared_page_is_made_once_and_differs_where_it_depends_on_the_viewer(site):
    template = ("{% if frame.user %}I am {{ frame.user }}{% else %}{% if not frame.is_user_unknown %}Log in{% end %}{% end %}:"
                "{% for item in items %} {{ item.name }}{% if item.can_destroy %}<input value=\"{{ frame.csrf }}\">{% end %}"
                "{% end %}.")
    token = '<input value="&lt;token&gt;">'
    assert site.render_shared(template, "me", "you", "boss", "<x>", "") == [
        f"I am me: 1{token} 2.", f"I am you: 1 2{token}.", f"I am boss: 1{token} 2{token}.", "I am &lt;x&gt;: 1 2.", ": 1 2."]


@pytest.mark.parametrize("template, words", [
    ('<a href="/{{ frame.user }}">', "frame.user of a shared page can stand in text"),
    ("{% if can_destroy %}x{% end %}", "only a loop's item has rights"),
])
def test_what_a_shared_page_cannot_leave_open_is_an_error(site, template, words):
    assert words in site.error(template, head=SHARED_HEAD)


def test_includes_share_the_place_and_the_view(site):
    site.write('<a title="{{ text }}', "_open", head="")
    assert site.render('{% include "_open" %}">') == '<a title="&#60;script&#62;&#34;&#39;&#38;%/ é">'


def test_white_space_is_squeezed_where_it_does_not_count(site):
    template = "<div   class='a  b'\n   id='c'  >\n\n    <p>one  two\n      three</p>\n</div>\n"
    assert site.render(template) == "<div class='a  b' id='c'>\n<p>one two\nthree</p>\n</div>\n"


def test_white_space_is_kept_in_pre_and_textarea(site):
    template = "<pre>\n  a\n\n  b</pre>  <textarea>\n  c\n\n  d</textarea>  e"
    assert site.render(template) == "<pre>\n  a\n\n  b</pre> <textarea>\n  c\n\n  d</textarea> e"


class TextReader(HTMLParser):
    """Reads the text of an element as a browser does: the first line end after <pre> and <textarea> is dropped."""

    def __init__(self):
        super().__init__()
        self.texts = {}
        self.element = None

    def handle_starttag(self, tag, attrs):
        self.element = tag

    def handle_data(self, data):
        self.texts[self.element] = self.texts.get(self.element, "") + data

    def handle_endtag(self, tag):
        self.element = None


@pytest.mark.parametrize("element", ["pre", "textarea"])
def test_a_value_may_begin_with_a_line_end(site, element):
    html = site.render(f"<{element} id='x'>{{{{ text }}}}</{element}>", text="\n\nx")
    reader = TextReader()
    reader.feed(html)
    assert reader.texts[element].removeprefix("\n") == "\n\nx"


def test_long_static_text_survives_whole(site):
    body = "".join(f"<p>{number} é ?? \\n</p>" for number in range(2000))
    assert site.render(body) == body


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_c_compiles_without_warnings(site, compiler):
    site.write("<p>{{ text }}{% for item in items %}{{ item.name }}{% end %}")
    assert site.compile().returncode == 0
    built = site.build(compiler)
    assert built.returncode == 0, built.stderr


def test_the_same_templates_give_the_same_c(site):
    site.write("<p>{{ text }}")
    site.compile()
    first = (site.folder / "views.c").read_bytes()
    site.compile()
    assert (site.folder / "views.c").read_bytes() == first


# --- What stops the build ---


@pytest.mark.parametrize("template, words", [
    ("<p class={{ text }}>", "unquoted attribute"),
    ("<p class=a{{ text }}>", "unquoted attribute"),
    ("<{{ text }}>", "tag name"),
    ("<p{{ text }}>", "tag name"),
    ("<p {{ text }}>", "between its attributes"),
    ("<p data-{{ text }}='1'>", "attribute name"),
    ("<!-- {{ text }} -->", "comment"),
    ("<!doctype {{ text }}>", "declaration"),
    ("<script>{{ text }}</script>", "<script>"),
    ("<script>alert(1)</script>", "nothing inline works"),
    ("<style>p{}</style>", "nothing inline works"),
    ("<p onclick='{{ text }}'>", "onclick"),
    ("<p ONCLICK='go()'>", "onclick"),
    ("<p style='{{ text }}'>", "style"),
    ("<iframe srcdoc='{{ text }}'>", "srcdoc"),
    ("<img srcset='{{ text }}'>", "srcset"),
    ("<meta content='{{ text }}'>", "content"),
    ("<p title='{{ body | html }}'>", "not for attributes"),
    ("<title>{{ body | html }}</title>", "does not fit"),
    ("<p>{{ path | path }}", "does not fit"),
    ("<p title='{{ path | path }}'>", "| path is for"),
    ("<a href='/x{{ path | path }}'>", "start of the attribute"),
    ("<p>{{ text | upper }}", "| upper is unknown"),
    ("<p>{{ text + 1 }}", "a member"),
    ("<p>{{ text", "{{ is not closed"),
    ("<p>{% if is_on %}", "has no {% end %}"),
    ("<p>{% end %}", "without a beginning"),
    ("<p>{% else %}", "belongs to no"),
    ("{% for a in items %}{% else %}{% end %}", "belongs to no"),
    ("{% if is_on %}{% else %}{% else %}{% end %}", "belongs to no"),
    ("{% for a in items %}{% for a in items %}{% end %}{% end %}", "already the item"),
    ("{% for a in items %}{{ a }}{% end %}", "name one of its members"),
    ("{% if is_on or text %}{% end %}", "if MEMBER"),
    ("{% while x %}", "was expected"),
    ('{% include "_none" %}', "there is no _none.html"),
    ('<a href="{% asset "none.css" %}">', "there is no asset none.css"),
    ('<p>{% asset "notes.css" %}', "quoted attribute"),
    ("<p title='x", "ends inside attribute title"),
    ("<p>1 < 2", "starts no tag"),
    ("<p {% if is_on %}title='{% end %}x'>", "depending on the value"),
    ("{% if is_on %}<textarea>{% end %}{{ text }}", "depending on the value"),
])
def test_what_cannot_be_made_safe_is_an_error_with_its_line(site, template, words):
    message = site.error("\n\n" + template)
    assert words in message
    assert "page.html:4: " in message


def test_a_template_must_say_what_it_shows(site):
    site.write("<p>", head="")
    assert "must begin with {% view page struct view_page %}" in site.compile().stderr


def test_a_partial_must_close_what_it_opens(site):
    site.write("{% if is_on %}", "_half", head="")
    assert "different numbers of blocks" in site.error('{% include "_half" %}{% end %}')


def test_a_partial_must_not_include_itself(site):
    site.write('{% include "_loop" %}', "_loop", head="")
    assert "includes itself" in site.error('{% include "_loop" %}')


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("template", [
    "<p>{{ tekst }}",
    "<p>{{ frame.users }}",
    "{% for item in items %}{{ item.nam }}{% end %}",
    "{% for item in text %}{{ item.name }}{% end %}",
    "<p>{{ body }}",
    "<p>{{ text | html }}",
    "<p>{{ is_on }}",
    "<a href='{{ number | path }}'>",
    "{% if nothing %}{% end %}",
])
def test_a_wrong_member_stops_the_c_compiler_at_the_templates_line(site, compiler, template):
    site.write("\n\n" + template)
    assert site.compile().returncode == 0
    built = site.build(compiler)
    assert built.returncode != 0
    assert "page.html:4:" in built.stderr


# --- Assets ---


def compile_assets(folder, out):
    return subprocess.run([sys.executable, ASSETS, out / "assets.c", out / "map.json", folder],
                          capture_output=True, text=True, check=False)


def test_assets_are_named_by_content_and_packed_when_that_helps(tmp_path):
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / "notes.css").write_text("p { color: red; }\n" * 50)
    (folder / "dot.png").write_bytes(b"\x89PNG\x00\xff")
    assert compile_assets(folder, tmp_path).returncode == 0
    names = json.loads((tmp_path / "map.json").read_text())
    (tmp_path / "main.c").write_text(r"""
#include <stdio.h>
#include "http/assets.h"
int main(void)
{
    for (size_t i = 0; i < assets_count; i++) {
        const struct asset *a = &assets_table[i];
        printf("%s %s %s %zu %zu %d\n", a->name, a->path, a->type, a->size_bytes, a->gzip_bytes, a->gzip != NULL);
    }
    fwrite(assets_table[1].gzip, 1, assets_table[1].gzip_bytes, stderr);
    return 0;
}
""")
    subprocess.run([COMPILERS[0], *WARNINGS, "-I", ROOT / "common", tmp_path / "assets.c", tmp_path / "main.c", "-o",
                    tmp_path / "program"], check=True)
    run = subprocess.run([tmp_path / "program"], capture_output=True, check=True)
    first, second = run.stdout.decode().splitlines()
    assert first == f"dot.png {names['dot.png']} image/png 6 0 0"
    assert second.startswith(f"notes.css {names['notes.css']} text/css; charset=utf-8 900 ")
    assert gzip.decompress(run.stderr) == (folder / "notes.css").read_bytes()
    before = (tmp_path / "assets.c").read_bytes()
    assert compile_assets(folder, tmp_path).returncode == 0
    assert (tmp_path / "assets.c").read_bytes() == before
    (folder / "notes.css").write_text("p { color: blue; }\n")
    assert compile_assets(folder, tmp_path).returncode == 0
    after = json.loads((tmp_path / "map.json").read_text())
    assert after["notes.css"] != names["notes.css"] and after["dot.png"] == names["dot.png"]


def test_an_asset_of_an_unknown_kind_is_an_error(tmp_path):
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / "notes.exe").write_text("x")
    run = compile_assets(folder, tmp_path)
    assert run.returncode == 1
    assert "notes.exe: unknown kind" in run.stderr


# --- The project's own pages ---


def test_the_pages_and_assets_of_the_project_compile_and_are_light(tmp_path):
    assert compile_assets(ROOT / "notes-svc" / "assets", tmp_path).returncode == 0
    run = subprocess.run([sys.executable, VIEWS, tmp_path / "views.c", ROOT / "notes-svc" / "views",
                          tmp_path / "map.json"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for compiler in COMPILERS:
        subprocess.run([compiler, *WARNINGS, "-I", ROOT / "common", "-I", ROOT / "notes-svc", "-c",
                        tmp_path / "views.c", "-o", tmp_path / "views.o"], check=True)
    packed = sum(len(gzip.compress((ROOT / "notes-svc" / "assets" / name).read_bytes()))
                 for name in ("notes.css", "notes.js", "favicon.svg", "whale.svg"))
    assert packed < 20_000, "a first visit with its page must stay under 30 KB"

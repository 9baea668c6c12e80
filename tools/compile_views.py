#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles the templates of views/ into one C file.

    compile_views.py OUT.c VIEWS_DIR ASSETS_MAP.json

Each views/NAME.html becomes `void view_NAME(struct strbuf *out, const struct view_NAME *view)`; one that is marked as
shared, `void view_NAME(struct parts *parts, const struct view_NAME *view)` (common/http/parts.h). Two things are
decided here, at build time, so that no page can forget them: a member that does not exist fails the C build,
and every value is escaped for its place, which a small state machine reads off the surrounding HTML. A place
for which no escaping is safe (a script, an unquoted attribute, a tag name ...) is an error with file and line.

The language is described in notes-svc/views/README.md. Tests: tests/unit/test_compile_views.py.
"""

import json
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

# String literals over 4095 bytes are not portable C (and -Wpedantic says so).
CHUNK_BYTES = 4000

URL_ATTRIBUTES = {"href", "action", "src", "formaction", "poster", "cite", "data", "background", "manifest", "ping",
                  "xlink:href"}
FORBIDDEN_ATTRIBUTES = {"srcdoc", "srcset", "imagesrcset", "content"}
RAW_ELEMENTS = {"script", "style", "iframe", "xmp", "noembed", "noframes", "plaintext"}
TEXT_ELEMENTS = {"textarea", "title"}
KEPT_SPACE_ELEMENTS = {"pre", "textarea"}

# What a shared template must not decide when it is made, because it depends on the viewer.
VIEWER_VALUES = {"frame.user": "PART_USER", "frame.csrf": "PART_CSRF"}
VIEWER_TESTS = {"frame.user": "PART_IF_USER", "frame.csrf": "PART_IF_USER", "frame.is_user_unknown": "PART_IF_UNKNOWN"}

NOT_INLINE = "nothing inline works under the pages' content security policy"

TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
MEMBER = rf"{NAME}(?:\.{NAME})*"
VALUE = re.compile(rf"({MEMBER})(?:\s*\|\s*({NAME}))?\Z")


class TemplateError(Exception):
    """A fault in a template, with the place that the author must look at."""

    def __init__(self, path, line, what):
        super().__init__(f"{path}:{line}: {what}")


@dataclass(frozen=True)
class Token:
    kind: str  # "text", "value", "tag", "comment"
    text: str
    path: str
    line: int
    is_after_tag: bool = False  # begins on the line after a tag that stood alone

    def fail(self, what):
        return TemplateError(self.path, self.line, what)


# --- HTML: where in the document are we? -----------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A point of the document as far as escaping depends on it."""

    mode: str = "text"
    element: str = ""    # the tag being read, or the element whose raw text is being read
    is_end_tag: bool = False
    attribute: str = ""  # the attribute being read
    is_value_start: bool = False  # right after the opening quote
    keeps_space: bool = False     # inside <pre>

    def essence(self):
        """The place without what no longer matters for what comes next."""
        attribute = "" if self.mode == "in_tag" else self.attribute
        return replace(self, attribute=attribute, is_value_start=False)

    def words(self):
        return {
            "text": "text",
            "tag_open": "a tag name",
            "tag_name": "a tag name",
            "in_tag": "a tag, between its attributes",
            "attribute_name": "an attribute name",
            "before_value": "an unquoted attribute",
            "unquoted": "an unquoted attribute",
            "double": f"attribute {self.attribute}",
            "single": f"attribute {self.attribute}",
            "comment": "a comment",
            "declaration": "a declaration",
            "raw": f"<{self.element}>",
            "element_text": f"<{self.element}>",
        }[self.mode]


class HtmlReader:
    """Walks over static HTML, one character at a time, and gives back what is to be sent.

    On the way it squeezes white space: a run with a line end becomes one line end, except where it counts."""

    def __init__(self):
        self.place = Place()
        self.token = None
        self.line = 1

    def fail(self, what):
        return TemplateError(self.token.path, self.line, what)

    def read(self, token):
        self.token = token
        self.line = token.line
        self.source = token.text
        self.at = 0
        self.out = []
        if token.is_after_tag and self.place.mode == "text" and not self.place.keeps_space:
            self.space_run()
        while self.at < len(self.source):
            getattr(self, "read_" + self.place.mode)()
        return "".join(self.out)

    def go(self, mode, **changes):
        self.place = replace(self.place, mode=mode, is_value_start=False, **changes)

    def take(self, count=1):
        piece = self.source[self.at:self.at + count]
        self.at += len(piece)
        self.line += piece.count("\n")
        return piece

    def keep(self, count=1):
        self.out.append(self.take(count))

    def space_run(self):
        start = self.at
        while start < len(self.source) and self.source[start] in " \t\r\n":
            start += 1
        return self.take(start - self.at)

    def read_text(self):
        here = self.source[self.at]
        if self.source.startswith("<!--", self.at):
            self.take(4)
            self.go("comment")
        elif here == "<":
            self.keep()
            self.go("tag_open", element="", is_end_tag=False)
        elif here in " \t\r\n" and not self.place.keeps_space:
            self.out.append("\n" if "\n" in self.space_run() else " ")
        else:
            self.keep()

    def read_comment(self):
        # Comments are for the authors of templates and are not sent.
        end = self.source.find("-->", self.at)
        if end < 0:
            self.take(len(self.source))
            return
        self.take(end + 3 - self.at)
        self.go("text")

    def read_declaration(self):
        if self.source[self.at] == ">":
            self.go("text")
        self.keep()

    def read_tag_open(self):
        here = self.source[self.at]
        if here == "!":
            self.go("declaration")
        elif here == "/" and not self.place.is_end_tag:
            self.place = replace(self.place, is_end_tag=True)
        elif here.isascii() and here.isalpha():
            self.go("tag_name", element="")
            return
        else:
            raise self.fail("'<' that starts no tag: write &lt;")
        self.keep()

    def read_tag_name(self):
        here = self.source[self.at]
        if here in " \t\r\n/>":
            if self.place.element == "style":
                raise self.fail(f"<style>: {NOT_INLINE}")
            self.go("in_tag", attribute="")
            return
        self.place = replace(self.place, element=self.place.element + here.lower())
        self.keep()

    def read_in_tag(self):
        here = self.source[self.at]
        if here in " \t\r\n":
            self.space_run()
            if self.source[self.at:self.at + 1] != ">":
                self.out.append(" ")
        elif here == ">":
            self.keep()
            self.end_tag()
        elif here == "/":
            self.keep()
        elif here == "=":
            if not self.place.attribute:
                raise self.fail("'=' without an attribute name")
            self.keep()
            self.go("before_value")
        else:
            self.go("attribute_name", attribute="")

    def end_tag(self):
        element, keeps_space = self.place.element, self.place.keeps_space
        if self.place.is_end_tag:
            self.place = Place(keeps_space=keeps_space and element != "pre")
            return
        if element in KEPT_SPACE_ELEMENTS and self.source[self.at:self.at + 1] != "\n":
            # HTML drops one line end right after these tags: a value that begins with one must not lose it.
            self.out.append("\n")
        if element in RAW_ELEMENTS:
            self.place = Place("raw", element, keeps_space=keeps_space)
        elif element in TEXT_ELEMENTS:
            self.place = Place("element_text", element, keeps_space=keeps_space)
        else:
            self.place = Place(keeps_space=keeps_space or element == "pre")

    def read_attribute_name(self):
        here = self.source[self.at]
        if here in " \t\r\n/>=":
            self.check_attribute_name()
            self.go("in_tag")
            return
        if here in "\"'<":
            raise self.fail(f"{here} in an attribute name")
        self.place = replace(self.place, attribute=self.place.attribute + here.lower())
        self.keep()

    def check_attribute_name(self):
        name = self.place.attribute
        if name == "style" or name.startswith("on"):
            raise self.fail(f"attribute {name}: {NOT_INLINE}")

    def read_before_value(self):
        here = self.source[self.at]
        if here in "\"'":
            self.keep()
            self.place = replace(self.place, mode="double" if here == '"' else "single", is_value_start=True)
        elif here in " \t\r\n":
            self.space_run()
        elif here == ">":
            raise self.fail(f"attribute {self.place.attribute} has no value")
        else:
            self.go("unquoted")

    def read_quoted(self, quote):
        here = self.source[self.at]
        self.keep()
        if here == quote:
            self.go("in_tag", attribute="")
        else:
            self.place = replace(self.place, is_value_start=False)

    def read_double(self):
        self.read_quoted('"')

    def read_single(self):
        self.read_quoted("'")

    def read_unquoted(self):
        if self.source[self.at] in " \t\r\n>":
            self.go("in_tag", attribute="")
            return
        self.keep()

    def ends_element(self):
        end = "</" + self.place.element
        return self.source[self.at:self.at + len(end)].lower() == end

    def read_raw(self):
        if self.ends_element():
            self.keep(2)
            self.go("tag_name", element="", is_end_tag=True)
        elif self.source[self.at] in " \t\r\n":
            self.take()
        else:
            raise self.fail(f"text in <{self.place.element}>: {NOT_INLINE}")

    def read_element_text(self):
        if self.ends_element():
            self.keep(2)
            self.go("tag_name", element="", is_end_tag=True)
        elif self.source[self.at] in " \t\r\n" and self.place.element not in KEPT_SPACE_ELEMENTS:
            self.out.append("\n" if "\n" in self.space_run() else " ")
        else:
            self.keep()


# --- Template: tokens ------------------------------------------------------------------------------------------


def tokens_of(source, path):
    """Cuts a template into tokens. A line that holds one {% %} or {# #} and nothing else leaves no line behind."""
    out = []
    at = 0
    line = 1
    for match in TOKEN.finditer(source):
        start, end = match.span()
        add_text(out, source[at:start], path, line)
        line += source.count("\n", at, start)
        piece = match.group()
        kind = {"{{": "value", "{%": "tag", "{#": "comment"}[piece[:2]]
        out.append(Token(kind, piece[2:-2].strip(), path, line))
        line += piece.count("\n")
        at = end
    add_text(out, source[at:], path, line)
    drop_lone_lines(out)
    return [token for token in out if token.kind != "comment"]


def add_text(out, text, path, line):
    for opener in ("{{", "{%", "{#"):
        if opener in text:
            where = line + text[:text.index(opener)].count("\n")
            raise TemplateError(path, where, f"{opener} is not closed")
    out.append(Token("text", text, path, line))


def is_lone(token):
    return token.kind == "comment" or (token.kind == "tag" and not token.text.startswith("asset"))


def drop_lone_lines(tokens):
    """Between two text tokens: drops the rest of the line after a lone tag and the indentation before it."""
    for i, token in enumerate(tokens):
        if not is_lone(token):
            continue
        before, after = tokens[i - 1], tokens[i + 1]
        indent = before.text.rpartition("\n")[2]
        first, newline, rest = after.text.partition("\n")
        if starts_line(tokens, i) and not indent.strip(" \t") and newline and not first.strip(" \t\r"):
            tokens[i - 1] = replace(before, text=before.text[:len(before.text) - len(indent)])
            tokens[i + 1] = replace(after, text=rest, line=after.line + 1, is_after_tag=True)


def starts_line(tokens, i):
    """Whether no other token stands before token i on its line."""
    if i == 1 or "\n" in tokens[i - 1].text:
        return True
    return tokens[i - 1].line != tokens[i - 2].line + tokens[i - 2].text.count("\n")


def without_leading_space(token):
    text = token.text.lstrip()
    return replace(token, text=text, line=token.line + token.text.count("\n") - text.count("\n"))


# --- Template: C -----------------------------------------------------------------------------------------------


def c_string(data):
    """Bytes as a C string literal. Octal escapes have a fixed length, so they can't swallow what follows."""
    out = []
    for byte in data:
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


@dataclass
class Block:
    """An open {% if %} or {% for %}."""

    kind: str
    token: Token
    start: Place
    then_end: Place = None  # where the part before {% else %} ended
    variable: str = ""
    is_viewers: bool = False  # an if of a shared template that is decided for each viewer


@dataclass
class Compiler:
    folder: Path
    assets: dict
    lines: list = field(default_factory=list)
    pending: list = field(default_factory=list)  # static text that is not yet written
    blocks: list = field(default_factory=list)
    loops: dict = field(default_factory=dict)    # loop variable → C expression
    including: list = field(default_factory=list)
    reader: HtmlReader = None
    is_shared: bool = False

    def load(self, name, asker=None):
        path = self.folder / f"{name}.html"
        try:
            return tokens_of(path.read_text(encoding="utf-8"), path.as_posix())
        except FileNotFoundError:
            raise asker.fail(f"there is no {path.name}") from None
        except UnicodeDecodeError:
            raise TemplateError(path, 1, "is not UTF-8") from None

    def view(self, name):
        """One template with its function."""
        tokens = self.load(name)
        head = next((token for token in tokens if token.kind != "text" or token.text.strip()), None)
        match = head and head.kind == "tag" and re.fullmatch(rf"view ({NAME}) struct ({NAME})( shared)?", head.text)
        path = (self.folder / f"{name}.html").as_posix()
        if not match or match[1] != name:
            raise TemplateError(path, 1, f"must begin with {{% view {name} struct view_{name} %}}")
        self.reader = HtmlReader()
        self.is_shared = bool(match[3])
        target = "struct parts *parts" if self.is_shared else "struct strbuf *out"
        self.lines += ["", f'#line {head.line} "{path}"', f"void view_{name}({target}, const struct {match[2]} *view)", "{"]
        if self.is_shared:
            self.lines.append("    struct strbuf *out = &parts->text;")
        self.lines.append("    (void)view;")
        start = tokens.index(head) + 1
        self.body([without_leading_space(tokens[start]), *tokens[start + 1:]])
        if self.blocks:
            raise self.blocks[-1].token.fail(f"{{% {self.blocks[-1].kind} %}} has no {{% end %}}")
        if self.reader.place.mode != "text":
            raise self.reader.fail(f"ends inside {self.reader.place.words()}")
        self.flush()
        self.lines.append("}")

    def body(self, tokens):
        for token in tokens:
            if token.kind == "text":
                self.pending.append(self.reader.read(token))
            elif token.kind == "value":
                self.value(token)
            else:
                self.tag(token)

    def flush(self):
        data = "".join(self.pending).encode()
        self.pending = []
        for at in range(0, len(data), CHUNK_BYTES):
            chunk = data[at:at + CHUNK_BYTES]
            rows = [c_string(chunk[i:i + 80]) for i in range(0, len(chunk), 80)]
            text = "\n                     ".join(rows)
            self.lines.append(f"    strbuf_add_bytes(out, {text}, {len(chunk)});")

    def statement(self, token, text):
        self.flush()
        self.lines += [f'#line {token.line} "{token.path}"', f"    {text}"]

    def expression(self, token, member):
        first, _, rest = member.partition(".")
        root = self.loops.get(first)
        if root is None:
            return f"view->{member}"
        if not rest:
            raise token.fail(f"{first} is a loop's item: name one of its members")
        return f"{root}.{rest}"

    def value(self, token):
        match = VALUE.match(token.text)
        if not match:
            raise token.fail(f"{{{{ {token.text} }}}}: a member, or member | html, or member | path, was expected")
        target = self.target(token, match[2])
        mark = self.is_shared and VIEWER_VALUES.get(match[1])
        if mark and target != "TEMPLATE_ADD_TEXT":
            raise token.fail(f"{match[1]} of a shared page can stand in text and plain attributes only")
        self.statement(token, f"parts_mark(parts, {mark});" if mark else f"{target}(out, {self.expression(token, match[1])});")
        self.reader.place = replace(self.reader.place, is_value_start=False)

    def target(self, token, mark):
        """The name of what adds a value at this place, or an error."""
        place = self.reader.place
        if mark not in (None, "html", "path"):
            raise token.fail(f"| {mark} is unknown: html and path exist")
        if place.mode in ("text", "element_text"):
            if mark == "path" or (mark == "html" and place.mode == "element_text"):
                raise token.fail(f"| {mark} does not fit in {place.words()}")
            return "template_add_html" if mark else "TEMPLATE_ADD_TEXT"
        if place.mode not in ("double", "single"):
            raise token.fail(f"a value in {place.words()} can't be made safe")
        return self.attribute_target(token, place, mark)

    def attribute_target(self, token, place, mark):
        if place.attribute in FORBIDDEN_ATTRIBUTES:
            raise token.fail(f"a value in {place.words()} can't be made safe")
        is_url = place.attribute in URL_ATTRIBUTES
        if mark == "html":
            raise token.fail("| html is for text, not for attributes")
        if mark == "path" and not is_url:
            raise token.fail(f"| path is for {', '.join(sorted(URL_ATTRIBUTES))}")
        if mark == "path" and not place.is_value_start:
            raise token.fail("| path must be the start of the attribute")
        if mark == "path":
            return "template_add_path"
        return "TEMPLATE_ADD_URL" if is_url else "TEMPLATE_ADD_TEXT"

    def tag(self, token):
        if self.reader.place.mode in ("comment", "raw", "declaration"):
            raise token.fail(f"{{% {token.text} %}} in {self.reader.place.words()}")
        word = token.text.split(maxsplit=1)[0] if token.text else ""
        action = {"if": self.begin_if, "for": self.begin_for, "else": self.do_else, "end": self.do_end,
                  "include": self.include, "asset": self.asset}.get(word)
        if word == "view":
            raise token.fail("{% view %} stands once, at the start")
        if not action:
            raise token.fail(f"{{% {token.text} %}}: if, for, else, end, include or asset was expected")
        action(token)

    def begin_if(self, token):
        match = re.fullmatch(rf"if (not )?({MEMBER})", token.text)
        if not match:
            raise token.fail(f"{{% {token.text} %}}: if MEMBER, or if not MEMBER, was expected")
        decided_later = self.viewer_test(token, match[2], "true" if match[1] else "false") if self.is_shared else None
        self.statement(token, decided_later or f"if ({'!' if match[1] else ''}{self.expression(token, match[2])}) {{")
        self.blocks.append(Block("if", token, self.reader.place, is_viewers=bool(decided_later)))

    def viewer_test(self, token, member, is_not):
        """The call that marks a choice of the viewer's: his frame, or a right to a loop's item, which has an author."""
        if member in VIEWER_TESTS:
            return f"parts_if(parts, {VIEWER_TESTS[member]}, {is_not});"
        item, _, name = member.rpartition(".")
        if not name.startswith("can_"):
            return None
        if item not in self.loops:
            raise token.fail(f"{member}: in a shared page only a loop's item has rights")
        return f"parts_if_may(parts, {self.expression(token, item + '.author')}, {is_not});"

    def begin_for(self, token):
        match = re.fullmatch(rf"for ({NAME}) in ({MEMBER})", token.text)
        if not match:
            raise token.fail(f"{{% {token.text} %}}: for NAME in MEMBER was expected")
        name, member = match[1], match[2]
        if name in self.loops:
            raise token.fail(f"{name} is already the item of a loop around this one")
        source = self.expression(token, member)
        index = f"i{len(self.loops)}"
        self.statement(token, f"for (size_t {index} = 0; {index} < {source}_count; {index}++) {{")
        self.blocks.append(Block("for", token, self.reader.place, variable=name))
        self.loops[name] = f"{source}[{index}]"

    def do_else(self, token):
        block = self.blocks[-1] if self.blocks else None
        if token.text != "else" or not block or block.kind != "if" or block.then_end:
            raise token.fail("{% else %} belongs to no {% if %}")
        block.then_end = self.reader.place
        self.reader.place = block.start
        self.statement(token, "parts_mark(parts, PART_ELSE);" if block.is_viewers else "} else {")

    def do_end(self, token):
        if token.text != "end" or not self.blocks:
            raise token.fail("{% end %} without a beginning")
        block = self.blocks.pop()
        other = block.then_end or block.start
        # Both ways must leave the reader at one place, or the rest could not be escaped.
        if self.reader.place.essence() != other.essence():
            raise token.fail(f"{{% {block.kind} %}} of line {block.token.line} ends in {self.reader.place.words()}"
                             f" or in {other.words()}, depending on the value")
        is_start = self.reader.place.is_value_start and other.is_value_start
        self.reader.place = replace(self.reader.place.essence(), is_value_start=is_start)
        self.loops.pop(block.variable, None)
        self.statement(token, "parts_mark(parts, PART_END);" if block.is_viewers else "}")

    def include(self, token):
        match = re.fullmatch(rf'include "(_{NAME})"', token.text)
        if not match:
            raise token.fail(f'{{% {token.text} %}}: include "_name" was expected')
        if match[1] in self.including:
            raise token.fail(f"{match[1]} includes itself")
        depth = len(self.blocks)
        self.including.append(match[1])
        self.body(self.load(match[1], token))
        self.including.pop()
        if len(self.blocks) != depth:
            raise token.fail(f"{match[1]} opens and closes different numbers of blocks")

    def asset(self, token):
        match = re.fullmatch(r'asset "([^"]+)"', token.text)
        if not match:
            raise token.fail(f'{{% {token.text} %}}: asset "file.ext" was expected')
        if self.reader.place.mode not in ("double", "single") or not self.reader.place.is_value_start:
            raise token.fail("{% asset %} must be the start of a quoted attribute")
        if match[1] not in self.assets:
            raise token.fail(f"there is no asset {match[1]}")
        self.pending.append(self.reader.read(Token("text", self.assets[match[1]], token.path, token.line)))


HEAD = """/* SPDX-License-Identifier: MIT
 *
 * The pages. Made from the templates of views/ by tools/compile_views.py; #line points into them.
 * Depends on: views.h, template.h. */
#include "views/views.h"

#include "http/parts.h"
#include "http/template.h"
"""


def compile_views(folder, assets):
    compiler = Compiler(folder, assets)
    names = sorted(path.stem for path in folder.glob("*.html") if not path.name.startswith("_"))
    for name in names:
        compiler.view(name)
    return HEAD + "\n".join(compiler.lines) + "\n"


def main(arguments):
    if len(arguments) != 3:
        print("usage: compile_views.py OUT.c VIEWS_DIR ASSETS_MAP.json", file=sys.stderr)
        return 2
    out, folder, assets = arguments
    try:
        text = compile_views(Path(folder), json.loads(Path(assets).read_text(encoding="utf-8")))
    except TemplateError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    Path(out).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

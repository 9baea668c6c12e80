# SPDX-License-Identifier: MIT
"""A small reader for the HTML that notes-svc sends. It also finds markup faults (`Page.faults`)."""
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
MAY_STAY_OPEN = {"p", "li", "td", "th", "tr", "tbody", "thead", "option", "html", "body", "head", "dt", "dd"}


class Node:
    def __init__(self, tag, attrs, parent):
        self.tag = tag
        self.attrs = attrs
        self.parent = parent
        self.children = []  # nodes and strings, in order

    def walk(self):
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    @property
    def text(self):
        """All text inside, as a browser would give textContent; a textarea drops one leading newline."""
        text = "".join(child.text if isinstance(child, Node) else child for child in self.children)
        if self.tag in ("textarea", "pre") and text.startswith("\n"):
            text = text[1:]
        return text

    @property
    def classes(self):
        return (self.attrs.get("class") or "").split()

    def __getitem__(self, name):
        return self.attrs[name]

    def get(self, name, default=None):
        return self.attrs.get(name, default)

    def matches(self, tag, attrs):
        if tag not in ("*", self.tag):
            return False
        for name, wanted in attrs.items():
            if name == "class_":
                if wanted not in self.classes:
                    return False
                continue
            name = name.rstrip("_").replace("_", "-")
            if wanted is True:
                if name not in self.attrs:
                    return False
            elif self.attrs.get(name) != wanted:
                return False
        return True

    def all(self, tag="*", **attrs):
        """Elements inside with this tag and these attributes. `class_` is one of the classes, True means present."""
        return [node for node in self.walk() if node.matches(tag, attrs)]

    def first(self, tag="*", **attrs):
        found = self.all(tag, **attrs)
        return found[0] if found else None

    def by_id(self, name):
        return self.first(id=name)

    def fields(self):
        """What a browser would send of a form that nobody touched: a dict name -> value."""
        values = {}
        for node in self.walk():
            name = node.get("name")
            if not name or "disabled" in node.attrs:
                continue
            if node.tag == "textarea":
                values[name] = node.text
            elif node.tag == "input" and node.get("type", "text") not in ("submit", "button", "image", "reset"):
                if node.get("type") not in ("checkbox", "radio") or "checked" in node.attrs:
                    values[name] = node.get("value") or ""
        return values

    def __repr__(self):
        return f"<{self.tag} {self.attrs}>"


class Page(Node):
    """The document. `source` is the text it was made of."""

    def __init__(self, source):
        super().__init__("#document", {}, None)
        self.source = source
        self.faults = []
        builder = _Builder(self)
        builder.feed(source)
        builder.finish()
        seen = set()
        for node in self.walk():
            name = node.get("id")
            if name is not None and name in seen:
                self.faults.append(f"id {name} twice")
            seen.add(name)

    def text(self, name):  # pylint: disable=method-hidden
        """Text of the element with this id, or None when there is none."""
        node = self.by_id(name)
        return None if node is None else node.text

    @property
    def all_text(self):
        return "".join(child.text if isinstance(child, Node) else child for child in self.children)

    def form(self, action):
        return self.first("form", action=action)

    @property
    def title(self):
        node = self.first("title")
        return None if node is None else node.text


class _Builder(HTMLParser):
    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.page = page
        self.stack = [page]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.page.faults.append(f"attribute twice in <{tag}> {attrs}")
        if self.stack[-1].tag == tag and tag in ("p", "li", "option"):
            self.stack.pop()
        first = {}
        for name, value in attrs:
            first.setdefault(name, "" if value is None else value)
        node = Node(tag, first, self.stack[-1])
        self.stack[-1].children.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            self.page.faults.append(f"</{tag}>")
            return
        depth = len(self.stack) - 1
        while depth > 0 and self.stack[depth].tag != tag:
            depth -= 1
        if depth == 0:
            self.page.faults.append(f"</{tag}> closes nothing")
            return
        for node in self.stack[depth + 1:]:
            if node.tag not in MAY_STAY_OPEN:
                self.page.faults.append(f"<{node.tag}> still open at </{tag}>")
        del self.stack[depth:]

    def handle_data(self, data):
        self.stack[-1].children.append(data)

    def finish(self):
        self.close()
        for node in self.stack[1:]:
            if node.tag not in MAY_STAY_OPEN:
                self.page.faults.append(f"<{node.tag}> never closed")

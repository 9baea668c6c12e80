# SPDX-License-Identifier: MIT
"""A browser as far as HTTP goes: cookies, Origin, the form token. Follows no redirect by itself.

    me = Client(site.url)
    me.login("me", site.passwords["me"])
    me.post("/notes/save", {"docreate": "create", "notekey": "k", "title": "T", "body": "B"})
    page = me.html("/notes/view?key=k")
"""
import time

import requests

from .page import Page

SESSION_COOKIES = ("notescookie.sid", "__Host-notescookie.sid")


class Client:
    # Each is told what a request came to: (method, path, answer or what was raised, when it began, Client).
    observers = []

    def __init__(self, url, user=None, origin=None):
        self.url = url.rstrip("/")
        self.origin = origin or self.url
        self.user = user
        self.http = requests.Session()
        self.http.trust_env = False
        self._csrf = None

    def request(self, method, path, **options):
        options.setdefault("timeout", 30)
        options.setdefault("allow_redirects", False)
        url = path if path.startswith("http://") else self.url + path
        begun = time.monotonic()
        outcome = None
        try:
            outcome = self.http.request(method, url, **options)
            return outcome
        except requests.RequestException as fault:
            outcome = fault
            raise
        finally:
            for observer in self.observers:
                observer(method, path, outcome, begun, self)

    @property
    def session_cookie(self):
        for name in SESSION_COOKIES:
            value = self.http.cookies.get(name)
            if value:
                return value
        return None

    @property
    def is_signed_in(self):
        return self.session_cookie is not None

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def post(self, path, data=None, csrf=True, origin=True, headers=None, **options):
        """POSTs a form. Adds the token when signed in (unless csrf=False or `data` has one) and Origin
        (origin=False leaves it out, a text is sent as it is). `data`: dict, list of pairs, bytes or text."""
        headers = dict(headers or {})
        if origin:
            headers.setdefault("Origin", self.origin if origin is True else origin)
        if isinstance(data, dict):
            data = list(data.items())
        if isinstance(data, (list, tuple)) or data is None:
            data = list(data or [])
            if csrf and self.is_signed_in and not any(name == "csrf" for name, _ in data):
                data.append(("csrf", self.csrf()))
        if isinstance(data, (bytes, str)):
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return self.request("POST", path, data=data, headers=headers, **options)

    def login(self, user, password):
        """Types name and password into the login form. Returns the answer; what it means is the test's business."""
        self._csrf = None
        answer = self.post("/users/login", {"username": user, "password": password}, csrf=False)
        if answer.status_code == 302 and self.is_signed_in:
            self.user = user
        return answer

    def logout(self):
        self._csrf = None
        return self.get("/users/logout")

    def csrf(self):
        """The form token of this session, read once from the page that adds a note."""
        if self._csrf is None:
            answer = self.get("/notes/add")
            assert answer.status_code == 200, f"no form page: {answer.status_code} {answer.headers}"
            field = Page(answer.text).first("input", name="csrf")
            assert field is not None and field["value"], "no csrf field in the form"
            self._csrf = field["value"]
        return self._csrf

    def html(self, path, status=200, **options):
        """GETs a page and reads it; asserts the status and that the markup is sound."""
        answer = self.get(path, **options)
        assert answer.status_code == status, f"{path}: {answer.status_code}, wanted {status}"
        return read_page(answer)


def read_page(answer):
    """The HTML of an answer as a Page; asserts the content type and sound markup."""
    assert answer.headers["Content-Type"].lower().replace(" ", "") == "text/html;charset=utf-8", answer.headers
    page = Page(answer.content.decode("utf-8"))
    assert page.faults == [], page.faults
    return page


def browser_session(site, user=None):
    """A Client of the site; signed in when a user of `site.passwords` is named."""
    client = Client(site.url)
    if user is not None:
        answer = client.login(user, site.passwords[user])
        assert answer.status_code == 302 and client.is_signed_in, (answer.status_code, answer.headers)
        assert answer.headers["Location"] != "login", "password refused"
    return client

# SPDX-License-Identifier: MIT
"""A requests.Session for the REST interface of userauth-svc: paths instead of URLs, Basic auth, no proxies.
Every answer is looked through for passwords, keys and hashes."""
import requests

from .programs import assert_no_secret


class Api(requests.Session):
    """api.get("/find/me"), api.post("/create-user", json={...}); `.url` is the service's root."""

    def __init__(self, url, name=None, key=None):
        super().__init__()
        self.url = url
        self.trust_env = False
        if name is not None:
            self.auth = (name, key)

    def request(self, method, path, **options):
        options.setdefault("timeout", 30)
        options.setdefault("allow_redirects", False)
        answer = super().request(method, self.url + path, **options)
        assert_no_secret(answer.text + str(answer.headers))
        return answer

    def create(self, username, password, **members):
        """Makes a local user through plainPassword; returns the answer's JSON."""
        answer = self.post("/create-user", json={"username": username, "provider": "local",
                                                 "plainPassword": password, **members})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def check(self, username, password, client=None):
        """POST /password-check; returns the response."""
        body = {"username": username, "password": password}
        if client is not None:
            body["client"] = client
        return self.post("/password-check", json=body)

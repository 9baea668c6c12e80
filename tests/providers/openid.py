# SPDX-License-Identifier: MIT
"""oidc-provider as a process: `openid/provider.mjs`, which see. Started before the site, whose address it then is told."""
import json
import secrets
import subprocess

import requests

from harness import programs
from harness.ports import free_port
from harness.wait import until

CONFIDENTIAL, PUBLIC = "notes", "notes-public"
READY_TIMEOUT_S = 60


class OpenId:
    def __init__(self, place, folder, authority=None):
        """`place` is where harness.npm installed it; with an authority it speaks TLS."""
        self.place, self.folder = place, folder
        self.port = free_port()
        self.files = authority.sign("openid", "DNS:localhost", "IP:127.0.0.1") if authority else ()
        self.ca = str(authority.certificate) if authority else None
        self.url = f"{'https' if authority else 'http'}://localhost:{self.port}"
        self.secret = programs.new_password("client secret:+%/")
        self.told = {"accounts": {}}
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def settings(self):
        return {"OIDC_ISSUER": self.url, "OIDC_CLIENT_ID": CONFIDENTIAL, "OIDC_CLIENT_SECRET": self.secret}

    # --- life ---

    def start(self):
        with open(self.folder / "openid.log", "ab") as log:
            self.process = subprocess.Popen(["node", str(self.place / "provider.mjs"), self.url, str(self.port), *map(str, self.files)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=programs.die_with_parent)
        until(self._answers, "the provider's discovery", READY_TIMEOUT_S)
        self.tell(**self.told)
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "openid.log").read_text()[-2000:]
        try:
            return self.http().get(self.url + "/.well-known/openid-configuration").status_code == 200
        except requests.ConnectionError:
            return False

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def http(self):
        """A stranger's HTTP session."""
        session = requests.Session()
        session.trust_env = False
        session.verify = self.ca or True
        return session

    # --- what it is told ---

    def tell(self, **what):
        answer = self.http().post(self.url + "/control", data=json.dumps(what), timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, site_url, alg="RS256", **more):
        """Makes the site known, with and without a secret."""
        common = {"redirect_uris": [site_url + "/users/auth/oidc/callback"], "post_logout_redirect_uris": [site_url + "/"],
                  "response_types": ["code"], "grant_types": ["authorization_code"], "id_token_signed_response_alg": alg, **more}
        self.told["clients"] = [
            {"token_endpoint_auth_method": "client_secret_basic", **common, "client_id": CONFIDENTIAL, "client_secret": self.secret},
            {**common, "client_id": PUBLIC, "token_endpoint_auth_method": "none"},
        ]
        self.tell(clients=self.told["clients"])

    def account(self, login, **claims):
        """Makes an account; returns its subject."""
        subject = secrets.token_hex(8)
        claims = {"preferred_username": login, "name": "A person", "given_name": "A", "family_name": "Person",
                  "email": login + "@example.org", "email_verified": True, **claims}
        self.told["accounts"][login] = {"sub": subject, **claims}
        self.tell(accounts=self.told["accounts"])
        return subject

    def rotate_keys(self, keeps_old=False):
        return self.tell(rotate=keeps_old)["kids"]

    def is_code_good(self, code):
        return self.tell(code=code)["isCodeGood"]

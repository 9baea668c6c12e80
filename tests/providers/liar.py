# SPDX-License-Identifier: MIT
"""An OpenID Connect provider that lies as a test orders, and is honest otherwise. It asks nobody: whoever comes is `subject`.

    with liar.lying(claims={"aud": "somebody else"}):
        ...
It checks what a relying party must do right: client, redirect URI, PKCE, a code once only.
"""
import base64
import contextlib
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlencode

from harness import programs
from keys import Key, encode, token
from served import Served, as_json, page, redirect

ID_TOKEN_S = 600


@dataclass
class Lies:
    """What is said instead; in the dicts, None takes a member away."""
    discovery: dict = field(default_factory=dict)
    redirect: dict = field(default_factory=dict)    # the answer to the browser
    header: dict = field(default_factory=dict)      # of the ID token
    claims: dict = field(default_factory=dict)
    sign: object = None                             # bytes -> signature
    make_token: object = None                       # (header, claims, sign) -> the ID token
    answer: dict = field(default_factory=dict)      # of the token endpoint
    person: dict = field(default_factory=dict)      # user info
    keys: list | None = None                        # JWKs that are published


def changed(honest, lies):
    return {name: value for name, value in {**honest, **lies}.items() if value is not None}


class Liar(Served):
    client_id = "notes of the liar"

    def __init__(self, **options):
        super().__init__(**options)
        self.secret = programs.new_password("liar's client:+%/")
        self.key = Key("first")
        self.lies = Lies()
        self.subject = "1"
        self.claims = {}
        self.codes = {}
        self.granted = {}
        self.callbacks = set()

    @property
    def settings(self):
        return {"OIDC_ISSUER": self.url, "OIDC_CLIENT_ID": self.client_id, "OIDC_CLIENT_SECRET": self.secret}

    def register(self, site_url):
        self.callbacks.add(site_url + "/users/auth/oidc/callback")

    def is_somebody(self, **claims):
        """From now on somebody new signs in. Returns the subject."""
        self.subject, self.claims = secrets.token_hex(8), claims
        return self.subject

    @contextlib.contextmanager
    def lying(self, **lies):
        self.lies = Lies(**lies)
        try:
            yield self
        finally:
            self.lies = Lies()

    def answer(self, rq):
        routes = {"/.well-known/openid-configuration": self.discovery, "/jwks": self.jwks, "/authorize": self.authorize,
                  "/token": self.exchange, "/userinfo": self.userinfo, "/end": lambda _: page("<h1>Signed out here too</h1>")}
        return routes[rq.route](rq) if rq.route in routes else as_json({"error": "no such path"}, 404)

    # --- what it offers ---

    def discovery(self, _):
        honest = {"issuer": self.url, "authorization_endpoint": self.url + "/authorize", "token_endpoint": self.url + "/token",
                  "userinfo_endpoint": self.url + "/userinfo", "jwks_uri": self.url + "/jwks", "end_session_endpoint": self.url + "/end",
                  "response_types_supported": ["code"], "subject_types_supported": ["public"],
                  "id_token_signing_alg_values_supported": ["RS256", "ES256"], "scopes_supported": ["openid", "profile", "email"],
                  "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                  "code_challenge_methods_supported": ["S256"]}
        return as_json(changed(honest, self.lies.discovery))

    def jwks(self, _):
        return as_json({"keys": [self.key.jwk] if self.lies.keys is None else self.lies.keys})

    # --- the flow ---

    def authorize(self, rq):
        asked = rq.fields
        assert asked["response_type"] == "code" and asked["client_id"] == self.client_id and asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] in self.callbacks and "openid" in asked["scope"].split() and len(asked["nonce"]) >= 16
        code = programs.remember_secret(secrets.token_urlsafe(20))
        self.codes[code] = dict(asked)
        return redirect(asked["redirect_uri"] + "?" + urlencode(changed({"code": code, "state": asked["state"]}, self.lies.redirect)))

    def is_client(self, rq):
        """As the discovery says: a secret in the other place is no secret."""
        if self.lies.discovery.get("token_endpoint_auth_methods_supported") == ["client_secret_post"]:
            return "Authorization" not in rq.headers and (rq.fields.get("client_id"), rq.fields.get("client_secret")) == (self.client_id, self.secret)
        if "client_secret" in rq.fields:
            return False
        name, _, secret = base64.b64decode((rq.headers.get("Authorization") or "").removeprefix("Basic ")).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (self.client_id, self.secret)

    def exchange(self, rq):
        asked = self.codes.pop(rq.fields.get("code"), None)
        challenge = encode(hashlib.sha256(rq.fields.get("code_verifier", "").encode()).digest())
        if not self.is_client(rq):
            return as_json({"error": "invalid_client"}, 401)
        if not asked or challenge != asked["code_challenge"] or rq.fields.get("redirect_uri") != asked["redirect_uri"]:
            return as_json({"error": "invalid_grant"}, 400)
        access = programs.remember_secret(secrets.token_urlsafe(20))
        self.granted[access] = self.subject
        honest = {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(asked["nonce"])}
        return as_json(changed(honest, self.lies.answer))

    def id_token(self, nonce):
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client_id, "sub": self.subject, "iat": now, "exp": now + ID_TOKEN_S, "nonce": nonce}
        header = changed({"alg": self.key.alg, "kid": self.key.kid, "typ": "JWT"}, self.lies.header)
        return (self.lies.make_token or token)(header, changed(claims, self.lies.claims), self.lies.sign or self.key.sign)

    def userinfo(self, rq):
        subject = self.granted.get((rq.headers.get("Authorization") or "").removeprefix("Bearer "))
        if not subject:
            return as_json({"error": "invalid_token"}, 401)
        return as_json(changed({"sub": subject, **self.claims}, self.lies.person))

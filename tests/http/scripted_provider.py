# SPDX-License-Identifier: MIT
"""A provider on this machine that says what a test tells it: OpenID Connect with keys of its own, and Twitter's OAuth 1.0a
without a look at signatures (tests/providers has implementations that are not ours, for all that must be verified).

    with ScriptedProvider(tmp_path) as provider:
        site = make_site(**provider.oidc_settings())
        provider.person["sub"] = "42"
        answer = provider.sign_in(client, "oidc")     # the whole way there and back; the answer of the callback
"""
import base64
import hashlib
import http.server
import json
import subprocess
import threading
import time
import urllib.parse

from odd_service import PatientServer

CLIENT_ID = "notes"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """RS256 by openssl."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "provider.key"
        subprocess.run(["openssl", "genrsa", "-out", self.path, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True, text=True)
        self.modulus = bytes.fromhex(modulus.stdout.strip().removeprefix("Modulus="))

    @property
    def public(self):
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": base64url(self.modulus), "e": "AQAB"}

    def sign(self, claims):
        text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one"}, claims))
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True, capture_output=True)
        return text + "." + base64url(signed.stdout)


class ScriptedProvider:
    def __init__(self, folder):
        self.key = SigningKey(folder)
        self.person = {"sub": "248289761001", "name": "Jane Doe", "preferred_username": "jane", "given_name": "Jane",
                       "family_name": "Doe", "email": "jane@example.com", "email_verified": True}
        self.tweeter = {"id_str": "783214", "screen_name": "birdie", "name": "Birdie <b>Bird</b>"}
        self.claims = {}         # put over those of the ID token
        self.has_logout = True   # is an end_session_endpoint announced?
        self.status = 200        # of all answers but discovery
        self.asked = []          # paths, in order
        self.nonces = {}         # code -> nonce
        self.can_go_on = threading.Event()
        self.can_go_on.set()     # cleared: nothing is answered until it is set
        self.server = PatientServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.can_go_on.set()
        self.server.shutdown()
        self.server.server_close()

    def oidc_settings(self, **more):
        return {"OIDC_ISSUER": self.url, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_NAME": "Company", **more}

    def twitter_settings(self, **more):
        return {"TWITTER_CONSUMER_KEY": "consumer-key", "TWITTER_CONSUMER_SECRET": "consumer-secret", "TWITTER_API_URL": self.url,
                **more}

    # --- the browser's part ---

    def back(self, location, code="a-code"):
        """Where the browser is sent back to by who has said yes at `location`."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
        if "oauth_token" in query:
            return "/users/auth/twitter/callback?" + urllib.parse.urlencode(
                {"oauth_token": query["oauth_token"], "oauth_verifier": "a-verifier"})
        assert query["response_type"] == "code" and query["client_id"] == CLIENT_ID and query["code_challenge_method"] == "S256"
        self.nonces[code] = query["nonce"]
        self.challenge = query["code_challenge"]
        return "/users/auth/oidc/callback?" + urllib.parse.urlencode({"code": code, "state": query["state"]})

    def sign_in(self, client, which, link=False):
        begun = client.get(f"/users/auth/{which}" + ("?link" if link else ""))
        assert begun.status_code == 302, begun.text
        assert begun.headers["Location"].startswith(self.url + "/"), begun.headers["Location"]
        return client.get(self.back(begun.headers["Location"]))

    # --- its own part ---

    def discovery(self):
        found = {"issuer": self.url, "authorization_endpoint": self.url + "/authorize", "token_endpoint": self.url + "/token",
                 "jwks_uri": self.url + "/keys", "userinfo_endpoint": self.url + "/me", "response_types_supported": ["code"],
                 "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                 "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"]}
        return {**found, "end_session_endpoint": self.url + "/logout"} if self.has_logout else found

    def tokens(self, form):
        challenge = base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        assert challenge == self.challenge
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": self.person["sub"], "iat": now, "exp": now + 300,
                  "nonce": self.nonces[form["code"]], **self.claims}
        return {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.key.sign(claims)}

    def answer(self, path, form):
        """Status, type and body."""
        if path == "/.well-known/openid-configuration":
            return 200, "application/json", json.dumps(self.discovery())
        texts = {"/oauth/request_token": "oauth_token=request-token&oauth_token_secret=request-secret&oauth_callback_confirmed=true",
                 "/oauth/access_token": f"oauth_token=access-token&oauth_token_secret=access-secret&user_id={self.tweeter['id_str']}"
                                        f"&screen_name={self.tweeter['screen_name']}"}
        if path in texts:
            return self.status, "application/x-www-form-urlencoded", texts[path]
        values = {"/keys": lambda: {"keys": [self.key.public]}, "/me": lambda: self.person, "/token": lambda: self.tokens(form),
                  "/1.1/account/verify_credentials.json": lambda: self.tweeter}
        return (self.status, "application/json", json.dumps(values[path]())) if path in values else (404, "text/plain", "")

    def handler(provider):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                size = int(self.headers.get("Content-Length") or 0)
                form = dict(urllib.parse.parse_qsl(self.rfile.read(size).decode()))
                path = urllib.parse.urlsplit(self.path).path
                provider.asked.append(path)
                provider.can_go_on.wait(60)
                status, kind, body = provider.answer(path, form)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler

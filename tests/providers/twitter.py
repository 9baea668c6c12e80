# SPDX-License-Identifier: MIT
"""What Twitter's API is to a site that signs people in: OAuth 1.0a by oauthlib, which verifies every signature.

    /oauth/request_token, /oauth/authenticate (a page), /oauth/access_token, /1.1/account/verify_credentials.json

A nonce is taken once, a verifier once; keys, tokens and secrets have characters that must be escaped.
"""
import secrets
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, WebApplicationServer

from harness import programs
from served import Answer, Served, as_json, page, redirect

BIG_ID = 1 << 60  # ids are larger than what a double counts exactly
_ids = iter(range(BIG_ID + 1, BIG_ID + 1_000_000))


def new_token(prefix=""):
    return prefix + secrets.token_urlsafe(12) + "+/=%"


class Validator(RequestValidator):
    """oauthlib asks, this answers from tables. Each token is kept with its secret and what belongs to it."""
    enforce_ssl = False
    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    safe_characters = RequestValidator().safe_characters | set("-_.~+/=%")
    client_key_length = request_token_length = access_token_length = verifier_length = (10, 40)
    nonce_length = (16, 64)
    dummy_client, dummy_request_token, dummy_access_token = "no such client", "no such request token", "no such access token"

    def __init__(self, key, secret):
        super().__init__()
        self.clients = {key: secret}
        self.request_tokens = {}
        self.access_tokens = {}
        self.nonces = set()
        self.callbacks = set()

    # --- of every request ---

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        seen = (client_key, timestamp, nonce)
        is_new = seen not in self.nonces
        self.nonces.add(seen)
        return is_new

    def validate_client_key(self, client_key, request):
        return client_key in self.clients

    def get_client_secret(self, client_key, request):
        return self.clients.get(client_key, "of nobody")

    # --- request tokens ---

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri in self.callbacks

    def save_request_token(self, token, request):
        self.request_tokens[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "callback": request.redirect_uri}

    def validate_request_token(self, client_key, token, request):
        return token in self.request_tokens

    def verify_request_token(self, token, request):
        return token in self.request_tokens

    def get_request_token_secret(self, client_key, token, request):
        return self.request_tokens.get(token, {}).get("secret", "of nobody")

    def get_redirect_uri(self, token, request):
        return self.request_tokens[token]["callback"]

    def save_verifier(self, token, verifier, request):
        self.request_tokens[token]["verifier"] = verifier["oauth_verifier"]

    def validate_verifier(self, client_key, token, verifier, request):
        return verifier == self.request_tokens.get(token, {}).get("verifier")

    def invalidate_request_token(self, client_key, request_token, request):
        del self.request_tokens[request_token]

    # --- access tokens ---

    def save_access_token(self, token, request):
        account = self.request_tokens[request.resource_owner_key]["account"]
        self.access_tokens[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "account": account}

    def validate_access_token(self, client_key, token, request):
        return token in self.access_tokens

    def get_access_token_secret(self, client_key, token, request):
        return self.access_tokens.get(token, {}).get("secret", "of nobody")

    # --- realms, which Twitter has none of ---

    def get_realms(self, token, request):
        return []

    def get_default_realms(self, client_key, request):
        return []

    def validate_requested_realms(self, client_key, realms, request):
        return not realms

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def verify_realms(self, token, realms, request):
        return True


class Twitter(Served):
    def __init__(self, **options):
        super().__init__(**options)
        self.key, self.secret = new_token("key"), programs.remember_secret(new_token("secret"))
        self.validator = Validator(self.key, self.secret)
        self.oauth = WebApplicationServer(self.validator)
        self.oauth.token_generator = new_token
        self.accounts = {}
        self.lies = {}  # members of the profile

    @property
    def settings(self):
        return {"TWITTER_CONSUMER_KEY": self.key, "TWITTER_CONSUMER_SECRET": self.secret, "TWITTER_API_URL": self.url}

    def account(self, screen_name, name="A person", **more):
        """Makes an account; returns its id as text."""
        number = next(_ids)
        self.accounts[screen_name] = {"id": number, "id_str": str(number), "screen_name": screen_name, "name": name, **more}
        return str(number)

    def register(self, site_url):
        self.validator.callbacks.add(site_url + "/users/auth/twitter/callback")

    def answer(self, rq):
        routes = {("POST", "/oauth/request_token"): self.request_token, ("GET", "/oauth/authenticate"): self.ask,
                  ("POST", "/oauth/authenticate"): self.decide, ("POST", "/oauth/access_token"): self.access_token,
                  ("GET", "/1.1/account/verify_credentials.json"): self.profile}
        answers = routes.get((rq.command, rq.route))
        return answers(rq) if answers else as_json({"errors": [{"code": 34, "message": "no such path"}]}, 404)

    def request_token(self, rq):
        return self._sent(self.oauth.create_request_token_response(self.url + rq.path, rq.command, rq.text, dict(rq.headers)))

    def access_token(self, rq):
        answer = self._sent(self.oauth.create_access_token_response(self.url + rq.path, rq.command, rq.text, dict(rq.headers)))
        if answer.status == 200:
            account = self.accounts[self.validator.access_tokens[dict(parse_qsl(answer.body))["oauth_token"]]["account"]]
            answer.body += "&" + urlencode({"user_id": account["id_str"], "screen_name": account["screen_name"]})
        return answer

    @staticmethod
    def _sent(response):
        headers, body, status = response
        if status == 200:
            programs.remember_secret(dict(parse_qsl(body))["oauth_token_secret"])
        return Answer(status, headers.get("Content-Type", "text/plain"), body or "")

    def ask(self, rq):
        if rq.fields.get("oauth_token") not in self.validator.request_tokens:
            return Answer(403, "text/html; charset=utf-8", "<h1>This page is no longer valid</h1>")
        action = "/oauth/authenticate?" + urlencode({"oauth_token": rq.fields["oauth_token"]})
        return page(f"""<h1>Authorize Notes?</h1><form method="post" action="{action.replace("&", "&amp;")}"><input name="account" autofocus>
            <button name="do" value="sign in">Authorize app</button><button name="do" value="decline">Cancel</button></form>""")

    def decide(self, rq):
        token, account = rq.fields["oauth_token"], rq.fields.get("account")
        if rq.fields.get("do") == "decline":
            return redirect(self.validator.request_tokens.pop(token)["callback"] + "?" + urlencode({"denied": token}))
        if account not in self.accounts:
            return Answer(400, "text/plain", "no such account")
        self.validator.request_tokens[token]["account"] = account
        headers, _, status = self.oauth.create_authorization_response(self.url + rq.path, rq.command)
        assert status == 302
        return redirect(headers["Location"])

    def profile(self, rq):
        is_valid, request = self.oauth.validate_protected_resource_request(self.url + rq.path, rq.command, rq.text, dict(rq.headers))
        if not is_valid:
            return as_json({"errors": [{"code": 32, "message": "Could not authenticate you."}]}, 401)
        account = self.accounts[self.validator.access_tokens[request.resource_owner_key]["account"]]
        if rq.fields.get("include_email") != "true":
            account = {name: value for name, value in account.items() if name != "email"}
        return as_json({name: value for name, value in {**account, **self.lies}.items() if value is not None})

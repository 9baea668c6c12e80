# SPDX-License-Identifier: MIT
"""Keys of a lying provider, and tokens signed as a test orders, rightly or not. No library for tokens would sign all these."""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
CURVE_NAMES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
DIGESTS = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def encode(data):
    """base64url without padding, of bytes, text or what JSON can say."""
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data)
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def of_number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """A private key that signs with `alg`; `jwk` is what is published of it."""

    def __init__(self, kid, alg="RS256", bits=2048):
        self.kid, self.alg = kid, alg
        if alg in CURVES:
            self.private = ec.generate_private_key(CURVES[alg]())
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    @property
    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        common = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.alg in CURVES:
            size = (self.private.key_size + 7) // 8
            return {"kty": "EC", "crv": CURVE_NAMES[self.alg], **common,
                    "x": encode(numbers.x.to_bytes(size, "big")), "y": encode(numbers.y.to_bytes(size, "big"))}
        return {"kty": "RSA", **common, "n": of_number(numbers.n), "e": of_number(numbers.e)}

    def public_text(self, encoding=serialization.Encoding.PEM):
        return self.private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data, alg=None):
        alg = alg or self.alg
        digest = HASHES[alg[2:]]()
        if alg.startswith("ES"):
            size = (self.private.key_size + 7) // 8
            return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(self.private.sign(data, ec.ECDSA(digest))))
        if alg.startswith("PS"):
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)


def by_secret(secret, alg="HS256"):
    """Signs with a shared secret: key confusion, when the secret is what is published."""
    return lambda data: hmac.new(secret, data, DIGESTS[alg[2:]]).digest()


def no_signature(_data):
    return b""


def token(header, claims, sign):
    """A compact JWS; `claims` may be text, which then is signed as it is."""
    data = f"{encode(header)}.{encode(claims)}"
    return f"{data}.{encode(sign(data.encode()))}"

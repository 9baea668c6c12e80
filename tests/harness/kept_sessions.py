# SPDX-License-Identifier: MIT
"""The sessions that a notes-svc has kept, in its database or in its Redis; the service may be running.

    rows(notes)                 # one dict a session: digest, username, user_etag, and three times
    age(notes, used=7300)       # moves these times of all sessions into the past; what Redis lets go when, stays
    make_old(notes)             # as if a program that knows no devices had made them all
    clear(notes)
"""
import base64
import hashlib
from urllib.parse import urlsplit

from . import redis, stored

TIMES = ("created", "used", "checked")
PATTERN = "notes:*:session:*"
LISTS = "notes:*:user-sessions:*"
IN_DATABASE = "redis.call('SELECT', ARGV[1]) return redis.call(unpack(ARGV, 2))"


def redis_command(notes, *args):
    """A command in the Redis database that this service uses."""
    url = urlsplit(notes.settings["REDIS_URL"])
    return redis.command(url.port, "EVAL", IN_DATABASE, 0, url.path[1:] or 0, *args, password=notes.settings["REDIS_PASSWORD"])


def is_in_redis(notes):
    return bool(notes.settings.get("REDIS_URL"))


def redis_keys(notes, pattern=PATTERN):
    return redis_command(notes, "KEYS", pattern)


def digest_of(key):
    return key.decode().rpartition(":")[2]


def _read(notes, key):
    version, created, used, checked, etag, username, seal = redis_command(notes, "GET", key).decode().split("\n")
    row = {"digest": bytes.fromhex(digest_of(key)), "username": username, "user_etag": etag,
           "created_unix_ms": int(created), "used_unix_ms": int(used), "checked_unix_ms": int(checked)}
    assert (version, seal) == ("2", _seal(notes, row))
    return row


def _keyed(key, text):
    return hashlib.blake2b(text, key=key, digest_size=32).digest()


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _seal(notes, row):
    """The last line of a record: only who knows the key of the site, which is in its database, can write it."""
    with stored.opened(notes.database) as database:
        device_key, = database.execute("SELECT value FROM site_values WHERE name = 'device_key'").fetchone()
    key = _keyed(device_key if isinstance(device_key, bytes) else device_key.encode(), b"records of sessions")
    text = f"{_base64url(row['digest'])}\n{row['created_unix_ms']}\n{row['user_etag']}\n{row['username']}"
    return _base64url(_keyed(key, text.encode()))


def record_of(notes, row):
    """What the service itself would keep of such a session."""
    return "\n".join(["2", *(str(row[f"{name}_unix_ms"]) for name in TIMES), row["user_etag"], row["username"], _seal(notes, row)])


def rows(notes):
    if is_in_redis(notes):
        return [_read(notes, key) for key in redis_keys(notes)]
    with stored.opened(notes.database) as database:
        return [dict(zip(row.keys() if hasattr(row, "keys") else row.names, row))
                for row in database.execute("SELECT * FROM sessions").fetchall()]


def age(notes, **seconds):
    if not is_in_redis(notes):
        with stored.opened(notes.database, is_writable=True) as database:
            for name, value in seconds.items():
                database.execute(f"UPDATE sessions SET {name}_unix_ms = {name}_unix_ms - ?", (value * 1000,))
        return
    for key in redis_keys(notes):
        row = _read(notes, key)
        for name, value in seconds.items():
            row[f"{name}_unix_ms"] -= value * 1000
        redis_command(notes, "SET", key, record_of(notes, row), "KEEPTTL")


def make_old(notes):
    if is_in_redis(notes):
        for key in redis_keys(notes, LISTS):
            redis_command(notes, "DEL", key)
    else:
        with stored.opened(notes.database, is_writable=True) as database:
            database.execute("UPDATE sessions SET device = NULL, address = NULL")


def clear(notes):
    if is_in_redis(notes):
        for key in redis_keys(notes):
            redis_command(notes, "DEL", key)
    else:
        with stored.opened(notes.database, is_writable=True) as database:
            database.execute("DELETE FROM sessions")

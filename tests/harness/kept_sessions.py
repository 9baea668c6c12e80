# SPDX-License-Identifier: MIT
"""The sessions that a notes-svc has kept, in its database or in its Redis; the service may be running.

    rows(notes)                 # one dict a session: digest, username, user_etag, and three times
    age(notes, used=7300)       # moves these times of all sessions into the past; what Redis lets go when, stays
    make_old(notes)             # as if a program that knows no devices had made them all
    multiply(notes, name, 1000)  # so many more of this user, each like one that he has
    clear(notes)
"""
import base64
import hashlib
import secrets
from urllib.parse import urlsplit

from . import redis, stored

TIMES = ("created", "used", "checked")
PATTERN = "notes:*:session:*"
LISTS = "notes:*:user-sessions:*"
MULTIPLY = """redis.call('SELECT', ARGV[1])
for i = 4, #ARGV, 2 do
    redis.call('SET', ARGV[2] .. ARGV[i], ARGV[i + 1], 'PX', 3600000)
    redis.call('HSET', ARGV[3], ARGV[i], '')
end"""
IN_DATABASE = "redis.call('SELECT', ARGV[1]) return redis.call(unpack(ARGV, 2))"


def redis_command(notes, *args):
    """A command in the Redis database that this service uses."""
    url = urlsplit(notes.settings["REDIS_URL"])
    return redis.command(url.port, "EVAL", IN_DATABASE, 0, _database_of(notes), *args, password=notes.settings["REDIS_PASSWORD"])


def is_in_redis(notes):
    return bool(notes.settings.get("REDIS_URL"))


def _database_of(notes):
    return urlsplit(notes.settings["REDIS_URL"]).path[1:] or 0


def redis_keys(notes, pattern=PATTERN):
    return redis_command(notes, "KEYS", pattern)


def digest_of(key):
    return key.decode().rpartition(":")[2]


def _read(notes, key, site_key):
    version, created, used, checked, etag, username, seal = redis_command(notes, "GET", key).decode().split("\n")
    row = {"digest": bytes.fromhex(digest_of(key)), "username": username, "user_etag": etag,
           "created_unix_ms": int(created), "used_unix_ms": int(used), "checked_unix_ms": int(checked)}
    assert (version, seal) == ("2", _seal(site_key, row))
    return row


def _keyed(key, text):
    return hashlib.blake2b(text, key=key, digest_size=32).digest()


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _site_key(notes):
    with stored.opened(notes.database) as database:
        device_key, = database.execute("SELECT value FROM site_values WHERE name = 'device_key'").fetchone()
    return _keyed(device_key if isinstance(device_key, bytes) else device_key.encode(), b"records of sessions")


def _seal(site_key, row):
    """The last line of a record: only who knows the key of the site, which is in its database, can write it."""
    text = f"{_base64url(row['digest'])}\n{row['created_unix_ms']}\n{row['user_etag']}\n{row['username']}"
    return _base64url(_keyed(site_key, text.encode()))


def record_of(notes, row, site_key=None):
    """What the service itself would keep of such a session."""
    seal = _seal(site_key or _site_key(notes), row)
    return "\n".join(["2", *(str(row[f"{name}_unix_ms"]) for name in TIMES), row["user_etag"], row["username"], seal])


def rows(notes):
    if is_in_redis(notes):
        site_key = _site_key(notes)
        return [_read(notes, key, site_key) for key in redis_keys(notes)]
    with stored.opened(notes.database) as database:
        return [dict(zip(row.keys() if hasattr(row, "keys") else row.names, row))
                for row in database.execute("SELECT * FROM sessions").fetchall()]


def age(notes, **seconds):
    if not is_in_redis(notes):
        with stored.opened(notes.database, is_writable=True) as database:
            for name, value in seconds.items():
                database.execute(f"UPDATE sessions SET {name}_unix_ms = {name}_unix_ms - ?", (value * 1000,))
        return
    site_key = _site_key(notes)
    for key in redis_keys(notes):
        row = _read(notes, key, site_key)
        for name, value in seconds.items():
            row[f"{name}_unix_ms"] -= value * 1000
        redis_command(notes, "SET", key, record_of(notes, row, site_key), "KEEPTTL")


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


def multiply(notes, name, count):
    digests = [secrets.token_bytes(32) for _ in range(count)]
    model = next(row for row in rows(notes) if row["username"] == name)
    if not is_in_redis(notes):
        names = ["digest", "username", "user_etag", *(f"{time}_unix_ms" for time in TIMES)]
        insert = f"INSERT INTO sessions ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        with stored.opened(notes.database, is_writable=True) as database:
            for digest in digests:
                database.execute(insert, (digest, *(model[column] for column in names[1:])))
        return
    key = next(key for key in redis_keys(notes) if digest_of(key) == model["digest"].hex())
    entries = next(of_user for of_user in redis_keys(notes, LISTS) if redis_command(notes, "HEXISTS", of_user, digest_of(key)))
    site_key = _site_key(notes)
    more = [word for digest in digests for word in (digest.hex(), record_of(notes, {**model, "digest": digest}, site_key))]
    redis.command(urlsplit(notes.settings["REDIS_URL"]).port, "EVAL", MULTIPLY, 0, _database_of(notes), key[:-64], entries, *more,
                  password=notes.settings["REDIS_PASSWORD"])

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include whom. Two rules, both as data:

1. A folder includes its own layer and those below it, and a service never includes the other one.
2. A third-party header is included by the one file that owns it.

usage: check_layers.py ROOT; prints every fault as file:line: text and exits 1 when there is one.
"""
import pathlib
import re
import sys

# Folder -> folders that it may include besides its own. The longest matching folder counts.
MAY_INCLUDE = {
    "common/base": [],
    "common/http": ["common/base"],
    "common/data": ["common/base"],
    "common/service": ["common/base", "common/http", "common/data"],
    "userauth-svc/user": ["common", "userauth-svc/auth", "userauth-svc/rules", "userauth-svc"],
    "userauth-svc/auth": ["common", "userauth-svc/rules", "userauth-svc/user", "userauth-svc"],
    "userauth-svc/identity": ["common", "userauth-svc/auth", "userauth-svc/user", "userauth-svc/rules", "userauth-svc"],
    "userauth-svc/rules": ["common/base"],
    "userauth-svc/cli": ["common/base", "common/http", "userauth-svc/rules"],
    "userauth-svc": ["common", "userauth-svc/user", "userauth-svc/auth", "userauth-svc/identity", "userauth-svc/rules"],
    "notes-svc/views": ["common/base"],
    "notes-svc/page": ["common", "notes-svc/views", "notes-svc/session", "notes-svc/provider", "notes-svc"],
    "notes-svc/provider": ["common", "notes-svc/page", "notes-svc/views", "notes-svc/session", "notes-svc"],
    "notes-svc/live": ["common", "notes-svc/page", "notes-svc/session", "notes-svc/note", "notes-svc/comment", "notes-svc"],
    "notes-svc/session": ["common", "notes-svc/live", "notes-svc/page", "notes-svc/provider", "notes-svc/views", "notes-svc"],
    "notes-svc/note": ["common", "notes-svc/page", "notes-svc/views", "notes-svc/session", "notes-svc/comment", "notes-svc/live", "notes-svc"],
    "notes-svc/comment": ["common", "notes-svc/page", "notes-svc/views", "notes-svc/session", "notes-svc/note", "notes-svc/live", "notes-svc"],
    "notes-svc": ["common", "notes-svc/page", "notes-svc/session", "notes-svc/note", "notes-svc/comment", "notes-svc/live", "notes-svc/provider"],
}

# Pure files: no I/O, no library, nothing but base and one another.
PURE = ["notes-svc/note/note.", "notes-svc/comment/comment.", "userauth-svc/user/user.", "userauth-svc/identity/identity.", "userauth-svc/auth/throttle.", "userauth-svc/rules/password_rules.",
        "userauth-svc/rules/username_rules.", "notes-svc/live/bus_message.", "notes-svc/live/engineio.", "notes-svc/live/socketio.", "notes-svc/live/timers.",
        "notes-svc/provider/oauth1.", "notes-svc/provider/provider_url.", "notes-svc/provider/sealed."]

# Header -> files that own it.
OWNERS = {
    "microhttpd.h": ["common/http/http_server.c"],
    "zlib.h": ["common/http/gzip.c"],
    "curl/curl.h": ["common/http/http_client.c"],
    "sqlite3.h": ["common/data/db_sqlite.c", "common/data/db_sqlite_file.c", "common/data/db_sqlite_sleep.c"],
    "mysql.h": ["common/data/db_mysql_*"],
    "hiredis/hiredis.h": ["common/data/redis_link.c"],
    "wslay/wslay.h": ["common/http/websocket.c"],
    "nettle/sha1.h": ["common/http/websocket.c"],
    "nettle/base64.h": ["common/http/websocket.c", "notes-svc/provider/oauth1.c"],
    "nettle/hmac.h": ["notes-svc/provider/oauth1.c"],
    "nettle/sha2.h": ["notes-svc/provider/oidc.c"],
    "cjose/cjose.h": ["notes-svc/provider/jws.c"],
    "seccomp.h": ["common/service/syscall_filter.c"],
    "md4c.h": ["notes-svc/note/markdown.c"],
    "crypt.h": ["userauth-svc/auth/password.c"],
    "sodium.h": ["common/base/secret.c", "common/base/arena.c", "userauth-svc/auth/password.c"],
    "jansson.h": ["common/http/json_body.h", "common/http/json_body.c", "*_wire.c", "userauth-svc/cli/*"],
}

ROOTS = ["common", "userauth-svc", "notes-svc"]
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def folder_rules(path: str) -> tuple[str, list[str]]:
    folder = max((f for f in MAY_INCLUDE if path.startswith(f + "/")), key=len)
    return folder, MAY_INCLUDE[folder]


def resolve(root: pathlib.Path, path: str, name: str) -> str | None:
    service = path.split("/")[0]
    for base in [service, "common", str(pathlib.PurePath(path).parent)]:
        if (root / base / name).is_file():
            return f"{base}/{name}"
    return None


def is_allowed(folder: str, allowed: list[str], target: str) -> bool:
    target_folder = str(pathlib.PurePath(target).parent)
    if target_folder == folder or "common" in allowed and target.startswith("common/"):
        return True
    return target_folder in allowed


def owner_matches(path: str, owners: list[str]) -> bool:
    return any(pathlib.PurePath(path).match(owner) for owner in owners)


def check_include(root: pathlib.Path, path: str, quote: str, name: str) -> str | None:
    if quote == "<":
        if name in OWNERS and not owner_matches(path, OWNERS[name]):
            return f"<{name}> belongs to {', '.join(OWNERS[name])}"
        return None
    target = resolve(root, path, name)
    if target is None:
        return None  # made by the build
    folder, allowed = folder_rules(path)
    if not is_allowed(folder, allowed, target):
        return f'{folder} may not include "{name}"'
    if any(path.startswith(p) for p in PURE) and not target.startswith(("common/base/", folder + "/", *PURE)):
        return f'a pure file may not include "{name}"'
    return None


def main(root: pathlib.Path) -> int:
    faults, files = [], 0
    for top in ROOTS:
        for file in sorted((root / top).rglob("*.[ch]")):
            files += 1
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                fault = match and check_include(root, path, match[1], match[2])
                if fault:
                    faults.append(f"{path}:{number}: {fault}")
    print("\n".join(faults) or f"layers: {files} files, no fault")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))

# SPDX-License-Identifier: MIT
"""What a SQL loop runs: the statements that the work itself needs, as the services' stores have them. Values are
written as sql_loop.c reads them. What the service really sends is taken from the server's log and shown beside it."""
import re

NOTE_VIEW = """\
SELECT n.id, n.title, n.author, n.version, n.revision, n.created_unix_ms, n.changed_unix_ms, \
CASE WHEN v.html IS NULL THEN v.body END, v.html, v.editor FROM notes n JOIN note_versions v ON v.note_id = n.id \
AND v.version = n.version WHERE n.note_key = ?\tk:note-:{notes}
SELECT id, author, message, made_unix_ms FROM comments WHERE note_id = ? AND id < ? ORDER BY id DESC LIMIT ?\
\tc:0\ti:9223372036854775807\ti:21
"""

COMMENT = """\
START TRANSACTION
SELECT id, revision FROM notes WHERE note_key = ? FOR UPDATE SKIP LOCKED\tk:note-:{notes}
UPDATE notes SET revision = ? WHERE id = ?\tr:1\tc:0
INSERT INTO comments (note_id, author, message, made_unix_ms) VALUES (?, ?, ?, ?)\tc:0\tt:me\tt:{message}\ti:1700000000000
COMMIT
"""

FIND_USER = """\
SELECT id, username, COALESCE(disabled_provider, provider), family_name, given_name, middle_name, emails, photos, \
generation, disabled_provider IS NOT NULL AS is_disabled FROM users WHERE name_key = ?\tk:user-:{users}
"""

VALUE = re.compile(rb"'(?:[^'\\]|\\.|'')*'|\b\d+\b|\?", re.S)


def normal(statement):
    """A statement with every value as "?", so that a prepared one and its execution are equal."""
    text = statement if isinstance(statement, bytes) else statement.encode()
    return " ".join(VALUE.sub(b"?", text).decode(errors="replace").split())


def of_script(script):
    return [normal(line.split("\t")[0]) for line in script.splitlines() if line]

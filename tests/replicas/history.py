# SPDX-License-Identifier: MIT
"""What the database went through: triggers write down every committed change, and from that each state that a note or
the home list ever had is made again, in the order of commits. `server` is a harness.mariadb.MariaDb, or anything with its
`connect`, for an SQLite file too.

A change of a note holds the note's row until it commits, and one of the list the list's row: so the numbers that the
triggers give have, within a note and within the list, the order of commits.
"""
import contextlib
from dataclasses import dataclass

HOME_COUNT = 50
PAGE_COMMENTS = 20
COLUMNS = """what VARCHAR(16) NOT NULL, note_id BIGINT, note_key VARBINARY(1020), title VARCHAR(255), author VARCHAR(255),
    version BIGINT, revision BIGINT, home_revision BIGINT, comment_id BIGINT, message TEXT"""
TABLE = f"""CREATE TABLE test_history (seq BIGINT AUTO_INCREMENT PRIMARY KEY, {COLUMNS})
    ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"""
SQLITE_TABLE = f"CREATE TABLE test_history (seq INTEGER PRIMARY KEY AUTOINCREMENT, {COLUMNS})"
KEPT = ("what", "note_id", "note_key", "title", "author", "version", "revision", "home_revision", "comment_id", "message")
NOTE = "'note', NEW.id, NEW.note_key, NEW.title, NEW.author, NEW.version, NEW.revision, {home}, NULL, NULL"
TRIGGERS = {
    "AFTER INSERT ON notes": NOTE.format(home="NEW.home_revision"),
    "AFTER UPDATE ON notes": NOTE.format(home="NULLIF(NEW.home_revision, OLD.home_revision)"),
    "AFTER DELETE ON notes": "'gone', OLD.id, OLD.note_key, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    "AFTER INSERT ON comments": "'comment', NEW.note_id, NULL, NULL, NEW.author, NULL, NULL, NULL, NEW.id, NEW.message",
    "AFTER DELETE ON comments": "'uncomment', OLD.note_id, NULL, NULL, NULL, NULL, NULL, NULL, OLD.id, NULL",
    "AFTER UPDATE ON home_list": "'home', NULL, NULL, NULL, NULL, NULL, NULL, NEW.revision, NULL, NULL",
}


@dataclass(frozen=True)
class State:
    """A note as it was after one commit; `is_gone`: there was none. Comments: (id, author, message), newest first."""
    is_gone: bool = True
    revision: int = 0
    title: str = ""
    body: str = ""
    author: str = ""
    comments: tuple = ()


def install(server, schema, table=TABLE):
    """From now on everything is written down. Before the first change, please."""
    statements = [table]
    for place, (event, values) in enumerate(TRIGGERS.items()):
        statements.append(f"CREATE TRIGGER test_history_{place} {event} FOR EACH ROW BEGIN "
                          f"INSERT INTO test_history ({', '.join(KEPT)}) VALUES ({values}); END")
    with contextlib.closing(server.connect(schema)) as connection, contextlib.closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)


def as_text(key):
    return key.decode() if isinstance(key, bytes) else key


class History:
    def __init__(self, server, schema, since=None):
        """Reads all that happened until now; after since.forget() what came since then, on notes that were made since."""
        with contextlib.closing(server.connect(schema)) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(getattr(server, "begin", "START TRANSACTION WITH CONSISTENT SNAPSHOT"))
            cursor.execute(f"SELECT {', '.join(KEPT)} FROM test_history ORDER BY seq")
            self.rows = [dict(zip(KEPT, row)) for row in cursor.fetchall()]
            first_id = min((row["note_id"] for row in self.rows if row["note_id"] is not None), default=0)
            cursor.execute(f"SELECT note_id, version, body FROM note_versions WHERE note_id >= {first_id}")
            self.bodies = {(note_id, version): body for note_id, version, body in cursor.fetchall()}
        self.timelines = {}
        self.made_comments = []   # (key, id, author, message, revision)
        self.unmade_comments = []  # ids
        self.homes = [since.homes[-1] if since else (1, ())]  # (revision, ((key, title), ...)), in order
        self.listed = dict(since.listed) if since else {}  # by note_id: what orders it, key, title
        self._tell_notes()
        self._tell_homes()

    def forget(self, server, schema):
        """Nothing is written meanwhile. What was read so far is not kept any longer."""
        with contextlib.closing(server.connect(schema)) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("DELETE FROM test_history")

    def timeline(self, key):
        """The states of this key in order of commits; the first one is that there was no note."""
        return self.timelines.setdefault(key, [State()])

    def _tell_notes(self):
        keys = {}
        pending = {}
        for row in self.rows:
            note_id = row["note_id"]
            if row["what"] in ("note", "gone"):
                key = keys[note_id] = as_text(row["note_key"])
                line = self.timeline(key)
            if row["what"] == "note":
                kept = () if line[-1].is_gone else line[-1].comments
                dropped = pending.pop(note_id, set())
                line.append(State(False, row["revision"], row["title"], self.bodies[note_id, row["version"]], row["author"],
                                  tuple(one for one in kept if one[0] not in dropped)))
            elif row["what"] == "gone":
                line.append(State())
            elif row["what"] == "comment":  # comes after the note's new revision, in its transaction
                line = self.timeline(keys[note_id])
                made = (row["comment_id"], row["author"], row["message"])
                line[-1] = State(**{**vars(line[-1]), "comments": (made, *line[-1].comments)})
                self.made_comments.append((keys[note_id], *made, line[-1].revision))
            elif row["what"] == "uncomment":  # comes before it
                pending.setdefault(note_id, set()).add(row["comment_id"])
                self.unmade_comments.append(row["comment_id"])

    def _tell_homes(self):
        notes = self.listed
        revision = None
        for row in self.rows:
            if row["what"] == "home":
                revision = row["home_revision"]
                continue
            if row["what"] == "note" and row["home_revision"] is not None:
                notes[row["note_id"]] = (row["home_revision"], row["note_id"], as_text(row["note_key"]), row["title"])
            elif row["what"] == "gone":
                del notes[row["note_id"]]
            else:
                continue
            newest = sorted(notes.values(), reverse=True)[:HOME_COUNT]
            self.homes.append((revision, tuple((key, title) for _, _, key, title in newest)))

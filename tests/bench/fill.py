# SPDX-License-Identifier: MIT
"""The data of each case, put into the database by statements of their own: a million notes through the pages would take
an hour. The first note is made through the page, and the others have its text and HTML, so that sizes are real ones."""
import contextlib

MESSAGE = "Thanks, that helped: after the second restart the lamp went green, as you said."
PARAGRAPH = ("The pump in the cellar has to be **primed** before the first use: open the small valve, wait until no more air comes, and "
             "close it again. See [the manual](https://example.org/manual) for the drawing.\n\n")
BODY = ("# How we look after the house\n\n" + PARAGRAPH * 4 + "## What to do when\n\n"
        "- [x] spring: clean the gutters\n- [ ] autumn: empty the garden taps, *all four of them*\n- winter: `valve 3` stays closed\n\n"
        "| part | where | phone |\n| --- | --- | --- |\n| filter | attic, left | 555 0101 |\n| fuse box | hall | 555 0102 |\n\n" + PARAGRAPH * 2)
NUMBERS = "bench_numbers"
PIECE = 50000


def _numbers(run, count):
    """A table of 0..count-1, on every engine."""
    run(f"CREATE TABLE IF NOT EXISTS {NUMBERS} (n BIGINT NOT NULL PRIMARY KEY)")
    run(f"INSERT IGNORE INTO {NUMBERS} VALUES (0)")
    have = 1
    while have < count:
        run(f"INSERT IGNORE INTO {NUMBERS} SELECT n + {have} FROM {NUMBERS} WHERE n + {have} < {count}")
        have *= 2


def _pieces(first, last):
    return ((low, min(low + PIECE, last)) for low in range(first, last, PIECE))


@contextlib.contextmanager
def _quickly(server, schema):
    """What is filled in need not be durable, what is measured must be."""
    connection = server.connect(schema)
    durable = "SELECT @@GLOBAL.innodb_flush_log_at_trx_commit"
    with connection.cursor() as cursor:
        cursor.execute(durable)
        before = cursor.fetchone()[0]
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
        cursor.execute("SET SESSION transaction_isolation = 'READ-COMMITTED'" if server.name == "MySQL"
                       else "SET SESSION tx_isolation = 'READ-COMMITTED'")
        try:
            yield cursor.execute
        finally:
            cursor.execute(f"DROP TABLE IF EXISTS {NUMBERS}")
            cursor.execute(f"SET GLOBAL innodb_flush_log_at_trx_commit = {before}")
    connection.close()


def notes(server, schema, count, has_texts=True):
    """Notes 1..count-1 beside the first one, which is there."""
    with _quickly(server, schema) as run:
        _numbers(run, count)
        for low, high in _pieces(1, count):
            run(f"""INSERT INTO notes (id, note_key, title, author, version, revision, home_revision, created_unix_ms, changed_unix_ms)
                    SELECT first.id + n, CONCAT('note-', LPAD(n, 7, '0')), CONCAT('How we look after house number ', n), 'me', 1,
                    first.revision + n, first.home_revision + n, first.created_unix_ms, first.changed_unix_ms
                    FROM {NUMBERS} JOIN notes first ON first.note_key = 'note-0000000' WHERE n >= {low} AND n < {high}""")
        for low, high in _pieces(1, count) if has_texts else ():
            run(f"""INSERT INTO note_versions (note_id, version, title, editor, saved_unix_ms, html, body)
                    SELECT first.id + n, 1, first_text.title, first_text.editor, first_text.saved_unix_ms, first_text.html, first_text.body
                    FROM {NUMBERS} JOIN notes first ON first.note_key = 'note-0000000'
                    JOIN note_versions first_text ON first_text.note_id = first.id WHERE n >= {low} AND n < {high}""")
        run("UPDATE home_list SET revision = (SELECT MAX(home_revision) FROM notes)")
        run("ANALYZE TABLE notes")


def comments(server, schema, each, first=0, last=1):
    """`each` comments on every note of the numbers first..last-1."""
    with _quickly(server, schema) as run:
        _numbers(run, max(each, last))
        for low, high in _pieces(first, last) if each < PIECE else ((n, n + 1) for n in range(first, last)):
            for lowest in range(0, each, 20):
                run(f"""INSERT INTO comments (note_id, author, message, made_unix_ms)
                        SELECT notes.id, 'me', '{MESSAGE}', notes.changed_unix_ms + which.n FROM {NUMBERS} which
                        JOIN {NUMBERS} note_number ON note_number.n >= {low} AND note_number.n < {high}
                        JOIN notes ON notes.note_key = CONCAT('note-', LPAD(note_number.n, 7, '0'))
                        WHERE which.n >= {lowest} AND which.n < {min(lowest + 20, each)}""")
        run("ANALYZE TABLE comments")


def users(server, schema, count):
    """user-0000000 and so on, none with a password, all with names and an address."""
    with _quickly(server, schema) as run:
        _numbers(run, count)
        for low, high in _pieces(0, count):
            run(f"""INSERT INTO users (name_key, username, password, generation, provider, family_name, given_name, middle_name,
                    emails, photos, created_unix_ms, updated_unix_ms)
                    SELECT CONCAT('user-', LPAD(n, 7, '0')), CONCAT('user-', LPAD(n, 7, '0')), NULL, LPAD(HEX(n), 32, '0'), 'local', 'Appleby', 'Ada', NULL,
                    CONCAT('["user', n, '@example.org"]'), '[]', 1700000000000, 1700000000000
                    FROM {NUMBERS} WHERE n >= {low} AND n < {high}""")
        run("ANALYZE TABLE users")

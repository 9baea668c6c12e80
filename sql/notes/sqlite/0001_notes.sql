-- oldest program: 1
-- Notes with their comments and earlier versions, sessions, and what the site knows of itself.

-- No text is in here: a comment renews the revision, and must not rewrite a megabyte for it.
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given twice: versions and comments hang on it, not on the key
    note_key TEXT NOT NULL UNIQUE,             -- compared byte by byte
    title TEXT NOT NULL,
    author TEXT,                               -- who made the note
    version INTEGER NOT NULL,                  -- counts changes of the text; starts above a destroyed note of the key
    revision INTEGER NOT NULL,                 -- of the note and its comments: max(previous + 1, now in ms)
    home_revision INTEGER NOT NULL,            -- of the home list when the text changed: orders the home page
    created_unix_ms INTEGER NOT NULL,
    changed_unix_ms INTEGER NOT NULL           -- of the text
) STRICT;

CREATE INDEX notes_by_change ON notes (home_revision, id);

-- Every text that a note had and has; the row of the note's own version is the present one.
CREATE TABLE note_versions (
    note_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    editor TEXT,                               -- who saved it
    saved_unix_ms INTEGER NOT NULL,
    html TEXT,                                 -- made from body when it was saved; NULL: too large (the text is
                                               -- shown), or no longer the present version
    body TEXT NOT NULL,                        -- Markdown as it was typed
    PRIMARY KEY (note_id, version)
) STRICT;

CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given twice
    note_id INTEGER NOT NULL,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    made_unix_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX comments_of_note ON comments (note_id, id);

-- Notes that were destroyed, restorable for 30 days; versions and comments stay with the id.
CREATE TABLE destroyed_notes (
    id INTEGER PRIMARY KEY,
    note_key TEXT NOT NULL,
    title TEXT NOT NULL,
    author TEXT,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,                 -- of the destruction: a note of the same key starts above it
    created_unix_ms INTEGER NOT NULL,
    changed_unix_ms INTEGER NOT NULL,
    destroyed_by TEXT,
    destroyed_unix_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX destroyed_notes_by_key ON destroyed_notes (note_key, revision);
CREATE INDEX destroyed_notes_by_time ON destroyed_notes (destroyed_unix_ms);

-- One row: the revision of the list of all notes.
CREATE TABLE home_list (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO home_list (id, revision) VALUES (1, 1);

-- Name and value, such as the key that signs device cookies.
CREATE TABLE site_values (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    digest BLOB PRIMARY KEY,                   -- BLAKE2b-256 of the cookie's value, which is stored nowhere
    username TEXT NOT NULL,                    -- in the stored spelling
    user_etag TEXT NOT NULL,                   -- account and password generation at sign-in
    created_unix_ms INTEGER NOT NULL,
    used_unix_ms INTEGER NOT NULL,             -- for the idle life; written at most once a minute
    checked_unix_ms INTEGER NOT NULL           -- when the user service last confirmed the user
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (username);
CREATE INDEX sessions_by_created ON sessions (created_unix_ms);
CREATE INDEX sessions_by_use ON sessions (used_unix_ms);

-- oldest program: 1
-- Notes with their comments and earlier versions, sessions, and what the site knows of itself.
-- Keys are bytes (255 characters of 4): no collation may fold case or trailing spaces.

-- No text is in here: a comment renews the revision, and must not rewrite a megabyte for it.
CREATE TABLE notes (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- never given twice: versions and comments hang on it, not on the key
    note_key VARBINARY(1020) NOT NULL UNIQUE,
    title VARCHAR(255) NOT NULL,
    author VARCHAR(255),                           -- who made the note
    version BIGINT NOT NULL,                       -- counts changes of the text; starts above a destroyed note of the key
    revision BIGINT NOT NULL,                      -- of the note and its comments: max(previous + 1, now in ms)
    home_revision BIGINT NOT NULL,                 -- of the home list when the text changed: orders the home page
    created_unix_ms BIGINT NOT NULL,
    changed_unix_ms BIGINT NOT NULL,               -- of the text
    KEY notes_by_change (home_revision, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Every text that a note had and has; the row of the note's own version is the present one.
CREATE TABLE note_versions (
    note_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    title VARCHAR(255) NOT NULL,
    editor VARCHAR(255),                           -- who saved it
    saved_unix_ms BIGINT NOT NULL,
    html MEDIUMTEXT,                               -- made from body when it was saved; NULL: too large (the text is
                                                   -- shown), or no longer the present version
    body MEDIUMTEXT NOT NULL,                      -- Markdown as it was typed
    PRIMARY KEY (note_id, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

CREATE TABLE comments (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- never given twice
    note_id BIGINT NOT NULL,
    author VARCHAR(255) NOT NULL,
    message TEXT NOT NULL,
    made_unix_ms BIGINT NOT NULL,
    KEY comments_of_note (note_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Notes that were destroyed, restorable for 30 days; versions and comments stay with the id.
CREATE TABLE destroyed_notes (
    id BIGINT NOT NULL PRIMARY KEY,
    note_key VARBINARY(1020) NOT NULL,
    title VARCHAR(255) NOT NULL,
    author VARCHAR(255),
    version BIGINT NOT NULL,
    revision BIGINT NOT NULL,                      -- of the destruction: a note of the same key starts above it
    created_unix_ms BIGINT NOT NULL,
    changed_unix_ms BIGINT NOT NULL,
    destroyed_by VARCHAR(255),
    destroyed_unix_ms BIGINT NOT NULL,
    KEY destroyed_notes_by_key (note_key, revision),
    KEY destroyed_notes_by_time (destroyed_unix_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- One row: the revision of the list of all notes.
CREATE TABLE home_list (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
) ENGINE = InnoDB;

INSERT INTO home_list (id, revision) VALUES (1, 1);

-- Name and value, such as the key that signs device cookies.
CREATE TABLE site_values (
    name VARBINARY(255) NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

CREATE TABLE sessions (
    digest BINARY(32) NOT NULL PRIMARY KEY,        -- BLAKE2b-256 of the cookie's value, which is stored nowhere
    username VARCHAR(255) NOT NULL,                -- in the stored spelling
    user_etag VARCHAR(255) NOT NULL,               -- account and password generation at sign-in
    created_unix_ms BIGINT NOT NULL,
    used_unix_ms BIGINT NOT NULL,                  -- for the idle life; written at most once a minute
    checked_unix_ms BIGINT NOT NULL,               -- when the user service last confirmed the user
    KEY sessions_by_user (username),
    KEY sessions_by_created (created_unix_ms),
    KEY sessions_by_use (used_unix_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- oldest program: 1
-- Users, and how often each name was tried in vain.

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given twice
    name_key TEXT NOT NULL UNIQUE,             -- the username in ASCII lower case: found and unique regardless of case
    username TEXT NOT NULL,                    -- as it was typed
    password TEXT,                             -- Argon2id or bcrypt; NULL: none that could match
    generation TEXT NOT NULL,                  -- random, renewed with the account and with each new password
    provider TEXT NOT NULL,
    family_name TEXT,
    given_name TEXT,
    middle_name TEXT,
    emails TEXT NOT NULL,                      -- JSON array
    photos TEXT NOT NULL,                      -- JSON array
    created_unix_ms INTEGER NOT NULL,
    updated_unix_ms INTEGER NOT NULL
) STRICT;

-- The next user with a password is found without a walk over all those that have none.
CREATE INDEX users_with_password ON users (id) WHERE password IS NOT NULL;

-- What all processes on this database must agree on, made at the first start.
CREATE TABLE service_values (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL                        -- may be a secret
) STRICT, WITHOUT ROWID;

-- One row per typed name and client; the row with client '' and is_total = 1 counts over all clients of a name.
CREATE TABLE login_throttle (
    name_key TEXT NOT NULL,
    is_total INTEGER NOT NULL,
    client TEXT NOT NULL,
    failures INTEGER NOT NULL,                 -- in a row
    wait_until_unix_ms INTEGER NOT NULL,
    has_succeeded INTEGER NOT NULL,            -- this client has signed in as this name before
    used_unix_ms INTEGER NOT NULL,             -- for making room: the oldest go first
    PRIMARY KEY (name_key, is_total, client)
) STRICT, WITHOUT ROWID;

CREATE INDEX login_throttle_used ON login_throttle (has_succeeded, used_unix_ms);

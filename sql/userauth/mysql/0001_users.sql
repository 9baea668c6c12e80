-- oldest program: 1
-- Users, and how often each name was tried in vain. Keys are bytes: no collation decides who somebody is.

CREATE TABLE users (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- never given twice
    name_key VARBINARY(1020) NOT NULL UNIQUE,      -- the username in ASCII lower case: found and unique regardless of case
    username VARCHAR(255) NOT NULL,                -- as it was typed
    password VARCHAR(255),                         -- Argon2id or bcrypt; NULL: none that could match
    generation VARCHAR(255) NOT NULL,              -- random, renewed with the account and with each new password
    provider VARCHAR(255) NOT NULL,
    family_name VARCHAR(255),
    given_name VARCHAR(255),
    middle_name VARCHAR(255),
    emails TEXT NOT NULL,                          -- JSON array
    photos TEXT NOT NULL,                          -- JSON array
    created_unix_ms BIGINT NOT NULL,
    updated_unix_ms BIGINT NOT NULL,
    has_password TINYINT AS (password IS NOT NULL) STORED,
    KEY users_with_password (has_password, id)     -- the next one is found without a walk over those that have none
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- What all processes on this database must agree on, made at the first start.
CREATE TABLE service_values (
    name VARBINARY(255) NOT NULL PRIMARY KEY,
    value TEXT NOT NULL                            -- may be a secret
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- One row per typed name and client; the row with client '' and is_total = 1 counts over all clients of a name.
CREATE TABLE login_throttle (
    name_key VARBINARY(1020) NOT NULL,
    is_total TINYINT NOT NULL,
    client VARBINARY(1020) NOT NULL,
    failures BIGINT NOT NULL,                      -- in a row
    wait_until_unix_ms BIGINT NOT NULL,
    has_succeeded TINYINT NOT NULL,                -- this client has signed in as this name before
    used_unix_ms BIGINT NOT NULL,                  -- for making room: the oldest go first
    PRIMARY KEY (name_key, is_total, client),
    KEY login_throttle_used (has_succeeded, used_unix_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- oldest program: 1
-- By which accounts elsewhere a user signs in. A program that does not know this table destroys users all the same:
-- their identities go with the row.

CREATE TABLE identities (
    issuer TEXT NOT NULL,                      -- "twitter", or the address of an OpenID Connect provider
    subject TEXT NOT NULL,                     -- who it is there: never a name or an e-mail address
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,                    -- what the provider is called here
    created_unix_ms INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_of_user ON identities (user_id);

-- Names of destroyed users: what they wrote is still theirs, so nobody gets one by a name chosen elsewhere.
CREATE TABLE destroyed_names (
    name_key TEXT PRIMARY KEY                  -- as in users
) STRICT, WITHOUT ROWID;

-- oldest program: 1
-- By which accounts elsewhere a user signs in. A program that does not know this table destroys users all the same:
-- their identities go with the row.

CREATE TABLE identities (
    issuer VARBINARY(255) NOT NULL,                -- "twitter", or the address of an OpenID Connect provider
    subject VARBINARY(255) NOT NULL,               -- who it is there: never a name or an e-mail address
    user_id BIGINT NOT NULL,
    provider VARCHAR(255) NOT NULL,                -- what the provider is called here
    created_unix_ms BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject),
    KEY identities_of_user (user_id),
    CONSTRAINT identities_end_with_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Names of destroyed users: what they wrote is still theirs, so nobody gets one by a name chosen elsewhere.
CREATE TABLE destroyed_names (
    name_key VARBINARY(1020) NOT NULL PRIMARY KEY  -- as in users
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

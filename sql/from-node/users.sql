-- The users of the Node version, in the order in which they were made.
-- Values of `page`: id of the last row read, rows at most.
-- `next`, for a row that is too large to be read: id of the last row read; its id alone.
-- Columns: id (one that is no whole number in quotes),
-- username, password, provider, familyName, givenName, middleName, emails, photos, createdAt, updatedAt.

-- SQLite's substr makes NULL of an empty blob; of a text it would see nothing after a NUL.

-- statement: exists
-- on sqlite:
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'SQUsers'
-- on mysql:
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'SQUsers'
    AND table_type <> 'VIEW'

-- Rows that no page would find.
-- statement: unreachable
SELECT COUNT(*) FROM SQUsers WHERE id IS NULL OR id < -9223372036854775807

-- statement: page
-- on sqlite:
SELECT CASE WHEN typeof(id) = 'integer' THEN id ELSE quote(substr(id, 1, 64)) END,
    coalesce(substr(CAST(username AS BLOB), 1, 2048), CAST(username AS BLOB)),
    coalesce(substr(CAST(password AS BLOB), 1, 256), CAST(password AS BLOB)),
    coalesce(substr(CAST(provider AS BLOB), 1, 2048), CAST(provider AS BLOB)),
    coalesce(substr(CAST(familyName AS BLOB), 1, 2048), CAST(familyName AS BLOB)),
    coalesce(substr(CAST(givenName AS BLOB), 1, 2048), CAST(givenName AS BLOB)),
    coalesce(substr(CAST(middleName AS BLOB), 1, 2048), CAST(middleName AS BLOB)),
    coalesce(substr(CAST(emails AS BLOB), 1, 8193), CAST(emails AS BLOB)),
    coalesce(substr(CAST(photos AS BLOB), 1, 8193), CAST(photos AS BLOB)),
    substr(CAST(createdAt AS TEXT), 1, 64), substr(CAST(updatedAt AS TEXT), 1, 64)
FROM SQUsers WHERE id > ? ORDER BY id LIMIT ?
-- on mysql:
SELECT LEFT(CAST(id AS CHAR), 64), LEFT(username, 2048), LEFT(password, 256), LEFT(provider, 2048), LEFT(familyName, 2048),
    LEFT(givenName, 2048), LEFT(middleName, 2048), LEFT(emails, 8193), LEFT(photos, 8193),
    DATE_FORMAT(createdAt, '%Y-%m-%d %H:%i:%s.%f'), DATE_FORMAT(updatedAt, '%Y-%m-%d %H:%i:%s.%f')
FROM SQUsers WHERE id > ? ORDER BY id LIMIT ?

-- statement: next
-- on sqlite:
SELECT CASE WHEN typeof(id) = 'integer' THEN id ELSE quote(substr(id, 1, 64)) END
FROM SQUsers WHERE id > ? ORDER BY id LIMIT 1
-- on mysql:
SELECT LEFT(CAST(id AS CHAR), 64) FROM SQUsers WHERE id > ? ORDER BY id LIMIT 1

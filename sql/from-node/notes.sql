-- The notes of the Node version, in pages: SQLite by the row's number, MySQL by the key as its own collation orders it.
-- Values of `page`: largest body in bytes that is read (a larger one is NULL, its size says so), 1 for the first page,
-- place of the last row read, rows at most. Texts come as they are, or cut where they are too long here anyway.
-- `next`, for a row that is too large to be read, has the two values of the place only; `next_place`, when its key is, too.
-- Columns: place (of SQLite NULL when it is no whole number), key, title, size of the body, body, createdAt, updatedAt.

-- SQLite's substr makes NULL of an empty blob; of a text it would see nothing after a NUL.

-- statement: exists
-- on sqlite:
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'SQNotes'
-- on mysql:
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'SQNotes'
    AND table_type <> 'VIEW'

-- statement: page
-- on sqlite:
SELECT CASE WHEN typeof(rowid) = 'integer' THEN rowid END,
    coalesce(substr(CAST(notekey AS BLOB), 1, 2048), CAST(notekey AS BLOB)),
    coalesce(substr(CAST(title AS BLOB), 1, 8192), CAST(title AS BLOB)),
    coalesce(length(CAST(body AS BLOB)), 0), CASE WHEN length(CAST(body AS BLOB)) <= ? THEN CAST(body AS BLOB) END,
    substr(CAST(createdAt AS TEXT), 1, 64), substr(CAST(updatedAt AS TEXT), 1, 64)
FROM SQNotes WHERE rowid > CASE WHEN ? THEN -9223372036854775807 ELSE ? END ORDER BY rowid LIMIT ?
-- on mysql:
SELECT LEFT(notekey, 2048), LEFT(notekey, 2048), LEFT(title, 8192),
    COALESCE(LENGTH(body), 0), CASE WHEN LENGTH(body) <= ? THEN CONCAT(body) END,
    DATE_FORMAT(createdAt, '%Y-%m-%d %H:%i:%s.%f'), DATE_FORMAT(updatedAt, '%Y-%m-%d %H:%i:%s.%f')
FROM SQNotes WHERE (? OR notekey > ?) ORDER BY notekey LIMIT ?

-- statement: next
-- on sqlite:
SELECT CASE WHEN typeof(rowid) = 'integer' THEN rowid END,
    coalesce(substr(CAST(notekey AS BLOB), 1, 2048), CAST(notekey AS BLOB))
FROM SQNotes WHERE rowid > CASE WHEN ? THEN -9223372036854775807 ELSE ? END ORDER BY rowid LIMIT 1
-- on mysql:
SELECT LEFT(notekey, 2048), LEFT(notekey, 2048) FROM SQNotes WHERE (? OR notekey > ?) ORDER BY notekey LIMIT 1

-- statement: next_place
-- on sqlite:
SELECT CASE WHEN typeof(rowid) = 'integer' THEN rowid END
FROM SQNotes WHERE rowid > CASE WHEN ? THEN -9223372036854775807 ELSE ? END ORDER BY rowid LIMIT 1
-- on mysql:
SELECT LEFT(notekey, 2048) FROM SQNotes WHERE (? OR notekey > ?) ORDER BY notekey LIMIT 1

-- Where the Node version would have shown a comment of this room: MySQL's collation finds "Key" for "key", too.
-- statement: of_room
-- on sqlite:
SELECT coalesce(substr(CAST(notekey AS BLOB), 1, 2048), CAST(notekey AS BLOB)),
    coalesce(substr(CAST(title AS BLOB), 1, 8192), CAST(title AS BLOB)),
    coalesce(length(CAST(body AS BLOB)), 0), CASE WHEN length(CAST(body AS BLOB)) <= ? THEN CAST(body AS BLOB) END
FROM SQNotes WHERE notekey = ? ORDER BY rowid LIMIT 1
-- on mysql:
SELECT LEFT(notekey, 2048), LEFT(title, 8192), COALESCE(LENGTH(body), 0),
    CASE WHEN LENGTH(body) <= ? THEN CONCAT(body) END
FROM SQNotes WHERE notekey = ? LIMIT 1

-- The comments of the Node version, in the order in which they were made.
-- Values of `page`: id of the last row read, rows at most.
-- `next`, for a row that is too large to be read: id of the last row read; its id alone.
-- Columns: id (one that is no whole number in quotes), from, namespace, room, message, timestamp, createdAt, updatedAt.

-- SQLite's substr makes NULL of an empty blob; of a text it would see nothing after a NUL.

-- statement: exists
-- on sqlite:
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'SQMessages'
-- on mysql:
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'SQMessages'
    AND table_type <> 'VIEW'

-- Rows that no page would find.
-- statement: unreachable
SELECT COUNT(*) FROM SQMessages WHERE id IS NULL OR id < -9223372036854775807

-- statement: page
-- on sqlite:
SELECT CASE WHEN typeof(id) = 'integer' THEN id ELSE quote(substr(id, 1, 64)) END,
    coalesce(substr(CAST(`from` AS BLOB), 1, 2048), CAST(`from` AS BLOB)),
    coalesce(substr(CAST(namespace AS BLOB), 1, 2048), CAST(namespace AS BLOB)),
    coalesce(substr(CAST(room AS BLOB), 1, 2048), CAST(room AS BLOB)),
    coalesce(substr(CAST(message AS BLOB), 1, 8193), CAST(message AS BLOB)),
    substr(CAST(timestamp AS TEXT), 1, 64), substr(CAST(createdAt AS TEXT), 1, 64), substr(CAST(updatedAt AS TEXT), 1, 64)
FROM SQMessages WHERE id > ? ORDER BY id LIMIT ?
-- on mysql:
SELECT LEFT(CAST(id AS CHAR), 64), LEFT(`from`, 2048), LEFT(namespace, 2048), LEFT(room, 2048), LEFT(message, 8193),
    DATE_FORMAT(timestamp, '%Y-%m-%d %H:%i:%s.%f'), DATE_FORMAT(createdAt, '%Y-%m-%d %H:%i:%s.%f'),
    DATE_FORMAT(updatedAt, '%Y-%m-%d %H:%i:%s.%f')
FROM SQMessages WHERE id > ? ORDER BY id LIMIT ?

-- statement: next
-- on sqlite:
SELECT CASE WHEN typeof(id) = 'integer' THEN id ELSE quote(substr(id, 1, 64)) END
FROM SQMessages WHERE id > ? ORDER BY id LIMIT 1
-- on mysql:
SELECT LEFT(CAST(id AS CHAR), 64) FROM SQMessages WHERE id > ? ORDER BY id LIMIT 1

-- oldest program: 1
-- Where a session was signed in, for its owner's list. A program that does not know these leaves them NULL.

ALTER TABLE sessions ADD COLUMN device TEXT;  -- a name of ours, as "Firefox on Linux"
ALTER TABLE sessions ADD COLUMN address TEXT; -- of the client at sign-in

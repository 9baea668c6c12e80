-- oldest program: 1
-- Where a session was signed in, for its owner's list. A program that does not know these leaves them NULL.

ALTER TABLE sessions
    ADD COLUMN device VARCHAR(255), -- a name of ours, as "Firefox on Linux"
    ADD COLUMN address VARCHAR(255); -- of the client at sign-in

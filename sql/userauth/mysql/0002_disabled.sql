-- oldest program: 1
-- Users who are there, but may not sign in. Their `provider` is 'disabled' meanwhile, so that a program that knows
-- migration 1 only, which takes passwords of local users, lets none of them in.

ALTER TABLE users ADD COLUMN disabled_provider VARCHAR(255); -- the provider of a disabled user; NULL: not disabled

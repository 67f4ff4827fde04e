ALTER TABLE certifying_key DROP COLUMN is_guarded;
ALTER TABLE signing_key DROP COLUMN is_guarded;
DROP TABLE freeze;

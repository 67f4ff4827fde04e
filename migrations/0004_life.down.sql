ALTER TABLE signing_grant DROP COLUMN networks;
ALTER TABLE api_token DROP COLUMN last_used_at;
ALTER TABLE api_token DROP COLUMN scopes;
ALTER TABLE certifying_key DROP COLUMN is_guarded;
ALTER TABLE signing_key DROP COLUMN is_guarded;
DROP TABLE former_certificate;
DROP TABLE freeze;

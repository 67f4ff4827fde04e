ALTER TABLE proposal DROP FOREIGN KEY proposal_code;
ALTER TABLE proposal DROP INDEX proposal_code;
ALTER TABLE signing_grant DROP FOREIGN KEY signing_grant_code;
ALTER TABLE signing_grant DROP INDEX signing_grant_code;
ALTER TABLE certifying_key DROP FOREIGN KEY certifying_key_code;
ALTER TABLE certifying_key DROP INDEX certifying_key_code;
ALTER TABLE signing_key DROP FOREIGN KEY signing_key_code;
ALTER TABLE signing_key DROP INDEX signing_key_code;

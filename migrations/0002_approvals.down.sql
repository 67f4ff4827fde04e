ALTER TABLE certifying_key DROP INDEX certifying_key_state;
ALTER TABLE signing_key DROP INDEX signing_key_state;
ALTER TABLE account DROP COLUMN powers_since;
DROP TABLE revocation_list;
DROP TABLE proposal;

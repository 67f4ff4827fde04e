-- What people can do beside the life of keys.

-- What nothing is signed with until others let it go on: a key's id, or 16 zeros for all keys.
CREATE TABLE freeze (
    subject BINARY(16) NOT NULL PRIMARY KEY,
    account_id BINARY(16) NULL,
    account_name VARCHAR(256) NOT NULL,
    frozen_at DATETIME(6) NOT NULL,
    reason VARCHAR(200) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Enabling a guarded key, and grants that name it, take approvals. The row's code is over it too.
ALTER TABLE signing_key ADD COLUMN is_guarded BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE certifying_key ADD COLUMN is_guarded BOOLEAN NOT NULL DEFAULT 0;

-- What a token is for: words with spaces between them, none for whatever its user may do.
ALTER TABLE api_token ADD COLUMN scopes VARCHAR(255) NOT NULL DEFAULT '';
ALTER TABLE api_token ADD COLUMN last_used_at DATETIME(6) NULL;

-- From where a grant's clients may call: networks with spaces between them, none for everywhere.
ALTER TABLE signing_grant ADD COLUMN networks VARCHAR(4096) NOT NULL DEFAULT '';

-- A certificate of a key that a newer one took the place of: it stays good until its end, so a revocation lists it too.
CREATE TABLE former_certificate (
    key_id BINARY(16) NOT NULL,
    serial VARBINARY(20) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    replaced_at DATETIME(6) NOT NULL,
    PRIMARY KEY (key_id, serial)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

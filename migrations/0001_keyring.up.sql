-- Keys, grants, users, and what was done with them. Ids are 16 bytes of our own choosing; times are UTC.

-- Counts every change that data-servers have to know of. One row.
CREATE TABLE revision (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    number BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO revision (id, number) VALUES (1, 1);

-- The end of the audit's chain. One row.
CREATE TABLE audit_head (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    sequence BIGINT UNSIGNED NOT NULL,
    digest BINARY(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO audit_head (id, sequence, digest) VALUES (1, 0, UNHEX(REPEAT('00', 32)));

-- `body` is the canonical form; the other columns repeat parts of it for searches.
CREATE TABLE audit_entry (
    sequence BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    happened_at DATETIME(6) NOT NULL,
    actor VARCHAR(256) NOT NULL,
    action VARCHAR(32) NOT NULL,
    subject VARCHAR(1024) NOT NULL,
    body MEDIUMBLOB NOT NULL,
    INDEX audit_entry_time (happened_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Cluster keys as the key management service wrapped them: those of the data plane, and the control plane's own.
CREATE TABLE signing_cluster_key (
    id BINARY(16) NOT NULL PRIMARY KEY,
    provider VARCHAR(32) NOT NULL,
    wrapping_key VARCHAR(256) NOT NULL,
    wrapping_version VARCHAR(64) NOT NULL,
    ciphertext VARBINARY(16384) NOT NULL,
    created_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE certifying_cluster_key (
    id BINARY(16) NOT NULL PRIMARY KEY,
    provider VARCHAR(32) NOT NULL,
    wrapping_key VARCHAR(256) NOT NULL,
    wrapping_version VARCHAR(64) NOT NULL,
    ciphertext VARBINARY(16384) NOT NULL,
    created_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every public half that ever was here, so that none comes back for another purpose. Rows are never removed.
CREATE TABLE public_key (
    digest BINARY(32) NOT NULL PRIMARY KEY,
    key_id BINARY(16) NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    UNIQUE INDEX public_key_of (key_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The names of the living keys.
CREATE TABLE key_name (
    name VARCHAR(256) NOT NULL PRIMARY KEY,
    key_id BINARY(16) NOT NULL,
    UNIQUE INDEX key_name_of (key_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Keys that sign files. `code` authenticates the whole row, `sealed` is the private half under a cluster key.
CREATE TABLE signing_key (
    id BINARY(16) NOT NULL PRIMARY KEY,
    scheme VARCHAR(16) NOT NULL,
    algorithm VARCHAR(16) NOT NULL,
    version INT UNSIGNED NOT NULL,
    public_key VARBINARY(2048) NOT NULL,
    fingerprint VARBINARY(64) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    parent BINARY(16) NULL,
    owner BINARY(16) NULL,
    name VARCHAR(256) NOT NULL,
    summary VARCHAR(200) NOT NULL,
    state VARCHAR(32) NOT NULL,
    expires_at DATETIME(6) NULL,
    certificate MEDIUMBLOB NOT NULL,
    sealed VARBINARY(16384) NULL,
    code_key BINARY(16) NOT NULL,
    code BINARY(32) NOT NULL,
    edition BIGINT UNSIGNED NOT NULL,
    INDEX signing_key_name (name),
    INDEX signing_key_parent (parent)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Authorities and OpenPGP primaries with a signing subkey, out of the data-servers' reach.
CREATE TABLE certifying_key (
    id BINARY(16) NOT NULL PRIMARY KEY,
    scheme VARCHAR(16) NOT NULL,
    algorithm VARCHAR(16) NOT NULL,
    version INT UNSIGNED NOT NULL,
    public_key VARBINARY(2048) NOT NULL,
    fingerprint VARBINARY(64) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    parent BINARY(16) NULL,
    owner BINARY(16) NULL,
    name VARCHAR(256) NOT NULL,
    summary VARCHAR(200) NOT NULL,
    state VARCHAR(32) NOT NULL,
    expires_at DATETIME(6) NULL,
    certificate MEDIUMBLOB NOT NULL,
    sealed VARBINARY(16384) NULL,
    code_key BINARY(16) NOT NULL,
    code BINARY(32) NOT NULL,
    edition BIGINT UNSIGNED NOT NULL,
    INDEX certifying_key_name (name),
    INDEX certifying_key_parent (parent)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who may sign what, each with a code over the whole grant.
CREATE TABLE signing_grant (
    id BINARY(16) NOT NULL PRIMARY KEY,
    authority BINARY(32) NOT NULL,
    sort VARCHAR(8) NOT NULL,
    pattern VARCHAR(512) NOT NULL,
    kinds VARCHAR(256) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NULL,
    summary VARCHAR(200) NOT NULL,
    code_key BINARY(16) NOT NULL,
    code BINARY(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE grant_key (
    grant_id BINARY(16) NOT NULL,
    key_id BINARY(16) NOT NULL,
    PRIMARY KEY (grant_id, key_id),
    INDEX grant_key_key (key_id),
    CONSTRAINT grant_key_grant FOREIGN KEY (grant_id) REFERENCES signing_grant (id) ON DELETE CASCADE,
    CONSTRAINT grant_key_of FOREIGN KEY (key_id) REFERENCES signing_key (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who is shut out: an identity (authority, sort, value) or one certificate. `digest` is over what the row says.
CREATE TABLE client_denial (
    digest BINARY(32) NOT NULL PRIMARY KEY,
    authority BINARY(32) NULL,
    sort VARCHAR(8) NULL,
    value VARCHAR(512) NULL,
    certificate BINARY(32) NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE account (
    id BINARY(16) NOT NULL PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    role VARCHAR(16) NOT NULL,
    is_disabled BOOLEAN NOT NULL,
    created_at DATETIME(6) NOT NULL,
    UNIQUE INDEX account_name (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `digest` is the SHA-256 of a token; the token itself is nowhere.
CREATE TABLE api_token (
    id BINARY(16) NOT NULL PRIMARY KEY,
    account_id BINARY(16) NOT NULL,
    summary VARCHAR(200) NOT NULL,
    digest BINARY(32) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    is_revoked BOOLEAN NOT NULL,
    UNIQUE INDEX api_token_digest (digest),
    INDEX api_token_account (account_id),
    CONSTRAINT api_token_of FOREIGN KEY (account_id) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a signature, added before the signature leaves its server and never changed. `body` is the canonical form;
-- the other columns repeat parts of it. `client` is the SHA-256 of the identity, `digest` that of the body as a leaf.
CREATE TABLE signature_record (
    server VARCHAR(64) NOT NULL,
    sequence BIGINT UNSIGNED NOT NULL,
    job BINARY(16) NOT NULL,
    client BINARY(32) NOT NULL,
    key_id BINARY(16) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    content VARBINARY(80) NULL,
    signed_at DATETIME(6) NOT NULL,
    digest BINARY(32) NOT NULL,
    body MEDIUMBLOB NOT NULL,
    PRIMARY KEY (server, sequence),
    UNIQUE INDEX signature_record_job (job, client),
    INDEX signature_record_key (key_id, signed_at),
    INDEX signature_record_content (content),
    INDEX signature_record_time (signed_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin

-- What administrators have to approve before it happens, and the revocation lists of the authorities.

-- `body` is the canonical form of a request, under the code; the other columns repeat parts of it for searches.
CREATE TABLE proposal (
    id BINARY(16) NOT NULL PRIMARY KEY,
    operation VARCHAR(16) NOT NULL,
    key_id BINARY(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    body MEDIUMBLOB NOT NULL,
    code_key BINARY(16) NOT NULL,
    code BINARY(32) NOT NULL,
    edition BIGINT UNSIGNED NOT NULL,
    INDEX proposal_key (key_id, state),
    INDEX proposal_state (state, created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every list that an authority ever signed. `previous` is the number of the one before, 0 for the first.
CREATE TABLE revocation_list (
    authority BINARY(16) NOT NULL,
    number BIGINT UNSIGNED NOT NULL,
    previous BIGINT UNSIGNED NOT NULL,
    made_at DATETIME(6) NOT NULL,
    next_at DATETIME(6) NOT NULL,
    der MEDIUMBLOB NOT NULL,
    PRIMARY KEY (authority, number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Since when a user has his role, without a break; NULL: since he is here.
ALTER TABLE account ADD COLUMN powers_since DATETIME(6) NULL;

-- What the caretaker looks for.
ALTER TABLE signing_key ADD INDEX signing_key_state (state, expires_at);
ALTER TABLE certifying_key ADD INDEX certifying_key_state (state, expires_at);

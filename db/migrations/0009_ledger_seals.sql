-- Ranges of the shard's ledger that are sealed, each over the hash of the one before. Numbered 1, 2, 3
-- by the sealer, who inserts plainly: two of them cannot both have the same number.
CREATE TABLE IF NOT EXISTS ledger_seals (
  seal BIGINT NOT NULL,
  shard SMALLINT UNSIGNED NOT NULL,
  previous_hash BINARY(32) NOT NULL,
  root BINARY(32) NOT NULL,
  parts BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  sealed_at DATETIME(6) NOT NULL,
  hash BINARY(32) NOT NULL,
  PRIMARY KEY (seal)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One account's entries of one seal, over the hash of the account's part before. The witness names
-- each of them: transfer, step and the beginning of its hash.
CREATE TABLE IF NOT EXISTS ledger_seal_parts (
  seal BIGINT NOT NULL,
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  first_seq BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  balance BIGINT NOT NULL,
  root BINARY(32) NOT NULL,
  witness MEDIUMBLOB NOT NULL,
  previous_hash BINARY(32) NOT NULL,
  hash BINARY(32) NOT NULL,
  PRIMARY KEY (seal, account_id),
  KEY ledger_seal_parts_by_account (account_id, last_seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How far each account is sealed: where the next range begins.
CREATE TABLE IF NOT EXISTS ledger_seal_positions (
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  seal BIGINT NOT NULL,
  entry_seq BIGINT NOT NULL,
  balance BIGINT NOT NULL,
  part_hash BINARY(32) NOT NULL,
  PRIMARY KEY (account_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

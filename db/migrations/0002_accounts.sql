-- The authority on money. Balance and held are only ever set to absolute values, guarded by version.
CREATE TABLE IF NOT EXISTS accounts (
  id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  tenant VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  debits_blocked TINYINT UNSIGNED NOT NULL,
  credits_blocked TINYINT UNSIGNED NOT NULL,
  balance BIGINT NOT NULL,
  held BIGINT NOT NULL,
  overdraft_limit BIGINT NOT NULL,
  version BIGINT NOT NULL,
  entry_seq BIGINT NOT NULL,
  metadata TEXT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

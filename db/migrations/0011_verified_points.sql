-- Up to where the checks have proven this shard. Every row here is derived: without them the next
-- check looks at everything again.
CREATE TABLE IF NOT EXISTS verified_points (
  id TINYINT UNSIGNED NOT NULL,
  verified_at DATETIME(6) NULL,
  full_at DATETIME(6) NULL,
  full_findings INT UNSIGNED NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An account as it was when all checks held: legs beyond entry_seq are new.
CREATE TABLE IF NOT EXISTS verified_accounts (
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  balance BIGINT NOT NULL,
  version BIGINT NOT NULL,
  entry_seq BIGINT NOT NULL,
  PRIMARY KEY (account_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What had not ended at the verified point: whatever ends later without a leg was in here, or is new.
CREATE TABLE IF NOT EXISTS verified_open_transfers (
  transfer_id BINARY(16) NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  verified_at DATETIME(6) NOT NULL,
  PRIMARY KEY (transfer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

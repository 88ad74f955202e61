-- Legs, never changed. The key rises with time, so inserts append; an account's own legs are found
-- by entry_seq. System accounts have legs but no sequence and no balance.
CREATE TABLE IF NOT EXISTS ledger_entries (
  transfer_id BINARY(16) NOT NULL,
  step SMALLINT UNSIGNED NOT NULL,
  leg SMALLINT UNSIGNED NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  entry_seq BIGINT NULL,
  amount BIGINT NOT NULL,
  currency VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  balance_after BIGINT NULL,
  posted_at DATETIME(6) NOT NULL,
  PRIMARY KEY (transfer_id, step, leg),
  KEY ledger_entries_by_account (account_id, entry_seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

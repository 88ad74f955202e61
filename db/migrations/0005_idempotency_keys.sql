-- Written in the transaction of what the key made: a claim without a result cannot exist.
CREATE TABLE IF NOT EXISTS idempotency_keys (
  slot SMALLINT UNSIGNED NOT NULL,
  key_hash BINARY(32) NOT NULL,
  fingerprint VARBINARY(33) NOT NULL,
  transfer_id BINARY(16) NULL,
  answer TEXT NULL,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (slot, key_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

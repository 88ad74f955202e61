-- Made from a migrated database and compared with one by the drift check. Do not edit.

CREATE TABLE accounts (
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
  metadata TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE audit_log (
  id BIGINT NOT NULL AUTO_INCREMENT,
  slot SMALLINT UNSIGNED NOT NULL,
  actor VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  action VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  transfer_id BINARY(16) NULL,
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state_before TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state_after TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY audit_log_by_account (account_id),
  KEY audit_log_by_time (created_at),
  KEY audit_log_by_transfer (transfer_id)
);

CREATE TABLE balances (
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  currency VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  balance BIGINT NOT NULL,
  held BIGINT NOT NULL,
  version BIGINT NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id)
);

CREATE TABLE currencies (
  code VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  decimals TINYINT UNSIGNED NOT NULL,
  PRIMARY KEY (code)
);

CREATE TABLE dead_letters (
  id BIGINT NOT NULL AUTO_INCREMENT,
  letter BINARY(32) NULL,
  slot SMALLINT UNSIGNED NULL,
  consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  topic VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  topic_partition SMALLINT UNSIGNED NOT NULL,
  topic_offset BIGINT NOT NULL,
  event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  error TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  payload MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  created_at DATETIME(6) NOT NULL,
  occurrences INT UNSIGNED NOT NULL,
  last_seen_at DATETIME(6) NULL,
  state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  handled_by VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  handled_reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  handled_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY dead_letters_by_letter (letter),
  KEY dead_letters_by_state (state)
);

CREATE TABLE decisions (
  transfer_id BINARY(16) NOT NULL,
  part SMALLINT UNSIGNED NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  source VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  destination VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  currency VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (transfer_id, part)
);

CREATE TABLE holds (
  transfer_id BINARY(16) NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (transfer_id),
  KEY holds_by_expiry (expires_at)
);

CREATE TABLE idempotency_keys (
  slot SMALLINT UNSIGNED NOT NULL,
  key_hash BINARY(32) NOT NULL,
  fingerprint VARBINARY(33) NOT NULL,
  transfer_id BINARY(16) NULL,
  answer TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (slot, key_hash)
);

CREATE TABLE lease_fences (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE leases (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  holder VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  token BIGINT NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE ledger_entries (
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
);

CREATE TABLE ledger_seal_parts (
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
);

CREATE TABLE ledger_seal_positions (
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  seal BIGINT NOT NULL,
  entry_seq BIGINT NOT NULL,
  balance BIGINT NOT NULL,
  part_hash BINARY(32) NOT NULL,
  PRIMARY KEY (account_id)
);

CREATE TABLE ledger_seals (
  seal BIGINT NOT NULL,
  shard SMALLINT UNSIGNED NOT NULL,
  previous_hash BINARY(32) NOT NULL,
  root BINARY(32) NOT NULL,
  parts BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  sealed_at DATETIME(6) NOT NULL,
  hash BINARY(32) NOT NULL,
  PRIMARY KEY (seal)
);

CREATE TABLE open_transfers (
  slot SMALLINT UNSIGNED NOT NULL,
  since DATETIME(6) NOT NULL,
  transfer_id BINARY(16) NOT NULL,
  PRIMARY KEY (slot, since, transfer_id)
);

CREATE TABLE outbox (
  seq BIGINT NOT NULL AUTO_INCREMENT,
  topic VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  topic_partition SMALLINT UNSIGNED NOT NULL,
  payload MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (seq)
);

CREATE TABLE placement (
  id TINYINT UNSIGNED NOT NULL,
  shard SMALLINT UNSIGNED NOT NULL,
  epoch BIGINT NOT NULL,
  slot_map TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  listed_below BINARY(16) NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE sweep_positions (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE transaction_status (
  transfer_id BINARY(16) NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  version BIGINT NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (transfer_id)
);

CREATE TABLE transfer_events (
  transfer_id BINARY(16) NOT NULL,
  step SMALLINT UNSIGNED NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  occurred_at DATETIME(6) NOT NULL,
  envelope MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (transfer_id, step)
);

CREATE TABLE transfers (
  id BINARY(16) NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  parent_id BINARY(16) NULL,
  tenant VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  destination VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  currency VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  capture VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  requested_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE verified_accounts (
  account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  balance BIGINT NOT NULL,
  version BIGINT NOT NULL,
  entry_seq BIGINT NOT NULL,
  PRIMARY KEY (account_id)
);

CREATE TABLE verified_open_transfers (
  transfer_id BINARY(16) NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  verified_at DATETIME(6) NOT NULL,
  PRIMARY KEY (transfer_id)
);

CREATE TABLE verified_points (
  id TINYINT UNSIGNED NOT NULL,
  verified_at DATETIME(6) NULL,
  full_at DATETIME(6) NULL,
  full_findings INT UNSIGNED NOT NULL,
  PRIMARY KEY (id)
);

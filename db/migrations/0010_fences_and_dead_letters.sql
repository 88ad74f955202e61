-- The highest token seen of each lease that lies on another shard: a writer with a lower one is over.
CREATE TABLE IF NOT EXISTS lease_fences (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token BIGINT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where a sweep that walks a table bit by bit goes on, so that a restart does not begin anew.
CREATE TABLE IF NOT EXISTS sweep_positions (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Tables are changed only where that has not been done: neither engine has a form for it that the
-- other one knows, and a migration that was killed runs again from its beginning.
SET @surety_ddl = IF((SELECT COUNT(*) FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'audit_log' AND column_name = 'account_id') > 0,
  'DO 0',
  'ALTER TABLE audit_log
     ADD COLUMN account_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL AFTER transfer_id,
     ADD KEY audit_log_by_transfer (transfer_id),
     ADD KEY audit_log_by_account (account_id),
     ADD KEY audit_log_by_time (created_at)');
PREPARE surety_ddl FROM @surety_ddl;
EXECUTE surety_ddl;
DEALLOCATE PREPARE surety_ddl;

-- A letter is named by the SHA-256 of its consumer, a zero byte and its payload: the same message is
-- one letter however often it comes. Null in rows of the release before, which does not write it.
SET @surety_ddl = IF((SELECT COUNT(*) FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'dead_letters' AND column_name = 'letter') > 0,
  'DO 0',
  'ALTER TABLE dead_letters
     ADD COLUMN letter BINARY(32) NULL AFTER id,
     ADD COLUMN occurrences INT UNSIGNED NOT NULL DEFAULT 1,
     ADD COLUMN last_seen_at DATETIME(6) NULL,
     ADD COLUMN state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''open'',
     ADD COLUMN handled_by VARCHAR(255) NULL,
     ADD COLUMN handled_reason VARCHAR(255) NULL,
     ADD COLUMN handled_at DATETIME(6) NULL,
     ADD KEY dead_letters_by_state (state)');
PREPARE surety_ddl FROM @surety_ddl;
EXECUTE surety_ddl;
DEALLOCATE PREPARE surety_ddl;

UPDATE dead_letters
  SET letter = UNHEX(SHA2(CONCAT(consumer, x'00', payload), 256))
  WHERE letter IS NULL;

-- Copies of one letter, from before they were told apart.
DELETE later FROM dead_letters AS later
  INNER JOIN dead_letters AS first ON first.letter = later.letter AND first.id < later.id;

SET @surety_ddl = IF((SELECT COUNT(*) FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name = 'dead_letters'
    AND index_name = 'dead_letters_by_letter') > 0,
  'DO 0',
  'ALTER TABLE dead_letters ADD UNIQUE KEY dead_letters_by_letter (letter)');
PREPARE surety_ddl FROM @surety_ddl;
EXECUTE surety_ddl;
DEALLOCATE PREPARE surety_ddl;

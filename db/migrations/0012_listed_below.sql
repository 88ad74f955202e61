-- Open transfers with ids below this one are listed in open_transfers; newer ones are found in
-- transfers by a range of its primary key. All ones: every open transfer is listed.
SET @surety_ddl = IF((SELECT COUNT(*) FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'placement' AND column_name = 'listed_below') > 0,
  'DO 0',
  'ALTER TABLE placement
     ADD COLUMN listed_below BINARY(16) NOT NULL DEFAULT 0xffffffffffffffffffffffffffffffff');
PREPARE surety_ddl FROM @surety_ddl;
EXECUTE surety_ddl;
DEALLOCATE PREPARE surety_ddl;

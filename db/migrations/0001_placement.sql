-- One row: which shard this is, and the slot map as of its epoch. Every transaction that writes takes
-- it in shared mode first; whoever needs a quiet instant takes it exclusively.
CREATE TABLE IF NOT EXISTS placement (
  id TINYINT UNSIGNED NOT NULL,
  shard SMALLINT UNSIGNED NOT NULL,
  epoch BIGINT NOT NULL,
  slot_map TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What is still to be published: a row is one message, deleted once it was acknowledged. seq is local
-- to the shard and says nothing about the order of commits.
CREATE TABLE IF NOT EXISTS outbox (
  seq BIGINT NOT NULL AUTO_INCREMENT,
  topic VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  topic_partition SMALLINT UNSIGNED NOT NULL,
  payload MEDIUMTEXT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- With how many decimals the sums of a currency are stored here. A row is written before the first
-- account in it is opened, and never changed: sums are minor units and do not say it themselves.
CREATE TABLE IF NOT EXISTS currencies (
  code VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  decimals TINYINT UNSIGNED NOT NULL,
  PRIMARY KEY (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

#!/bin/bash
# Run once by the MySQL image, when its data folder is empty: the two shards' schemas, and two users.
# Processes may change rows and nothing else; only migrations may change tables.
set -euo pipefail

# They become part of SQL text and of URLs: what would need quoting in either is refused.
for name in MYSQL_APP_PASSWORD MYSQL_MIGRATION_PASSWORD; do
  if ! [[ ${!name-} =~ ^[A-Za-z0-9._~-]+$ ]]; then
    echo "$name must consist of A-Z a-z 0-9 . _ ~ -" >&2
    exit 1
  fi
done

rows='SELECT, INSERT, UPDATE, DELETE'
tables="$rows, CREATE, ALTER, DROP, INDEX, REFERENCES, LOCK TABLES"

MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --protocol=socket --user=root <<SQL
CREATE USER 'surety_app'@'%' IDENTIFIED BY '$MYSQL_APP_PASSWORD';
CREATE USER 'surety_migration'@'%' IDENTIFIED BY '$MYSQL_MIGRATION_PASSWORD';
CREATE DATABASE surety_0 CHARACTER SET utf8mb4;
CREATE DATABASE surety_1 CHARACTER SET utf8mb4;
-- In a grant, _ stands for any character.
GRANT $rows ON \`surety\\_0\`.* TO 'surety_app'@'%';
GRANT $rows ON \`surety\\_1\`.* TO 'surety_app'@'%';
GRANT $tables ON \`surety\\_0\`.* TO 'surety_migration'@'%';
GRANT $tables ON \`surety\\_1\`.* TO 'surety_migration'@'%';
SQL

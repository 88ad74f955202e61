import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { driverSettings } from './connection/settings.js';
import { packageRoot } from './package-root.js';

/** Where the checked-in dump lies. */
export function schemaFile(): string {
  return join(packageRoot(), 'schema', 'schema.sql');
}

export function checkedInSchema(): string {
  return readFileSync(schemaFile(), 'utf8');
}

/** The migrations' own bookkeeping is no part of the schema. */
const NOT_OURS = "table_name NOT LIKE 'knex\\_%'";

type InformationRow = Record<string, string | number | null>;

/**
 * A migrated schema as text that is the same on every engine: tables, columns, keys, without what
 * engines print differently.
 */
export async function dumpSchema(url: string): Promise<string> {
  const settings = driverSettings(url);
  const connection = await createConnection(settings);
  const ask = async (sql: string): Promise<InformationRow[]> => {
    const [rows] = await connection.query(sql, [settings.database]);
    return (rows as InformationRow[]).map(lowerCaseNames);
  };
  try {
    const columns = await ask(
      'SELECT table_name, column_name, column_type, is_nullable, character_set_name, ' +
        'collation_name, extra FROM information_schema.columns ' +
        `WHERE table_schema = ? AND ${NOT_OURS} ORDER BY table_name, ordinal_position`,
    );
    const keys = await ask(
      'SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics ' +
        `WHERE table_schema = ? AND ${NOT_OURS} ORDER BY table_name, index_name, seq_in_index`,
    );
    return [HEADER, ...tableTexts(columns, keys)].join('\n');
  } finally {
    await connection.end();
  }
}

const HEADER = `-- Made from a migrated database and compared with one by the drift check. Do not edit.\n`;

/** MySQL names the columns of information_schema in capitals. */
function lowerCaseNames(row: InformationRow): InformationRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function tableTexts(columns: readonly InformationRow[], keys: readonly InformationRow[]): string[] {
  const names = [...new Set(columns.map((column) => String(column['table_name'])))].sort();
  return names.map((name) => {
    const own = (row: InformationRow): boolean => row['table_name'] === name;
    const lines = [...columns.filter(own).map(columnText), ...keyTexts(keys.filter(own))];
    return `CREATE TABLE ${name} (\n${lines.map((line) => `  ${line}`).join(',\n')}\n);\n`;
  });
}

function columnText(column: InformationRow): string {
  // Display widths mean nothing, and only some engines print them.
  const type = String(column['column_type']).replace(/int\(\d+\)/, 'int');
  const charset = column['character_set_name'];
  return [
    String(column['column_name']),
    type.toUpperCase(),
    ...(typeof charset === 'string'
      ? [`CHARACTER SET ${charset} COLLATE ${String(column['collation_name'])}`]
      : []),
    column['is_nullable'] === 'YES' ? 'NULL' : 'NOT NULL',
    ...(String(column['extra']).includes('auto_increment') ? ['AUTO_INCREMENT'] : []),
  ].join(' ');
}

function keyTexts(keys: readonly InformationRow[]): string[] {
  const names = [...new Set(keys.map((key) => String(key['index_name'])))].sort(
    (a, b) => Number(b === 'PRIMARY') - Number(a === 'PRIMARY') || (a < b ? -1 : 1),
  );
  return names.map((name) => {
    const parts = keys.filter((key) => key['index_name'] === name);
    const columns = parts.map((key) => String(key['column_name'])).join(', ');
    if (name === 'PRIMARY') return `PRIMARY KEY (${columns})`;
    return `${Number(parts[0]?.['non_unique']) === 0 ? 'UNIQUE KEY' : 'KEY'} ${name} (${columns})`;
  });
}

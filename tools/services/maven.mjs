/**
 * Brings pinned artifacts with Maven: it knows the user's mirrors, proxies and local repository,
 * and Java is needed for Kafka anyway. Nothing here names a registry.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { track } from './short-lived-children.mjs';

const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
const PROGRESS_TTY_MS = 1_000;
const PROGRESS_LOG_MS = 5_000;
/** Bounds a registry that accepts connections and never answers. */
const FETCH_DEADLINE_MS = 15 * 60_000;

/**
 * @typedef {{ group: string, name: string, version: string, alone?: boolean }} Artifact
 *   alone: without what it depends on
 */

// Maven's local repository is not safe for two Mavens at once: ours queue up.
let queue = Promise.resolve();

/**
 * Copies (as jars) or unpacks artifacts into a directory.
 * @param {{ label: string, artifacts: Artifact[], directory: string, unpack?: boolean,
 *   log: (line: string) => void }} options
 */
export function fetchArtifacts(options) {
  const turn = queue.then(() => runMaven(options));
  queue = turn.catch(() => undefined);
  return turn;
}

async function runMaven({ label, artifacts, directory, unpack = false, log }) {
  const project = `${directory}.pom`;
  mkdirSync(project, { recursive: true });
  const pom = join(project, 'pom.xml');
  writeFileSync(pom, projectFile(artifacts));
  const goal = `${DEPENDENCY_PLUGIN}:${unpack ? 'unpack-dependencies' : 'copy-dependencies'}`;
  const options = ['-B', '-f', pom, goal, '-DincludeScope=runtime'];
  const goalArguments = [...options, `-DoutputDirectory=${directory}`];
  const maven = track(
    spawn(mavenCommand(), goalArguments, {
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      env: { ...process.env, MAVEN_OPTS: process.env.MAVEN_OPTS ?? '-Xmx256m' },
    }),
  );
  const progress = watchProgress({ label, artifacts, maven, log });
  const output = [];
  maven.stdout.on('data', (chunk) => output.push(chunk));
  maven.stderr.on('data', (chunk) => output.push(chunk));
  const deadline = setTimeout(() => maven.kill('SIGKILL'), FETCH_DEADLINE_MS);
  const code = await new Promise((resolve, reject) => {
    maven.once('error', reject);
    maven.once('close', resolve);
  }).finally(() => {
    clearTimeout(deadline);
    progress.end();
    rmSync(project, { recursive: true, force: true });
  });
  if (code !== 0) throw new Error(`Maven could not bring ${label}:\n${errorsIn(output)}`);
}

const mavenCommand = () => (process.platform === 'win32' ? 'mvn.cmd' : 'mvn');

function errorsIn(output) {
  const lines = Buffer.concat(output).toString().split('\n');
  const errors = lines.filter((line) => line.includes('ERROR'));
  return (errors.length > 0 ? errors : lines).slice(0, 8).join('\n');
}

function projectFile(artifacts) {
  const dependencies = artifacts.map(
    ({ group, name, version, alone }) => `<dependency><groupId>${group}</groupId>
<artifactId>${name}</artifactId><version>${version}</version>
${alone ? '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>' : ''}
</dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>surety</groupId><artifactId>services</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>${dependencies.join('\n')}</dependencies></project>
`;
}

/** Says how far the download is: finished files by Maven's own word, the one under way by its size. */
function watchProgress({ label, artifacts, maven, log }) {
  const before = bytesInRepository(artifacts);
  let files = 0;
  let said = '';
  maven.stdout.on('data', (chunk) => {
    files += String(chunk).split('Downloaded from').length - 1;
  });
  const say = () => {
    const megabytes = ((bytesInRepository(artifacts) - before) / 1e6).toFixed(1);
    const text = `${label}: ${megabytes} MB, ${files} files so far`;
    if (text !== said) log(text);
    said = text;
  };
  const timer = setInterval(say, process.stdout.isTTY ? PROGRESS_TTY_MS : PROGRESS_LOG_MS);
  return { end: () => clearInterval(timer) };
}

/** 0 where the local repository lies elsewhere: then only the count of files moves. */
function bytesInRepository(artifacts) {
  const repository = join(userInfo().homedir, '.m2', 'repository');
  let bytes = 0;
  for (const { group, name, version } of artifacts) {
    const directory = join(repository, ...group.split('.'), name, version);
    if (!existsSync(directory)) continue;
    for (const file of readdirSync(directory)) {
      // A file that Maven has just renamed away is counted next time.
      bytes += statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}

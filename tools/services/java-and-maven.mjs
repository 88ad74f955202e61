/** Embedded services need Java 17+ and Maven: finds them, or says how to get them. */
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { runCommand, succeeds } from './run-command.mjs';

const JAVA_VERSION_MIN = 17;

/** Shown where nothing can be installed for the user; the caller exits with it. */
export class NoServicesError extends Error {
  constructor(missing) {
    super(`No MySQL, Kafka and Redis to run on, and ${missing.join(' and ')} missing.
Ways out, any one of them:
  1. Name servers that run already:
       export SURETY_SHARDS=mysql://user:password@host:3306/surety_0,mysql://user:password@host:3306/surety_1
       export SURETY_KAFKA_BROKERS=host:9092
       export SURETY_REDIS_URL=redis://host:6379
  2. Start a Docker engine (check: docker info)
  3. Install Java ${JAVA_VERSION_MIN} or newer and Maven, which bring embedded servers:
       Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y openjdk-17-jdk-headless maven
       Fedora:          sudo dnf install -y java-21-openjdk-devel maven
       macOS:           brew install openjdk maven
       Windows:         winget install EclipseAdoptium.Temurin.21.JDK Apache.Maven`);
    this.name = 'NoServicesError';
  }
}

/**
 * Returns when Java and Maven are there; on Debian and Ubuntu as root it installs them.
 * @param {(line: string) => void} log
 */
export async function requireJavaAndMaven(log) {
  let missing = await findMissing();
  if (missing.length === 0) return;
  if (canInstall()) {
    log(`${missing.join(' and ')} missing: installing with apt-get (as root)`);
    await install();
    missing = await findMissing();
    if (missing.length === 0) return;
  }
  throw new NoServicesError(missing);
}

async function findMissing() {
  const [javaVersion, hasMaven] = await Promise.all([
    findJavaVersion(),
    process.platform === 'win32'
      ? succeeds('cmd', ['/c', 'mvn', '--version'])
      : succeeds('mvn', ['--version']),
  ]);
  const missing = [];
  if (javaVersion < JAVA_VERSION_MIN) missing.push(`Java ${JAVA_VERSION_MIN}+`);
  if (!hasMaven) missing.push('Maven');
  return missing;
}

async function findJavaVersion() {
  try {
    return parseJavaVersion(await runCommand('java', ['--version']));
  } catch {
    return 0;
  }
}

/** 'openjdk 17.0.15 2025-04-15' -> 17; Java 8 does not know --version and counts as absent. */
export function parseJavaVersion(text) {
  return Number(/^\S+ (\d+)/.exec(text)?.[1] ?? 0);
}

function canInstall() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** The default JDK, unless this release's default is older than what Kafka needs. */
async function install() {
  await runVisibly('apt-get', ['update', '-q']);
  const install = ['install', '-y', '-q', '--no-install-recommends', 'maven'];
  await runVisibly('apt-get', [...install, 'default-jdk-headless']);
  if ((await findJavaVersion()) < JAVA_VERSION_MIN) {
    await runVisibly('apt-get', [...install, 'openjdk-17-jdk-headless']);
  }
}

function runVisibly(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args[0]} ended with code ${code}`)),
    );
  });
}

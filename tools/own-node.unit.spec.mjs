import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownNode, removeBrokenLink } from './own-node.mjs';

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'surety-own-node-'));
  const pins = { 'node-of-another-platform': '26.10.0', 'node-of-this-platform': '26.10.0' };
  write('package.json', JSON.stringify({ optionalDependencies: pins }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path, text) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function install(name, script) {
  const folder = join('node_modules', name);
  write(join(folder, 'package.json'), JSON.stringify({ bin: { node: 'bin/node' } }));
  const path = write(join(folder, 'bin', 'node'), `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("the Node of the project's own processes", () => {
  const machines = { path: process.execPath, version: process.version };

  it("is the machine's own before packages are installed", () => {
    expect(ownNode(root)).toEqual(machines);
  });

  it('is the pinned one as soon as its package is there', () => {
    expect(ownNode(root)).toEqual(machines);
    const path = install('node-of-this-platform', 'echo v26.10.0');
    expect(ownNode(root)).toEqual({ path, version: 'v26.10.0' });
  });

  it('passes over one that does not run on this machine', () => {
    install('node-of-another-platform', 'exit 127');
    expect(ownNode(root)).toEqual(machines);
    const path = install('node-of-this-platform', 'echo v26.10.0');
    expect(ownNode(root)).toEqual({ path, version: 'v26.10.0' });
  });

  it("is the machine's own again while packages are being replaced", () => {
    const path = install('node-of-this-platform', 'echo v26.10.0');
    expect(ownNode(root).path).toBe(path);
    rmSync(join(root, 'node_modules'), { recursive: true });
    expect(ownNode(root)).toEqual(machines);
  });

  it('takes no other optional package for a Node', () => {
    write('package.json', JSON.stringify({ optionalDependencies: { faster: '1.0.0' } }));
    write('node_modules/faster/package.json', JSON.stringify({ bin: { faster: 'bin' } }));
    expect(ownNode(root)).toEqual(machines);
  });
});

describe('the link of the pinned Node, which comes first for every script of npm', () => {
  const link = () => join(root, 'node_modules', '.bin', 'node');

  function installLinked(script) {
    const path = install('node-of-this-platform', script);
    mkdirSync(dirname(link()), { recursive: true });
    symlinkSync(path, link());
  }

  it('goes where what it leads to does not run', () => {
    installLinked('exit 127');
    expect(removeBrokenLink(root)).toBe(true);
    expect(existsSync(link())).toBe(false);
  });

  it('stays where it runs', () => {
    installLinked('echo v26.10.0');
    expect(removeBrokenLink(root)).toBe(false);
    expect(existsSync(link())).toBe(true);
  });

  it('need not be there', () => {
    expect(removeBrokenLink(root)).toBe(false);
  });
});

// Built-in modules as ES modules have them: the same objects as `require` finds.
import fs, { promises, readFileSync } from 'node:fs';
import { EventEmitter, once } from 'events';
import { argv } from 'node:process';
import path, { posix } from 'path';
import { setTimeout as sleep } from 'timers/promises';
import * as util from 'util';
import { strictEqual } from 'assert';
import { createServer } from 'http';
import { Readable } from 'node:stream';
import { createRequire } from 'module';

const require = createRequire(import.meta.url);
strictEqual(fs.readFileSync, readFileSync);
strictEqual(fs, require('fs'));
strictEqual(path, posix);
strictEqual(path, require('node:path'));
strictEqual(promises.readFile, fs.promises.readFile);
strictEqual((await import('events')).default, EventEmitter);
strictEqual(util.types.isModuleNamespaceObject(util), true);
await sleep(1);
console.log(argv.length, typeof once, typeof createServer, typeof Readable);

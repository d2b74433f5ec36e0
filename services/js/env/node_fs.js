// fs: every operation in three forms. The work is done at once in all of them; callbacks and promises
// come later.
'use strict';

const { exists, operations } = require('internal/fs_sync');
const { Dirent, Stats, constants } = require('internal/fs_types');
const { expectFunction } = require('internal/errors');

// Names of the results beside the first, which the callback gets: read(fd, buffer, …, callback).
const PAIRS = { read: 'bytesRead', write: 'bytesWritten' };
const fs = {};

for (const [name, operation] of Object.entries(operations)) {
    const waiting = { [`${name}Sync`]: (...values) => operation(...values) }[`${name}Sync`];
    fs[`${name}Sync`] = waiting;
    fs[name] = {
        [name](...values) {
            const callback = values.pop();
            expectFunction('cb', callback);
            let results;
            try {
                results = [null, operation(...values)];
                if (name in PAIRS) results.push(values[1]);
            } catch (error) {
                // What a caller has got wrong is thrown at once; the system's errors come later.
                if (error.syscall === undefined) throw error;
                results = [error];
            }
            setImmediate(callback, ...results);
        },
    }[name];
}
for (const name of Object.keys(PAIRS)) {
    const promised = (...values) =>
        new Promise((resolve, reject) => {
            fs[name](...values, (error, count, buffer) => {
                if (error) reject(error);
                else resolve({ [PAIRS[name]]: count, buffer });
            });
        });
    Object.defineProperty(fs[name], Symbol.for('nodejs.util.promisify.custom'), {
        value: promised,
        configurable: true,
    });
}

function existsSync(path) {
    try {
        return exists(path);
    } catch {
        // As node: what can be no path is nowhere.
        return false;
    }
}

function laterExists(path, callback) {
    expectFunction('cb', callback);
    setImmediate(callback, existsSync(path));
}
Object.defineProperty(laterExists, Symbol.for('nodejs.util.promisify.custom'), {
    value: (path) => Promise.resolve(existsSync(path)),
});
Object.defineProperty(laterExists, 'name', { value: 'exists' });

fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;

module.exports = {
    ...fs,
    F_OK: 0,
    R_OK: 4,
    W_OK: 2,
    X_OK: 1,
    Dirent,
    Stats,
    constants,
    exists: laterExists,
    existsSync,
    createReadStream: (path, options) => new (require('internal/fs_streams').ReadStream)(path, options),
    createWriteStream: (path, options) => new (require('internal/fs_streams').WriteStream)(path, options),
    opendirSync: (path, options) => require('internal/fs_handles').openDirectory(path, options),
    get promises() {
        return require('fs/promises');
    },
    get ReadStream() {
        return require('internal/fs_streams').ReadStream;
    },
    get WriteStream() {
        return require('internal/fs_streams').WriteStream;
    },
};

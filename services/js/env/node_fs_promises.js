// fs/promises.
'use strict';

const { operations } = require('internal/fs_sync');
const { constants } = require('internal/fs_types');
const { FileHandle, openDirectory } = require('internal/fs_handles');

// With descriptors these are methods of a FileHandle.
const BY_NUMBER = ['close', 'fdatasync', 'fstat', 'fsync', 'ftruncate', 'futimes', 'open', 'read', 'write'];
const promises = {};
for (const [name, operation] of Object.entries(operations)) {
    if (BY_NUMBER.includes(name)) continue;
    promises[name] = {
        async [name](...values) {
            return operation(...values);
        },
    }[name];
}

module.exports = {
    ...promises,
    constants,
    open: async (path, flags, mode) => new FileHandle(operations.open(path, flags, mode)),
    opendir: async (path, options) => openDirectory(path, options),
};

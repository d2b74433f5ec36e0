// readline/promises.
'use strict';

const readline = require('readline');

class Interface extends readline.Interface {
    question(query, options) {
        return new Promise((resolve, reject) => {
            const { signal } = options ?? {};
            signal?.addEventListener('abort', () => reject(require('internal/abort').abortError(signal)), {
                once: true,
            });
            super.question(query, options ?? {}, resolve);
        });
    }
}

module.exports = { Interface, createInterface: (...values) => new Interface(...values) };

// timers/promises.
'use strict';

const { abortError } = require('internal/abort');

function wait(start, stop, value, { signal, ref = true } = {}) {
    return new Promise((resolve, reject) => {
        if (signal?.aborted) {
            reject(abortError(signal));
            return;
        }
        const abort = () => {
            stop(timer);
            reject(abortError(signal));
        };
        const timer = start(() => {
            signal?.removeEventListener('abort', abort);
            resolve(value);
        });
        if (!ref) timer.unref();
        signal?.addEventListener('abort', abort, { once: true });
    });
}

module.exports = {
    setTimeout: (delay, value, options) =>
        wait((done) => setTimeout(done, delay), clearTimeout, value, options),
    setImmediate: (value, options) => wait((done) => setImmediate(done), clearImmediate, value, options),
    async *setInterval(delay, value, options) {
        for (;;) yield await module.exports.setTimeout(delay, value, options);
    },
    scheduler: {
        wait: (delay, options) => module.exports.setTimeout(delay, undefined, options),
        yield: () => module.exports.setImmediate(),
    },
};

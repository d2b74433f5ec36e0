// ReadableStream (WHATWG Streams), as far as bodies need it: no byte streams, no queuing strategies.
'use strict';

class ReadableStream {
    #source;
    #queue = [];
    #waiting = [];
    #state = 'readable';
    #error;
    #isPulling = false;
    #isLocked = false;
    #started;

    constructor(source = {}) {
        this.#source = source;
        const controller = {
            enqueue: (chunk) => this.#enqueue(chunk),
            close: () => this.#close(),
            error: (error) => this.#fail(error),
            desiredSize: 1,
        };
        this.controller = controller;
        Object.defineProperty(this, 'controller', { enumerable: false });
        this.#started = Promise.resolve(source.start?.(controller));
        this.#started.catch((error) => this.#fail(error));
    }

    static from(iterable) {
        const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
        return new ReadableStream({
            async pull(controller) {
                const { value, done } = await iterator.next();
                if (done) controller.close();
                else controller.enqueue(value);
            },
            cancel: () => iterator.return?.(),
        });
    }

    get locked() {
        return this.#isLocked;
    }

    #enqueue(chunk) {
        if (this.#state !== 'readable') throw new TypeError('Invalid state: Controller is already closed');
        if (this.#waiting.length > 0) this.#waiting.shift().resolve({ value: chunk, done: false });
        else this.#queue.push(chunk);
    }

    #close() {
        if (this.#state !== 'readable') throw new TypeError('Invalid state: Controller is already closed');
        this.#state = 'closed';
        for (const { resolve } of this.#waiting.splice(0)) resolve({ value: undefined, done: true });
    }

    #fail(error) {
        if (this.#state !== 'readable') return;
        this.#state = 'errored';
        this.#error = error;
        for (const { reject } of this.#waiting.splice(0)) reject(error);
    }

    async #pull() {
        if (this.#isPulling || this.#state !== 'readable' || !this.#source.pull) return;
        this.#isPulling = true;
        try {
            await this.#started;
            while (this.#waiting.length > 0 && this.#state === 'readable') {
                const before = this.#waiting.length;
                await this.#source.pull(this.controller);
                if (this.#waiting.length === before && this.#queue.length === 0) break;
            }
        } catch (error) {
            this.#fail(error);
        } finally {
            this.#isPulling = false;
        }
    }

    #read() {
        if (this.#queue.length > 0) return Promise.resolve({ value: this.#queue.shift(), done: false });
        if (this.#state === 'errored') return Promise.reject(this.#error);
        if (this.#state === 'closed') return Promise.resolve({ value: undefined, done: true });
        const { promise, resolve, reject } = Promise.withResolvers();
        this.#waiting.push({ resolve, reject });
        this.#pull();
        return promise;
    }

    async #cancel(reason) {
        if (this.#state !== 'readable') return;
        this.#queue = [];
        this.#close();
        await this.#source.cancel?.(reason);
    }

    getReader() {
        if (this.#isLocked) throw new TypeError('Invalid state: ReadableStream is locked');
        this.#isLocked = true;
        return {
            read: () => this.#read(),
            cancel: (reason) => this.#cancel(reason),
            releaseLock: () => {
                this.#isLocked = false;
            },
        };
    }

    async cancel(reason) {
        if (this.#isLocked) throw new TypeError('Invalid state: ReadableStream is locked');
        await this.#cancel(reason);
    }

    tee() {
        const reader = this.getReader();
        const branches = [];
        const pull = async () => {
            const { value, done } = await reader.read();
            for (const branch of branches) {
                if (done) branch.controller.close();
                else branch.controller.enqueue(value);
            }
        };
        branches.push(new ReadableStream({ pull }), new ReadableStream({ pull }));
        return branches;
    }

    async *values({ preventCancel = false } = {}) {
        const reader = this.getReader();
        let isOver = false;
        try {
            for (;;) {
                const { value, done } = await reader.read();
                isOver = done;
                if (done) return;
                yield value;
            }
        } finally {
            if (!isOver && !preventCancel) await reader.cancel();
            reader.releaseLock();
        }
    }

    [Symbol.asyncIterator](options) {
        return this.values(options);
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        const { locked } = this;
        return `ReadableStream ${inspect({ locked, state: this.#state, supportsBYOB: false }, options)}`;
    }
}
Object.defineProperty(ReadableStream.prototype, Symbol.toStringTag, {
    value: 'ReadableStream',
    configurable: true,
});

module.exports = { ReadableStream };

// readline: lines of a stream, and questions. Editing is the terminal's own.
'use strict';

const EventEmitter = require('events');
const { StringDecoder } = require('string_decoder');

class Interface extends EventEmitter {
    #input;
    #output;
    #decoder = new StringDecoder('utf8');
    #rest = '';
    #question;
    #prompt = '> ';
    #undo = [];

    constructor(options, output) {
        super();
        if (typeof options?.on === 'function') options = { input: options, output };
        this.#input = options.input;
        this.#output = options.output;
        this.#prompt = options.prompt ?? '> ';
        this.terminal = Boolean(options.terminal ?? this.#output?.isTTY);
        this.line = '';
        this.closed = false;
        const listen = (name, listener) => {
            this.#input.on(name, listener);
            this.#undo.push(() => this.#input.off(name, listener));
        };
        listen('data', (chunk) => this.#take(chunk));
        listen('end', () => {
            const rest = this.#rest + this.#decoder.end();
            this.#rest = '';
            if (rest !== '') this.#lineCame(rest);
            this.close();
        });
        listen('error', (error) => this.emit('error', error));
        options.signal?.addEventListener('abort', () => this.close(), { once: true });
    }

    #take(chunk) {
        const lines = (this.#rest + (typeof chunk === 'string' ? chunk : this.#decoder.write(chunk))).split(
            /\r\n|\n/,
        );
        this.#rest = lines.pop();
        for (const line of lines) if (!this.closed) this.#lineCame(line);
    }

    #lineCame(line) {
        const question = this.#question;
        this.#question = undefined;
        if (question) question(line);
        else this.emit('line', line);
    }

    setPrompt(prompt) {
        this.#prompt = prompt;
    }
    getPrompt() {
        return this.#prompt;
    }
    prompt() {
        this.#output?.write(this.#prompt);
        this.resume();
    }

    question(query, options, callback) {
        if (typeof options === 'function') [options, callback] = [{}, options];
        this.#output?.write(query);
        this.#question = callback;
        options?.signal?.addEventListener(
            'abort',
            () => {
                this.#question = undefined;
            },
            { once: true },
        );
        this.resume();
    }

    write(data) {
        if (data) this.#take(data);
    }
    pause() {
        this.#input.pause();
        this.emit('pause');
        return this;
    }

    resume() {
        this.#input.resume();
        return this;
    }

    close() {
        if (this.closed) return;
        this.closed = true;
        for (const undo of this.#undo) undo();
        this.#input.pause();
        this.emit('close');
    }

    async *[Symbol.asyncIterator]() {
        const lines = [];
        let wake;
        const came = (line) => {
            lines.push(line);
            wake?.();
        };
        const closed = () => wake?.();
        this.on('line', came).on('close', closed);
        try {
            for (;;) {
                if (lines.length > 0) yield lines.shift();
                else if (this.closed) return;
                else
                    await new Promise((resolve) => {
                        wake = resolve;
                    });
            }
        } finally {
            this.off('line', came).off('close', closed);
            this.close();
        }
    }
}

const createInterface = (...values) => new Interface(...values);

module.exports = {
    Interface,
    createInterface,
    clearLine: (stream, direction, callback) => void (stream.clearLine?.(direction), callback?.()),
    cursorTo: (stream, x, y, callback) => void (stream.cursorTo?.(x, y), callback?.()),
    moveCursor: (stream, dx, dy, callback) => void (stream.moveCursor?.(dx, dy), callback?.()),
    get promises() {
        return require('readline/promises');
    },
};

// process.stdin, stdout and stderr as streams.
'use strict';

const { Readable, Writable } = require('stream');
const host = binding('standard_streams');

function output(fd) {
    const console = binding('console');
    const stream = new Writable({
        decodeStrings: false,
        // Written at once, so that nothing is lost when the program ends.
        write(chunk, encoding, callback) {
            if (typeof chunk === 'string' && /^utf-?8$/i.test(encoding))
                console.write(fd, chunk.toWellFormed());
            else console.writeBytes(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
            callback();
        },
        emitClose: false,
        autoDestroy: false,
    });
    stream.fd = fd;
    stream._type = 'fs';
    const isTTY = host.isTerminal(fd);
    if (isTTY) {
        stream.isTTY = true;
        for (const [name, index] of [
            ['columns', 0],
            ['rows', 1],
        ]) {
            Object.defineProperty(stream, name, { get: () => host.size(fd)[index], enumerable: true });
        }
        stream.getWindowSize = () => host.size(fd);
        stream.getColorDepth = () => (console.hasColors(fd) ? 4 : 1);
        stream.hasColors = (count = 16) => console.hasColors(fd) && count <= 16;
        stream.clearLine = (direction = 0) => stream.write(`\u001b[${{ '-1': 1, 0: 2, 1: 0 }[direction]}K`);
        stream.cursorTo = (x, y) =>
            stream.write(typeof y === 'number' ? `\u001b[${y + 1};${x + 1}H` : `\u001b[${x + 1}G`);
        stream.moveCursor = (dx, dy) =>
            stream.write(
                (dx ? `\u001b[${Math.abs(dx)}${dx > 0 ? 'C' : 'D'}` : '') +
                    (dy ? `\u001b[${Math.abs(dy)}${dy > 0 ? 'B' : 'A'}` : ''),
            );
    }
    require.shared.streams[fd] = stream;
    return stream;
}

function input() {
    let isHeld = false;
    // Standard input keeps the program alive while somebody wants to read.
    const hold = (wanted) => {
        if (wanted !== isHeld) host.hold((isHeld = wanted));
    };
    const stream = new Readable({
        highWaterMark: 65536,
        read() {
            const state = stream._readableState;
            hold(state.flowing !== false || state.readableListening);
            host.read(
                (chunk) => {
                    hold(false);
                    this.push(chunk === null ? null : new Uint8Array(chunk));
                },
                (error) => {
                    hold(false);
                    this.destroy(error);
                },
            );
        },
    });
    stream.on('pause', () => hold(false));
    stream.on('resume', () => hold(stream._readableState.reading));
    stream.fd = 0;
    stream.ref = stream.unref = () => stream;
    if (host.isTerminal(0)) {
        stream.isTTY = true;
        stream.isRaw = false;
        stream.setRawMode = (mode) => {
            host.setRaw(Boolean(mode));
            stream.isRaw = Boolean(mode);
            return stream;
        };
    }
    return stream;
}

module.exports = { open: (fd) => (fd === 0 ? input() : output(fd)) };

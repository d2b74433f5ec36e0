// Streams: flow, back-pressure, errors, pipelines, iteration.
const { Duplex, PassThrough, Readable, Transform, Writable, finished, pipeline } = require('stream');
const { pipeline: pipelined, finished: ended } = require('stream/promises');

const chunks = (list) => Readable.from(list);
const collect = (into) =>
    new Writable({
        write(chunk, encoding, callback) {
            into.push(chunk.toString());
            callback();
        },
    });

async function main() {
    console.log(await chunks(['a', 'b']).toArray());
    const read = [];
    for await (const chunk of chunks([1, 2, 3])) read.push(chunk);
    console.log(read);
    const out = [];
    await pipelined(chunks(['x', 'y']), new PassThrough(), collect(out));
    console.log(out);
    const upper = new Transform({
        transform(chunk, encoding, callback) {
            callback(null, chunk.toString().toUpperCase());
        },
        flush(callback) {
            callback(null, '!');
        },
    });
    const loud = [];
    await pipelined(chunks(['abc', 'def']), upper, collect(loud));
    console.log(loud);
    await pipelined(
        chunks(['q']),
        async function* (source) {
            for await (const chunk of source) yield `<${chunk}>`;
        },
        collect(loud),
    );
    console.log(loud.at(-1));
    try {
        await pipelined(
            chunks(['a']),
            new Transform({ transform: (chunk, encoding, callback) => callback(new Error('bad')) }),
            collect([]),
        );
    } catch (error) {
        console.log('pipeline failed', error.message);
    }
    const pushed = new Readable({ read() {} });
    pushed.push('one');
    pushed.push('two');
    pushed.push(null);
    pushed.setEncoding('utf8');
    console.log(await pushed.toArray());
    const paused = new Readable({ read() {} });
    paused.on('data', (chunk) => console.log('data', chunk.toString()));
    paused.pause();
    paused.push('late');
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log('still paused', paused.isPaused());
    paused.resume();
    paused.push(null);
    await ended(paused);
    const slow = new Writable({
        highWaterMark: 4,
        write(chunk, encoding, callback) {
            setTimeout(callback, 1);
        },
    });
    console.log(slow.write('ab'), slow.write('cdef'), slow.writableLength, slow.writableNeedDrain);
    await new Promise((resolve) => slow.once('drain', resolve));
    slow.end();
    await ended(slow);
    console.log(slow.writableFinished, slow.destroyed);
    const broken = new Readable({ read() {} });
    broken.on('error', (error) => console.log('error', error.message));
    broken.on('close', () => console.log('close'));
    broken.destroy(new Error('gone'));
    await new Promise((resolve) => setTimeout(resolve, 2));
    const after = new Writable({ write: (chunk, encoding, callback) => callback() });
    after.on('error', (error) => console.log(error.code));
    after.end();
    after.write('x');
    await new Promise((resolve) => setTimeout(resolve, 2));
    const both = new Duplex({
        read() {
            this.push('from duplex');
            this.push(null);
        },
        write(chunk, encoding, callback) {
            console.log('written', chunk.toString());
            callback();
        },
    });
    both.end('to duplex');
    console.log((await both.toArray()).map(String), both instanceof Writable);
    const pulled = new Readable({ read() {} });
    pulled.on('readable', () => {
        for (let chunk = pulled.read(); chunk !== null; chunk = pulled.read())
            console.log('read', chunk.toString());
    });
    pulled.push('abc');
    await new Promise((resolve) => setTimeout(resolve, 2));
    pulled.push(null);
    await ended(pulled);
    finished(chunks(['z']).resume(), (error) => console.log('finished', error));
    pipeline(chunks(['z']), collect([]), (error) => console.log('piped', error));
}
main();

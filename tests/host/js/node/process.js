// process: order of ticks and jobs, environment, exit.
process.on('exit', (c) => console.log('exit', c, process.exitCode));
process.on('beforeExit', () => {
    if (!globalThis.q) {
        globalThis.q = 1;
        console.log('before');
        setTimeout(() => console.log('again'), 5);
    }
});
process.nextTick(() => console.log('tick'));
Promise.resolve().then(() => console.log('micro'));
setTimeout(() => console.log('timeout'), 1);
setImmediate(() => console.log('immediate'));
console.log(
    process.argv.length,
    typeof process.hrtime.bigint(),
    process.hrtime().length,
    process.cwd(),
    process.platform,
);
process.env.FOO = 5;
console.log(process.env.FOO, 'FOO' in process.env, delete process.env.FOO, process.env.FOO);
console.error('to stderr');
process.stdout.write('w\n', () => console.log('written'));

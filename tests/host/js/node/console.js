// console's methods.
console.log('plain', 'words');
console.log('%s=%d', 'a', 5, { rest: true });
console.info([1, 2], null, undefined);
console.debug(true);
console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
console.group('outer');
console.log('inside\ntwo lines');
console.group();
console.log({ deep: [1, 2, 3] });
console.groupEnd();
console.log('outer again');
console.groupEnd();
console.groupEnd();
console.log('out');
console.count();
console.count('x');
console.count('x');
console.countReset('x');
console.count('x');
console.assert(true, 'no');
console.table([
    { a: 1, b: 'x' },
    { a: 2, c: { d: 1 } },
]);
console.table([
    [1, 2],
    [3, 4],
]);
console.table(['p', 'q']);
console.table(
    new Map([
        ['k', { v: 1 }],
        ['日本', 2],
    ]),
);
console.table(new Set([1, 'two']));
console.table([{ a: 1, b: 2 }], ['b']);
console.table({ r1: { c: 1 }, r2: 5 });
console.table([]);
console.table(5);
console.log('100%', 5, '%s');
console.log('%%', '%c styled', 'css');
console.log('%c styled', 'css', 'x');
console.log('%o', { f() {} }.f === undefined, '%O', [[[]]]);
const { Console } = require('console');
let text = '';
const mine = new Console({
    write: (t) => (text += t),
    on() {},
    once() {},
    removeListener() {},
    listenerCount: () => 1,
});
mine.log('to mine', { a: 1 });
mine.error('error');
console.log(JSON.stringify(text));
console.log(Object.prototype.toString.call(console));
const write = process.stdout.write;
const caught = [];
process.stdout.write = (chunk) => {
    caught.push(chunk);
    return true;
};
console.log('caught', 1);
process.stdout.write = write;
console.log(caught);
console.log(Object.assign(Object.create({ inherited: 1 }), { own: 2 }));
console.log(-0, [-0], 1e21, 123456789012345680000, 0.1 + 0.2, 0xff, 1n << 70n);
console.log(new Error('message').message, String(new TypeError('t')), [new Error('x').name]);
console.log(process.stdout.isTTY, typeof console.time);

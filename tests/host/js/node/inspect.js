// util.inspect and util.format.
const { inspect, format } = require('util');
const cases = [];
console.log({ a: 1, b: 'x', c: [1, 2, 3], d: { e: { f: { g: 1 } } } });
console.log(
    [1, , 3],
    new Map([
        [{ a: 1 }, 'b'],
        ['c', new Set([1, 2])],
    ]),
    new Set(),
);
class A {
    constructor() {
        this.x = 1;
    }
    get y() {
        return 2;
    }
}
class B extends A {
    static z = 3;
    #p = 4;
}
console.log(
    new A(),
    new B(),
    A,
    B,
    class {},
    function foo() {},
    () => {},
    async () => {},
    function* g() {},
    async function* ag() {},
);
const o = {
    name: 'o',
    get g() {
        return 1;
    },
    set g(v) {},
    get h() {
        return 2;
    },
    set s(v) {},
    [Symbol('sym')]: 1,
    'a-b': 2,
    f() {},
    u: undefined,
    n: null,
    neg: -0,
    big: 10n,
};
o.self = o;
o.list = [o, { o }];
console.log(o);
console.log(
    Array.from({ length: 120 }, (_, i) => i),
    Array.from({ length: 30 }, (_, i) => 'item' + i),
    new Uint8Array(200),
    new Float64Array([1.5, -0]),
    new BigInt64Array(2),
);
console.log(new Date(0), new Date(NaN), /re+g/gi, Symbol('x'), 'str', "it's", [
    "it's",
    'a"b\'c',
    'a\nb\x01',
    '\u{1F600}\ud800',
]);
console.log([
    new Date(0),
    new Number(3),
    new String('abc'),
    new Boolean(false),
    Object(1n),
    Object(Symbol('s')),
]);
console.log(
    new ArrayBuffer(10),
    new DataView(new ArrayBuffer(4)),
    new WeakMap(),
    new WeakSet(),
    Promise.resolve(4) instanceof Promise,
);
console.log(
    Object.create(null),
    Object.create({ a: 1 }),
    Object.create(A.prototype),
    Object.create(Object.create(null)),
    Object.assign(Object.create(null), { a: 1 }),
);
console.log(
    (function () {
        return arguments;
    })(1, 2, 3),
    globalThis === globalThis,
);
console.log(
    '%s is %d years and %i, %f %j %o %O %% %c.',
    'Bob',
    42.5,
    42.9,
    '1.5',
    { a: 1 },
    { f() {} },
    { a: { b: { c: { d: 1 } } } },
    'css',
    'extra',
    { x: 1 },
);
console.log(
    '%s',
    null,
    undefined,
    5n,
    Symbol('a'),
    {
        toString() {
            return 'ts';
        },
    },
    {},
    [1, [2, [3]]],
    new A(),
    class Q {},
    -0,
);
console.log(
    '%s %s %s %s',
    {
        toString() {
            return 'ts';
        },
    },
    {},
    [1, [2, [3]]],
    new A(),
    '%s %d',
    '100%',
    '%',
    '%%',
);
console.log({ aaaaaaaaaaaaaaaaaaaa: 1, bbbbbbbbbbbbbbbbbbbbbbb: 2, ccccccccccccccccccc: 3, d: 4 });
console.log({ aaaaaaaaaaaaaaaaaaaa: 1, bbbbbbbbbbbbbbbbbbbbbbb: 2, ccccccccccccccccccc: 3, ddddddd: 4 });
console.log(
    { a: { b: { c: {} } } },
    { a: { b: { c: [] } } },
    { a: { b: { c: [1] } } },
    { a: { b: { c: new Map() } } },
    { a: { b: { c: new A() } } },
    { a: { b: { c: Object.create(null) } } },
);
console.log(
    [
        ['a', 'b'],
        ['c', 'd'],
    ],
    [[[[]]]],
    [[[[1]]]],
    { a: [{ b: { c: 1 } }] },
);
console.log(['a'.repeat(90)], {
    s: 'line1\nline2\nline3 long enough to be broken into several lines because it exceeds the width',
});
console.log(
    Object.assign([1, 2, 3], { x: 1, '-1': 2 }),
    Object.assign(() => {}, { a: 1 }),
    Object.assign(function n() {}, { b: { c: 1 } }),
);
console.log(
    { [Symbol.toStringTag]: 'T' },
    new (class X {
        get [Symbol.toStringTag]() {
            return 'Y';
        }
    })(),
    Math,
    JSON,
    Reflect,
    Atomics,
);
console.log([undefined, null, true, NaN, Infinity], [[undefined]], { undefined: undefined });
console.log(new Map([['k', { a: { b: { c: 1 } } }]]), new Map([[new Map([[1, 2]]), new Set([[1]])]]));
console.log(
    ['apple', 'banana', 'cherry', 'date', 'elderberry', 'fig', 'grape', 'honeydew'],
    Array(200).fill('ab'),
    [1.5, 22.75, 333.125, 4, 5, 6, 7, 8, 9, 10],
);
console.log(new Array(5), [, 'a', , 'b', ,], Array.from({ length: 101 }));
console.log(
    inspect(
        {
            a: 1n,
            s: 'x',
            u: undefined,
            n: null,
            b: true,
            sy: Symbol('q'),
            d: new Date(0),
            r: /x/,
            f() {},
            c: class Z {},
            [Symbol('k')]: 1,
            'q-r': [1, , 2],
        },
        { colors: true },
    ),
);
console.log(
    inspect({ a: { b: { c: { d: {} } } } }, { depth: 0 }),
    inspect({ a: { b: { c: { d: { e: 1 } } } } }, { depth: Infinity }),
    inspect([1, 2], { showHidden: true }),
    inspect({ b: 1, a: 2 }, { sorted: true }),
    inspect({ a: 1, b: { c: 1 } }, { compact: false }),
    inspect({ a: 1, b: { c: 1 } }, { compact: true }),
    inspect(
        {
            get a() {
                return { x: 1 };
            },
            get b() {
                return 5;
            },
        },
        { getters: true },
    ),
    inspect(123456789.123456, { numericSeparator: true }),
    inspect('a'.repeat(30), { maxStringLength: 10 }),
    inspect([1, 2, 3, 4], { maxArrayLength: 2 }),
);
console.log(
    inspect(new Uint8Array(3), { showHidden: true }),
    inspect(new Map([[1, 2]]), { showHidden: true }),
    inspect(new A(), { showHidden: true }),
);
console.log(inspect(new Proxy({ a: 1 }, {})), [new Proxy([1, 2], {}), new Proxy(function f() {}, {})]);
console.log(
    {
        a: {
            [Symbol.for('nodejs.util.inspect.custom')](d, o, i) {
                return `custom ${d} ${i({ q: 1 })}`;
            },
        },
    },
    {
        [Symbol.for('nodejs.util.inspect.custom')]() {
            return { z: 1 };
        },
    },
);
console.log(['日本語', '漢字', 'かな', 'カナ', '한국어', '中文', 'emoji😀', 'ascii'], '日本');
console.log([[1, 2, [3, 4, [5, [6]]]], { x: { y: { z: {} } } }], { f: [function () {}, class A {}] });
console.log([1.0, 2.5, -3], [-0], [0], [[]], [{}], { a: [] }, {}, []);
console.log(
    new (class Foo extends Map {})([[1, 2]]),
    new (class Bar extends Array {})(3),
    new (class Baz extends Set {})(),
    new (class P2 extends Uint8Array {})(2),
);
const e = new Error('msg');
e.stack = 'Error: msg\n    at foo (file.js:1:1)';
e.code = 'ECODE';
console.log(e, [e], { e });
class MyError extends Error {
    constructor(m) {
        super(m);
        this.name = 'MyError';
    }
}
const me = new MyError('hey');
me.stack = 'Error: hey\n    at x (y:1:2)';
console.log(me);
const ce = new Error('outer', { cause: e });
ce.stack = 'Error: outer\n    at bar (file.js:2:1)';
console.log(ce);
const ns = new TypeError('nostack');
ns.stack = 'TypeError: nostack';
console.log(ns);
const n2 = new RangeError('x');
n2.stack = 'RangeError: x';
console.log(n2, [n2]);
const ag = new AggregateError([n2], 'many');
ag.stack = 'AggregateError: many\n    at z (q:1:1)';
console.log(ag);
console.log(
    Object.setPrototypeOf(new Map([[1, 2]]), null),
    Object.setPrototypeOf([1], null),
    Object.setPrototypeOf(function f() {}, null),
);
console.log({
    'very long key name number one': 'very long value number one',
    k2: { nested: [1, 2, 3], other: 'text text text text text' },
    k3: new Map([
        ['aaaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbbbb'],
        ['c', 'd'],
    ]),
});

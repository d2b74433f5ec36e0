// assert.
const T = (f) => {
    try {
        console.log(f());
    } catch (e) {
        console.log(e.name, e.code, e.message, e.generatedMessage, e.operator);
    }
};
const assert = require('assert');
T(() => assert(true));
T(() => assert.equal(1, 2));
T(() => assert.strictEqual(1, 2));
T(() => assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3] }));
T(() => assert.deepEqual({ a: 1 }, { a: '1' }));
T(() => assert.deepEqual([1], [2]));
T(() => assert.notStrictEqual(1, 1));
T(() => assert.notDeepStrictEqual({ a: 1 }, { a: 1 }));
T(() =>
    assert.throws(() => {
        throw new TypeError('x');
    }, TypeError),
);
T(() =>
    assert.throws(() => {
        throw new TypeError('xy');
    }, /xy/),
);
T(() =>
    assert.throws(
        () => {
            throw new TypeError('x');
        },
        { message: 'x', name: 'TypeError' },
    ),
);
T(() => assert.throws(() => {}));
T(() =>
    assert.throws(() => {
        throw new Error('q');
    }, RangeError),
);
T(() =>
    assert.doesNotThrow(() => {
        throw new Error('w');
    }),
);
T(() => assert.ifError(null));
T(() => assert.ifError(new Error('e')));
T(() => assert.match('abc', /x/));
T(() => assert.fail('boo'));
T(() => assert.fail());
T(() => assert.strict.equal(1, '1'));
T(() => assert.ok(0, 'zero'));
T(() =>
    assert.deepStrictEqual(
        new Map([[{ a: 1 }, new Set([1, { b: 2 }])]]),
        new Map([[{ a: 1 }, new Set([1, { b: 2 }])]]),
    ),
);
T(() => assert.deepStrictEqual(new Set([1]), new Set([2])));
T(() => assert.deepStrictEqual([NaN, -0], [NaN, 0]));
T(() => assert.deepStrictEqual(new Date(0), new Date(0)));
T(() => assert.deepEqual(new Date(0), new Date(1)));
assert.rejects(Promise.reject(new Error('r')), /r/).then(() => console.log('ok'));
assert.rejects(Promise.resolve(1)).catch((e) => console.log(e.message));
T(() => assert.strictEqual({ a: 1 }, { a: 1 }));
T(() => assert.strictEqual([1, 2, 3], [1, 2, 4]));
T(() => assert.strictEqual('a\nb', 'a\nc'));

// structuredClone, AbortController, AbortSignal; util's small functions.
const T = (f) => {
    try {
        console.log(f());
    } catch (e) {
        console.log(e.name, e.code, e.message);
    }
};
T(() =>
    structuredClone({
        a: [1, new Date(0), new Map([[1, { x: new Set([2]) }]])],
        b: /x/g,
        c: new Uint8Array([1, 2]),
        e: 1n,
        u: undefined,
    }),
);
T(() => structuredClone(() => {}));
T(() => structuredClone(Symbol('x')));
T(() => {
    const o = {};
    o.o = o;
    return structuredClone(o);
});
T(() => {
    const e = structuredClone(new RangeError('m'));
    return [e instanceof RangeError, e.message];
});
T(() => {
    const ac = new AbortController();
    ac.signal.onabort = (e) => console.log('aborted', e.type);
    ac.signal.addEventListener('abort', () => console.log('l'));
    ac.abort();
    return [ac.signal.aborted, ac.signal.reason.name, ac.signal.reason.message];
});
T(() => AbortSignal.abort('why').reason);
T(() => AbortSignal.any([AbortSignal.abort(1)]).reason);
T(() => new AbortController());
T(() => {
    AbortSignal.abort().throwIfAborted();
});
const u = require('util');
T(() => u.inspect.custom);
T(() => u.types.isPromise(Promise.resolve()));
T(() => u.types.isProxy(new Proxy({}, {})));
T(() => u.format('%s', 1));

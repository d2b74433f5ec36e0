// The environment's loader. Its value is a function that is called once, with what Python gives:
// compile(name), a part's source as a function, and binding(name), Python's functions for it. What
// is loaded when: a module when it is first required, a global when it is first looked at.
(function (compile, binding) {
    'use strict';
    const cache = { __proto__: null };
    // What parts find of each other without loading it: process, and its streams by descriptor.
    load.shared = { process: undefined, streams: {} };

    function load(name) {
        let module = cache[name];
        if (module === undefined) {
            module = cache[name] = { exports: {} };
            compile(name)(module.exports, load, module, binding);
        }
        return module.exports;
    }

    function global(name, module, property) {
        const set = (value) =>
            Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
        Object.defineProperty(globalThis, name, {
            configurable: true,
            set,
            get() {
                const exports = load(module);
                const value = property === '' ? exports : exports[property];
                set(value);
                return value;
            },
        });
    }

    /** Lines of a name and where it is: `Buffer buffer.Buffer`. */
    function globals(text) {
        for (const line of text.split('\n')) {
            if (line === '') continue;
            const [name, place] = line.split(' ');
            const [module, property = ''] = place.split('.');
            global(name, module, property);
        }
    }

    return { load, globals };
});

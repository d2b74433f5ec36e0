// What the prompt looks up for completion. It runs no code of the program's: getters are not called,
// and where a proxy is, looking ends.
(function (isProxy) {
"use strict";
const global = globalThis;
const {Object, Reflect, String, RegExp, Set} = global;
const {getPrototypeOf, getOwnPropertyDescriptor} = Object;
const {ownKeys} = Reflect;
const indirectEval = global.eval;
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

// The value of a data property, as [value]; undefined if there is none or it would have to be asked.
function lookUp(object, name) {
    if (object === null || object === undefined) return undefined;
    for (let at = Object(object); at !== null; at = getPrototypeOf(at)) {
        if (isProxy(at)) return undefined;
        const found = getOwnPropertyDescriptor(at, name);
        if (found) return "value" in found ? [found.value] : undefined;
    }
    return undefined;
}

function isGlobal(name) {
    for (let at = global; at !== null; at = getPrototypeOf(at)) {
        if (isProxy(at)) return true;
        if (getOwnPropertyDescriptor(at, name)) return true;
    }
    return false;
}

// The value of a name at the top of a program, which may be a let or a class.
function binding(name) {
    if (!identifier.test(name)) return undefined;
    if (isGlobal(name)) return lookUp(global, name);
    try {
        return [indirectEval(name)];
    } catch {
        return undefined;
    }
}

const literals = {__proto__: null, string: String.prototype, regexp: RegExp.prototype};

function subject(first, path) {
    let found = first in literals && path.kind ? [literals[first]]
        : first === "this" ? [global] : binding(first);
    for (const name of path.names) {
        if (!found) return undefined;
        found = lookUp(found[0], name);
    }
    return found;
}

return {
    // The names of members, nearest first.
    members(first, names, kind) {
        const found = subject(first, {names, kind});
        if (!found || found[0] === null || found[0] === undefined) return [];
        const seen = new Set();
        for (let at = Object(found[0]); at !== null; at = getPrototypeOf(at)) {
            if (isProxy(at)) break;
            for (const key of ownKeys(at))
                if (typeof key === "string" && identifier.test(key)) seen.add(key);
        }
        return [...seen];
    },
    globals() {
        const seen = new Set();
        for (let at = global; at !== null; at = getPrototypeOf(at)) {
            if (isProxy(at)) break;
            for (const key of ownKeys(at))
                if (typeof key === "string" && identifier.test(key)) seen.add(key);
        }
        return [...seen];
    },
    exists: (name) => binding(name) !== undefined,
    setLast(name, value) {
        Object.defineProperty(global, name, {
            value, writable: true, configurable: true, enumerable: false,
        });
    },
    // A global that is a module, required when it is first used.
    lazy(name, load) {
        if (isGlobal(name)) return;
        Object.defineProperty(global, name, {
            get() { return load(name); },
            set(value) {
                Object.defineProperty(global, name, {
                    value, writable: true, configurable: true, enumerable: true,
                });
            },
            configurable: true, enumerable: false,
        });
    },
};
})

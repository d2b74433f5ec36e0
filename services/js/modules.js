// CommonJS: require, module and its cache. Finding and reading files is Python's.
(function (resolve, load, isBuiltin, builtin, namespace) {
"use strict";
const global = globalThis;
const {Object, JSON, SyntaxError, Error} = global;
const {apply} = Reflect;
const cache = {__proto__: null};
const builtins = {__proto__: null};
let main;

class Module {
    constructor(id, parent) {
        this.id = id;
        this.path = id.slice(0, Math.max(id.lastIndexOf("/"), 1));
        this.exports = {};
        this.filename = id;
        this.loaded = false;
        this.children = [];
        Object.defineProperty(this, "parent", {value: parent, enumerable: false});
        if (parent) parent.children.push(this);
    }
    require(name) { return requireFrom(this, name); }
}
Module._cache = cache;
Module.builtinModules = [];
Module.isBuiltin = (name) => isBuiltin(String(name));
Module.createRequire = (name) => {
    const path = String(name).replace(/^file:\/\//, "");
    return makeRequire(new Module(path));
};
Module.Module = Module;

function getBuiltin(specifier) {
    const name = specifier.replace(/^node:/, "");
    if (!(name in builtins)) builtins[name] = builtin(name);
    return builtins[name];
}

function invalid(name) {
    const error = new TypeError(
        `The "id" argument must be of type string. Received ${String(name)}`);
    error.code = "ERR_INVALID_ARG_TYPE";
    return error;
}

function requireFrom(module, name) {
    if (typeof name !== "string") throw invalid(name);
    if (isBuiltin(name)) return getBuiltin(name);
    return loadFile(resolve(name, module.path, module.filename), module).exports;
}

function loadFile(path, parent) {
    const found = cache[path];
    if (found) return found;
    const module = new Module(path, parent);
    if (!parent) main = module;
    cache[path] = module;
    let done = false;
    try {
        const [kind, content] = load(path);
        if (kind === "json") module.exports = parsed(content, path);
        else if (kind === "module") module.exports = required(namespace(path));
        else {
            const require = makeRequire(module);
            apply(content, module.exports,
                [module.exports, require, module, path, module.path]);
        }
        done = module.loaded = true;
    } finally {
        if (!done) delete cache[path];
    }
    return module;
}

function required(exports) {
    return "module.exports" in exports ? exports["module.exports"] : exports;
}

function parsed(text, path) {
    try {
        return JSON.parse(text);
    } catch (error) {
        error.message = `${path}: ${error.message}`;
        throw error;
    }
}

function makeRequire(module) {
    const require = (name) => requireFrom(module, name);
    Object.defineProperty(require, "name", {value: "require"});
    require.resolve = (name) =>
        isBuiltin(name) ? name : resolve(name, module.path, module.filename);
    require.cache = cache;
    require.main = main;
    return require;
}

return {
    Module, getBuiltin,
    // What a file exports, by require's rules.
    file: (path) => loadFile(path, undefined).exports,
    // The same for a file that an ES module imports.
    imported: (path, parent) => loadFile(path, new Module(parent)).exports,
    makeRequire: (file) => makeRequire(new Module(file)),
    requireAt: (name, file) => makeRequire(new Module(file))(name),
    keys: (exports) =>
        exports !== null && (typeof exports === "object" || typeof exports === "function")
            ? Object.keys(exports) : [],
    // What synthetic modules get as import.meta.
    meta(meta, values) { Object.assign(meta, values); },
};
})

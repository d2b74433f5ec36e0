// path: names of files as POSIX has them.
'use strict';

const { expectString, invalidArgument } = require('internal/errors');

/** The parts of a path without `.` and, as far as they can be taken back, `..`. */
function normalParts(path, isAbsolute) {
    const parts = [];
    for (const part of path.split('/')) {
        if (part === '' || part === '.') continue;
        if (part !== '..') parts.push(part);
        else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
        else if (!isAbsolute) parts.push('..');
    }
    return parts;
}

function normalize(path) {
    expectString('path', path);
    if (path === '') return '.';
    const isAbsolute = path.startsWith('/');
    const text = normalParts(path, isAbsolute).join('/');
    if (text === '') {
        if (isAbsolute) return '/';
        return path.endsWith('/') ? './' : '.';
    }
    return (isAbsolute ? '/' : '') + text + (path.endsWith('/') ? '/' : '');
}

function join(...paths) {
    for (const path of paths) expectString('path', path);
    const joined = paths.filter((path) => path !== '').join('/');
    return joined === '' ? '.' : normalize(joined);
}

function resolve(...paths) {
    let resolved = '';
    for (const path of paths.reverse()) {
        expectString('path', path);
        if (path === '') continue;
        resolved = resolved === '' ? path : `${path}/${resolved}`;
        if (path.startsWith('/')) break;
    }
    if (!resolved.startsWith('/')) resolved = `${binding('process').cwd()}/${resolved}`;
    return `/${normalParts(resolved, true).join('/')}`;
}

function relative(from, to) {
    expectString('from', from);
    expectString('to', to);
    const source = normalParts(resolve(from), true);
    const target = normalParts(resolve(to), true);
    let common = 0;
    while (common < source.length && source[common] === target[common]) common++;
    return [...Array(source.length - common).fill('..'), ...target.slice(common)].join('/');
}

function withoutSlashes(path) {
    return path.replace(/(?<=[^/])\/+$/, '').replace(/^\/+$/, '/');
}

function dirname(path) {
    expectString('path', path);
    if (path === '') return '.';
    const trimmed = withoutSlashes(path);
    const end = trimmed.lastIndexOf('/');
    if (end === -1) return '.';
    if (end === 0) return '/';
    // Of two slashes at the beginning one belongs to the name.
    const folder = trimmed.slice(0, end);
    return folder === '/' ? '//' : folder;
}

function basename(path, suffix) {
    expectString('path', path);
    if (suffix !== undefined) expectString('suffix', suffix);
    if (suffix !== undefined && suffix === path) return '';
    const trimmed = path.replace(/\/+$/, '');
    const name = trimmed.slice(trimmed.lastIndexOf('/') + 1);
    const isOther = suffix !== undefined && suffix !== '' && name !== suffix && name.endsWith(suffix);
    return isOther ? name.slice(0, -suffix.length) : name;
}

function extname(path) {
    expectString('path', path);
    const name = basename(path);
    const dot = name.lastIndexOf('.');
    return dot <= 0 || name === '..' ? '' : name.slice(dot);
}

function isAbsolute(path) {
    expectString('path', path);
    return path.startsWith('/');
}

function parse(path) {
    expectString('path', path);
    const root = path.startsWith('/') ? '/' : '';
    const base = basename(path);
    const ext = extname(path);
    const trimmed = withoutSlashes(path);
    const end = trimmed.lastIndexOf('/');
    let dir = root;
    if (end > 0) dir = trimmed.slice(0, end);
    return { root, dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) };
}

function format(parts) {
    if (parts === null || typeof parts !== 'object') {
        throw invalidArgument('pathObject', 'of type object', parts);
    }
    const dir = parts.dir || parts.root;
    const dotted = parts.ext && !parts.ext.startsWith('.') ? `.${parts.ext}` : (parts.ext ?? '');
    const base = parts.base || `${parts.name ?? ''}${dotted}`;
    if (!dir) return base;
    return dir === parts.root ? `${dir}${base}` : `${dir}/${base}`;
}

const posix = {
    basename,
    delimiter: ':',
    dirname,
    extname,
    format,
    isAbsolute,
    join,
    normalize,
    parse,
    relative,
    resolve,
    sep: '/',
    toNamespacedPath: (path) => path,
    win32: null,
};
posix.posix = posix;

module.exports = posix;

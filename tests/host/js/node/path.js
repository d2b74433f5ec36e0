// path, for many odd names.
const path = require('path');
const out = [];
const ps = [
    '',
    '/',
    '//',
    'a',
    'a/',
    '/a',
    '/a/',
    'a/b',
    '/a/b/',
    'a//b',
    './a',
    '../a',
    'a/..',
    'a/../..',
    '/../a',
    'a/./b/',
    '.',
    '..',
    './',
    '../',
    '.a',
    'a.b',
    'a.b.c',
    'a.',
    '/a.b/c',
    '//a',
    '///a//',
    'a/b.txt',
    '/x/y/.z',
    'file.tar.gz',
    '..a',
    'a/b/c/../../..',
    '...',
    'a...',
    '/.',
    '//a/b',
];
for (const p of ps) {
    for (const f of ['normalize', 'dirname', 'basename', 'extname', 'isAbsolute', 'resolve'])
        out.push([f, p, path[f](p)]);
    out.push(['parse', p, path.parse(p)]);
    out.push(['format', p, path.format(path.parse(p))]);
    if (/[^/]/.test(p)) out.push(['bn', p, path.basename(p, '.txt'), path.basename(p, 'x')]);
}
const few = ps.filter((p, i) => i % 3 === 0);
for (const a of few)
    for (const b of few) {
        out.push(
            ['join', a, b, path.join(a, b)],
            ['resolve', a, b, path.resolve(a, b)],
            ['relative', a, b, path.relative(a, b)],
        );
    }
console.log(out.map((x) => JSON.stringify(x)).join('\n'));

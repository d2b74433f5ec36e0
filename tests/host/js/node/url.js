// URL, URLSearchParams, url, querystring.
const T = (f) => {
    try {
        console.log(f());
    } catch (e) {
        console.log(e.name, e.code, e.message);
    }
};
const qs = require('querystring');
T(() => qs.parse('a=1&b=2&a=3&c&d=%20x+y'));
T(() => qs.stringify({ a: [1, 2], b: 'x y&', c: true, d: null }));
const url = require('url');
T(() => url.parse('http://user:pass@host.com:8080/p/a/t/h?query=string#hash'));
T(() => url.parse('/a?b=c', true).query.b);
T(() => url.format({ protocol: 'http', host: 'a.b', pathname: '/x', query: { a: 1 } }));
T(() => url.resolve('/one/two/three', 'four'));
T(() => url.resolve('http://example.com/one', '/two'));
T(() => url.fileURLToPath('file:///a%20b'));
T(() => url.pathToFileURL('/a b#c?').href);
T(() => url.fileURLToPath('http://x'));
T(() => new URL('http://user:pw@host:81/p?q=1#h'));
T(() => new URLSearchParams('a=1&b=2'));
T(() => new URL('nope'));
T(() => [...new URLSearchParams({ a: 1, b: 'x y' })].join() + new URLSearchParams([['a', 'é']]));
T(() => {
    const u = new URL('http://x/?a=1');
    u.searchParams.append('b', '2 3');
    return u.href;
});
T(() => new URLSearchParams('a=1').has('a'));
T(() => ({ u: new URL('http://a/') }));

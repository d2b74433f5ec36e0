// crypto and os.
const T = (f) => {
    try {
        console.log(f());
    } catch (e) {
        console.log(e.name, e.code, e.message);
    }
};
const c = require('crypto');
T(() => c.createHash('sha256').update('abc').digest('hex'));
T(() => c.createHmac('sha1', 'key').update('abc').digest('base64'));
T(() => c.createHash('md5').update('a').update('b').digest());
T(() => c.randomBytes(8).length);
T(() => c.createHash('nope'));
T(() => c.pbkdf2Sync('p', 's', 10, 16, 'sha256').toString('hex'));
T(() => c.scryptSync('p', 's', 16).toString('hex'));
T(() => c.timingSafeEqual(Buffer.from('a'), Buffer.from('a')));
T(() => typeof c.randomUUID());
T(() => c.randomInt(5) < 5);
T(() => crypto.getRandomValues(new Uint8Array(4)).length);
T(() => /^[0-9a-f-]{36}$/.test(crypto.randomUUID()));
const os = require('os');
T(() => [
    os.EOL,
    os.platform(),
    os.type(),
    typeof os.hostname(),
    typeof os.tmpdir(),
    typeof os.homedir(),
    os.cpus().length > 0,
    os.totalmem() > 0,
    os.endianness(),
]);
T(() => os.constants.signals.SIGINT);

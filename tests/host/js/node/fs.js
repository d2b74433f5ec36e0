// fs: all three forms, errors, streams.
const fs = require('fs'),
    path = require('path'),
    os = require('os');
const d = fs.mkdtempSync(path.join(os.tmpdir(), 'x-'));
process.chdir(d);
const C = (s) => (typeof s === 'string' ? s.replaceAll(d, 'D') : s);
const T = (f) => {
    try {
        console.log(C(f()));
    } catch (e) {
        console.log(e.name, e.code, e.errno, e.syscall, C(e.path), C(e.dest), C(e.message));
    }
};
T(() => fs.writeFileSync('a.txt', 'héllo\n'));
T(() => fs.readFileSync('a.txt'));
T(() => fs.readFileSync('a.txt', 'utf8'));
T(() => fs.appendFileSync('a.txt', 'more'));
T(() => fs.readFileSync('a.txt', { encoding: 'latin1' }));
T(() => fs.statSync('a.txt').size);
T(() => fs.statSync('a.txt').isFile());
T(() => fs.existsSync('a.txt'));
T(() => fs.existsSync('zz'));
T(() => fs.readFileSync('nope'));
T(() => fs.readFileSync('.'));
T(() => fs.writeFileSync('x/y', ''));
T(() => fs.mkdirSync('a.txt'));
T(() => fs.mkdirSync('q/r/s'));
T(() => fs.mkdirSync('q/r/s', { recursive: true }));
T(() => fs.mkdirSync('q/r/s', { recursive: true }));
T(() => fs.writeFileSync('q/r/f', Buffer.from([1, 2])));
T(() => fs.readdirSync('.'));
T(() => fs.readdirSync('.', { withFileTypes: true }).map((e) => [e.name, e.isDirectory()]));
T(() => fs.readdirSync('q', { recursive: true }).sort());
T(() => fs.readdirSync('nope'));
T(() => fs.rmdirSync('q'));
T(() => fs.rmSync('nope'));
T(() => fs.rmSync('nope', { force: true }));
T(() => fs.unlinkSync('nope'));
T(() => fs.renameSync('nope', 'b'));
T(() => fs.renameSync('a.txt', 'b.txt'));
T(() => fs.copyFileSync('b.txt', 'c.txt'));
T(() => fs.copyFileSync('b.txt', 'c.txt', fs.constants.COPYFILE_EXCL));
T(() => fs.accessSync('nope'));
T(() => fs.accessSync('b.txt'));
T(() => fs.symlinkSync('b.txt', 'l'));
T(() => fs.readlinkSync('l'));
T(() => fs.lstatSync('l').isSymbolicLink());
T(() => fs.realpathSync('l'));
T(() => fs.statSync('nope'));
T(() => fs.statSync('nope', { throwIfNoEntry: false }));
T(() => fs.readFileSync(5.5));
T(() => fs.readFileSync({}));
T(() => fs.readFileSync('a\0'));
T(() => fs.writeFileSync('z', {}));
T(() => fs.openSync('b.txt', 'zz'));
T(() => fs.openSync('b.txt', 'wx'));
const fd = fs.openSync('n', 'w+');
T(() => fs.writeSync(fd, 'abcdef'));
T(() => fs.writeSync(fd, Buffer.from('XY'), 0, 1, 2));
const b = Buffer.alloc(4);
T(() => fs.readSync(fd, b, 0, 4, 1));
T(() => b.toString());
T(() => fs.fstatSync(fd).size);
T(() => fs.ftruncateSync(fd, 3));
T(() => fs.readFileSync('n', 'utf8'));
T(() => fs.closeSync(fd));
T(() => fs.closeSync(999));
T(() => fs.truncateSync('n', 1));
T(() => fs.utimesSync('n', 1, 2));
T(() => fs.statSync('n').mtimeMs);
T(() => fs.chmodSync('n', 0o600));
T(() => (fs.statSync('n').mode & 0o777).toString(8));
T(() => fs.statSync('n').mtime);
T(() => fs.cpSync('q', 'q2', { recursive: true }));
T(() => fs.readFileSync('q2/r/f'));
fs.readFile('b.txt', 'utf8', (e, t) => {
    console.log('cb', e, t);
    fs.readFile('nope', (e) => {
        console.log(e.code);
        (async () => {
            const p = fs.promises;
            console.log(await p.readFile('b.txt', 'utf8'));
            await p.writeFile('p', '1');
            try {
                await p.readFile('nope');
            } catch (e) {
                console.log(e.code, e.syscall);
            }
            console.log((await p.stat('p')).size, await p.readdir('q'));
            const h = await p.open('p', 'r+');
            console.log({ ...(await h.read(Buffer.alloc(2), 0, 2, 0)) });
            await h.write('zz');
            await h.close();
            console.log(await p.readFile('p', 'utf8'));
            const rs = fs.createReadStream('b.txt', { encoding: 'utf8', highWaterMark: 3 });
            let s = [];
            for await (const c of rs) s.push(c);
            console.log(s);
            const ws = fs.createWriteStream('w');
            ws.write('one');
            ws.end('two', () => {
                console.log(fs.readFileSync('w', 'utf8'), ws.bytesWritten);
                fs.createReadStream('w')
                    .pipe(fs.createWriteStream('w2'))
                    .on('finish', () => {
                        console.log(fs.readFileSync('w2', 'utf8'));
                        fs.createReadStream('nope').on('error', (e) => {
                            console.log('err', e.code);
                            const { pipeline } = require('stream/promises');
                            const { Transform } = require('stream');
                            const up = new Transform({
                                transform(c, e, cb) {
                                    cb(null, c.toString().toUpperCase());
                                },
                            });
                            pipeline(fs.createReadStream('w'), up, fs.createWriteStream('w3')).then(() => {
                                console.log(fs.readFileSync('w3', 'utf8'));
                                fs.rmSync(d, { recursive: true });
                                console.log(fs.existsSync(d));
                            });
                        });
                    });
            });
        })();
    });
});

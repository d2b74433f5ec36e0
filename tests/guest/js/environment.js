// What JavaScript's environment does in a machine: one line for each check, then the example's server
// until somebody asks for /last. Words: the port of a server on the host.
const assert = require('assert');
const fs = require('fs');
const os = require('os');

const HOST = `http://10.0.2.2:${process.argv[2]}`;

const checks = {
    files() {
        const folder = fs.mkdtempSync('/tmp/js-');
        fs.writeFileSync(`${folder}/a`, 'hällo');
        fs.appendFileSync(`${folder}/a`, Buffer.from('\n'));
        assert.equal(fs.readFileSync(`${folder}/a`, 'utf8'), 'hällo\n');
        fs.renameSync(`${folder}/a`, `${folder}/b`);
        assert.deepEqual(fs.readdirSync(folder), ['b']);
        assert.equal(fs.statSync(`${folder}/b`).size, 7);
        fs.rmSync(folder, { recursive: true });
        assert.throws(() => fs.readFileSync(`${folder}/b`), { code: 'ENOENT', syscall: 'open', errno: -2 });
    },
    async promisedFiles() {
        await fs.promises.writeFile('/tmp/promised', 'p');
        assert.equal(await fs.promises.readFile('/tmp/promised', 'utf8'), 'p');
        await fs.promises.rm('/tmp/promised');
    },
    ports() {
        // The seconds of the real-time clock, in BCD (MC146818, register 0).
        sys.out8(0x70, 0);
        assert.ok(sys.in8(0x71) <= 0x59);
        assert.throws(() => sys.out8(0x80, 256), RangeError);
    },
    registers() {
        // The HPET's capabilities: its period in femtoseconds, 100 ns at most (IA-PC HPET, 2.3.4).
        const hpet = sys.mmio(0xfed00000, 1024);
        const period = hpet.read32(4);
        assert.ok(period > 0 && period <= 100_000_000);
        assert.equal(hpet.read64(0) >> 32n, BigInt(period));
    },
    memory() {
        const bytes = new Uint8Array(sys.memory(0xffff0, 16));
        // Where the processor starts there is a jump.
        assert.equal(bytes.length, 16);
        assert.equal(bytes[0], 0xea);
        assert.ok(sys.memoryMap().some(({ kind }) => kind === 'ram'));
    },
    processor() {
        const { vendor, features } = sys.cpuid();
        assert.match(fs.readFileSync('/proc/cpuinfo', 'utf8'), new RegExp(`vendor_id\\s*: ${vendor}`));
        assert.ok(features.includes('fpu'));
        const { ebx } = sys.cpuid(0);
        assert.equal(String.fromCharCode(ebx & 255), vendor[0]);
        // The local APIC is on (IA32_APIC_BASE).
        assert.ok(sys.msr(0x1b) & (1n << 11n));
    },
    buses() {
        const bridge = sys.pci().find(({ vendorId, deviceId }) => vendorId === 0x8086 && deviceId === 0x29c0);
        assert.equal(bridge?.address, '0000:00:00.0');
    },
    system() {
        assert.equal(os.cpus().length, 1);
        assert.ok(os.totalmem() > 100e6 && process.memoryUsage().rss > 0);
        assert.equal(require('crypto').createHash('sha256').update('').digest('hex').slice(0, 8), 'e3b0c442');
        assert.match(crypto.randomUUID(), /^[0-9a-f-]{36}$/);
    },
    async input() {
        const parts = [];
        for await (const part of process.stdin) parts.push(part);
        assert.equal(Buffer.concat(parts).toString(), 'from the host\n');
    },
    async fetching() {
        const answer = await fetch(`${HOST}/json`, { method: 'POST', body: JSON.stringify({ a: 1 }) });
        assert.equal(answer.status, 200);
        assert.deepEqual(await answer.json(), { method: 'POST', body: '{"a":1}' });
        const large = await fetch(`${HOST}/large`);
        assert.equal((await large.arrayBuffer()).byteLength, 1_000_000);
        await assert.rejects(fetch('http://10.0.2.2:1/'), { message: 'fetch failed' });
    },
};

async function main() {
    for (const [name, check] of Object.entries(checks)) {
        try {
            await check();
            console.log(`TEST ${name} ok`);
        } catch (error) {
            console.log(`TEST ${name} fail`, error);
        }
    }
    console.log('TESTS', Object.keys(checks).length);
    const { server } = require('/web/server.js');
    server.on('request', (request) => {
        if (request.url === '/last') server.close(() => console.log('closed'));
    });
}

main();

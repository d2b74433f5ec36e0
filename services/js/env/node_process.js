// process.
'use strict';

const EventEmitter = require('events');
const host = binding('process');
const { invalidArgument } = require('internal/errors');

function Process() {}
Object.defineProperty(Process, 'name', { value: 'process' });
Process.prototype = Object.create(EventEmitter.prototype, {
    constructor: { value: Process, writable: true, configurable: true },
    [Symbol.toStringTag]: { value: 'process', configurable: true },
});

const process = new Process();
EventEmitter.call(process);
require.shared.process = process;

const env = new Proxy(JSON.parse(host.environment()), {
    set(target, name, value) {
        if (typeof name === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
        target[name] = String(value);
        host.setVariable(name, target[name]);
        return true;
    },
    defineProperty(target, name, { value }) {
        return this.set(target, name, value);
    },
    deleteProperty(target, name) {
        if (delete target[name]) host.unsetVariable(String(name));
        return true;
    },
});

let exitCode;
let isExiting = false;

/** The status for a code as `exitCode` takes it. */
function statusOf(code) {
    const number = typeof code === 'string' && code.trim() !== '' ? Number(code) : code;
    if (number === undefined || number === null) return undefined;
    if (typeof number !== 'number') throw invalidArgument('code', 'of type number', code);
    if (!Number.isInteger(number)) {
        throw require('internal/errors').outOfRange('code', 'an integer', code);
    }
    return number;
}

/** Tells the listeners of 'exit', once; what the status is then. */
function finish(status) {
    if (status !== undefined && status !== null) exitCode = status;
    if (!isExiting) {
        isExiting = true;
        process.emit('exit', exitCode ?? 0);
    }
    return (exitCode ?? 0) & 0xff;
}

function hrtime(since) {
    const now = host.nanoseconds();
    const time = [Number(now / 1000000000n), Number(now % 1000000000n)];
    if (since === undefined) return time;
    if (!Array.isArray(since)) throw invalidArgument('time', 'an instance of Array', since);
    const [seconds, nanoseconds] = [time[0] - since[0], time[1] - since[1]];
    return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds];
}
hrtime.bigint = () => host.nanoseconds();

function memoryUsage() {
    const [rss, total, used] = host.memory();
    return { rss, heapTotal: total, heapUsed: used, external: 0, arrayBuffers: 0 };
}
memoryUsage.rss = () => host.memory()[0];

function plainValue(name, value) {
    Object.defineProperty(process, name, { value, enumerable: true, writable: true, configurable: true });
}

const { argv, execPath, pid, ppid } = host.facts();
const values = {
    argv: [execPath, ...argv],
    argv0: 'ovum',
    execArgv: [],
    execPath,
    pid,
    ppid,
    env,
    title: 'ovum',
    arch: 'x64',
    platform: 'linux',
    version: 'v20.0.0',
    release: { name: 'node' },
    config: { variables: {} },
    features: { inspector: false, ipv6: true, tls: true, typescript: false },
    exitCode: undefined,
    exit(code) {
        const status = statusOf(code);
        host.exit(finish(status));
    },
    reallyExit: (code = 0) => host.exit(code),
    abort: () => host.exit(134),
    cwd: () => host.cwd(),
    chdir(folder) {
        require('internal/errors').expectString('directory', folder);
        host.chdir(folder);
    },
    umask: (mask) => host.umask(mask ?? -1),
    getuid: () => host.ids()[0],
    geteuid: () => host.ids()[1],
    getgid: () => host.ids()[2],
    getegid: () => host.ids()[3],
    nextTick: (callback, ...rest) => host.nextTick(callback, ...rest),
    hrtime,
    memoryUsage,
    uptime: () => host.uptime(),
    cpuUsage(previous) {
        const [user, system] = host.processor();
        return { user: user - (previous?.user ?? 0), system: system - (previous?.system ?? 0) };
    },
    emitWarning: (...rest) => require('internal/warning').emitWarning(...rest),
    kill(target, signal = 'SIGTERM') {
        host.kill(target, signal);
        return true;
    },
    getBuiltinModule: (name) => host.builtin(name),
    setUncaughtExceptionCaptureCallback(callback) {
        process.removeAllListeners('uncaughtException');
        if (callback) process.on('uncaughtException', callback);
    },
};
for (const name of Object.keys(values)) plainValue(name, values[name]);
Object.defineProperty(process, 'exitCode', {
    enumerable: true,
    configurable: true,
    get: () => exitCode,
    set(code) {
        exitCode = statusOf(code);
    },
});
Object.defineProperty(process, 'versions', {
    enumerable: true,
    configurable: true,
    get() {
        const versions = { node: process.version.slice(1), ...host.versions() };
        plainValue('versions', versions);
        return versions;
    },
});
for (const [name, fd] of [
    ['stdin', 0],
    ['stdout', 1],
    ['stderr', 2],
]) {
    Object.defineProperty(process, name, {
        enumerable: true,
        configurable: true,
        get() {
            const stream = require('internal/standard_streams').open(fd);
            plainValue(name, stream);
            return stream;
        },
        set(stream) {
            plainValue(name, stream);
        },
    });
}

// Signals reach the program as events, once it listens.
const SIGNAL = /^SIG[A-Z0-9]+$/;
EventEmitter.prototype.on.call(process, 'newListener', (name) => {
    if (typeof name === 'string' && SIGNAL.test(name) && process.listenerCount(name) === 0) {
        host.watch(name, (number) => process.emit(name, name, number));
    }
});
EventEmitter.prototype.on.call(process, 'removeListener', (name) => {
    if (typeof name === 'string' && SIGNAL.test(name) && process.listenerCount(name) === 0) {
        host.unwatch(name);
    }
});

host.attach({
    finish,
    beforeExit: () => !isExiting && process.emit('beforeExit', exitCode ?? 0),
    /** Whether somebody has taken an error that nobody has caught. */
    uncaught(error, origin, promise) {
        if (origin === 'unhandledRejection' && process.listenerCount('unhandledRejection') > 0) {
            process.emit('unhandledRejection', error, promise);
            return true;
        }
        if (process.listenerCount('uncaughtExceptionMonitor') > 0) {
            process.emit('uncaughtExceptionMonitor', error, origin);
        }
        if (process.listenerCount('uncaughtException') === 0) return false;
        process.emit('uncaughtException', error, origin);
        return true;
    },
});

module.exports = process;

// os.
'use strict';

const host = binding('os');

module.exports = {
    EOL: '\n',
    devNull: '/dev/null',
    arch: () => 'x64',
    machine: () => host.names().machine,
    platform: () => 'linux',
    type: () => 'Linux',
    endianness: () => 'LE',
    hostname: () => host.names().node,
    release: () => host.names().release,
    version: () => host.names().version,
    availableParallelism: () => host.processors().length,
    cpus: () =>
        host.processors().map(({ model, speed }) => ({
            model,
            speed,
            times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 },
        })),
    totalmem: () => host.memory()[0],
    freemem: () => host.memory()[1],
    uptime: () => host.uptime(),
    loadavg: () => host.load(),
    homedir: () => host.home(),
    tmpdir: () => host.temporary(),
    userInfo: () => host.user(),
    networkInterfaces: () => host.interfaces(),
    constants: { signals: host.signals(), errno: host.errors() },
};

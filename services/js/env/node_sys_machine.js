// sys: the machine's hardware. Numbers are given as the machine has them: a wrong one can end it.
'use strict';

const host = binding('machine');

/** Registers of a device in memory: read8 … write64(offset, value), one access each. */
class Mmio {
    #number;

    constructor(address, size) {
        this.#number = host.open(address, size);
        this.address = address;
        this.size = size;
    }

    read8(offset) {
        return host.read(this.#number, 8, offset);
    }
    read16(offset) {
        return host.read(this.#number, 16, offset);
    }
    read32(offset) {
        return host.read(this.#number, 32, offset);
    }
    read64(offset) {
        return host.read(this.#number, 64, offset);
    }
    write8(offset, value) {
        host.write(this.#number, 8, offset, value);
    }
    write16(offset, value) {
        host.write(this.#number, 16, offset, value);
    }
    write32(offset, value) {
        host.write(this.#number, 32, offset, value);
    }
    write64(offset, value) {
        host.write(this.#number, 64, offset, value);
    }
}

module.exports = {
    in8: (port) => host.in8(port),
    in16: (port) => host.in16(port),
    in32: (port) => host.in32(port),
    out8: (port, value) => void host.out8(port, value),
    out16: (port, value) => void host.out16(port, value),
    out32: (port, value) => void host.out32(port, value),
    mmio: (address, size) => new Mmio(address, size),
    memory: (address, size) => host.memory(address, size),
    memoryMap: () => host.memoryMap(),
    cpuid: (leaf, subleaf = 0) => (leaf === undefined ? host.processor() : host.leaf(leaf, subleaf)),
    msr: (number) => host.msr(number),
    setMsr: (number, value) => void host.setMsr(number, value),
    pci: () => host.pci(),
};

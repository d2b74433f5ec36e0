"""The machine at the prompt: plain functions that work in any thread.

    >>> from ovum.drivers.prompt import *

What is there:    cpuid()  pci()  acpi()  smbios()  memory_map()  interrupts()  clocks()  rtc()
                  serial_ports()  fw_cfg()
To look closer:   show(pci("1234:11e8"))  acpi("FACP").print()  smbios("system").print()
Raw access:       in8(port) … out32(port, value)  mmio(address, size)  memory(address, size)
                  dump(what, size)  msr(number)  set_msr(number, value)  cpuid(leaf, subleaf)
For a driver:     Register, Registers  dma(size)  message()  interrupt(line)
                  wait_interrupt(interrupt, timeout)  release(interrupt)  run(function, …)

help(name) tells more of each. Numbers are given and shown as the machine has them: nothing is
refused but what would hit the kernel's own memory, so a wrong value in a register can end the
machine. docs/hardware.md is a tour.
"""

from __future__ import annotations

import sys

import _kernel
from _kernel import in8 as in8
from _kernel import in16 as in16
from _kernel import in32 as in32
from _kernel import out8 as out8
from _kernel import out16 as out16
from _kernel import out32 as out32

from ovum.drivers.cpuid import Leaf, Processor
from ovum.drivers.hardware import MemoryWindow
from ovum.drivers.listing import Hex, Listing, dump_lines
from ovum.drivers.machine import KernelHardware
from ovum.drivers.prompt_tables import (
    acpi_listing,
    acpi_table,
    century_register,
    clock_listing,
    fw_cfg_listing,
    interrupt_listing,
    memory_listing,
    pci_details,
    pci_functions,
    pci_listing,
    pci_matches,
    serial_listing,
    smbios_item,
    smbios_listing,
)
from ovum.drivers.registers import Register as Register
from ovum.drivers.registers import Registers as Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ovum.drivers.hardware import Dma
    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.registers import Window
    from ovum.drivers.rtc import Rtc
    from ovum.drivers.smbios import Item
    from ovum.drivers.structure import Structure
    from ovum.services.irq import Interrupt, Interrupts

__all__ = [
    *("Register", "Registers", "acpi", "clocks", "cpuid", "dma", "dump", "fw_cfg", "hardware"),
    *("in8", "in16", "in32", "interrupt", "interrupts", "memory", "memory_map", "message", "mmio"),
    *(
        "msr",
        "out8",
        "out16",
        "out32",
        "pci",
        "release",
        "rtc",
        "run",
        "serial_ports",
        "set_msr",
        "show",
    ),
    *("smbios", "wait_interrupt"),
]

DUMPED = 256
"""Bytes that `dump` shows of what has no end that matters."""

hardware = KernelHardware()
"""What drivers are given: see ovum.drivers.hardware.Hardware."""


# Raw access


class DeviceWindow(MemoryWindow):
    """Registers of a device in memory: read8 … write64(offset, value), one access each."""

    def __init__(self, address: int, size: int) -> None:
        super().__init__(_kernel.mmio(address, size))
        self.address = address

    def __repr__(self) -> str:
        return f"<{self.size:#x} bytes of a device at {self.address:#x}>"


def mmio(address: int, size: int) -> DeviceWindow:
    """Registers of a device at a physical address, as a window.

    >>> window = mmio(0xFED00000, 1024)
    >>> window.read32(4)

    The window has read8, read16, read32, read64(offset) and write8 … write64(offset, value), each
    one access of that width; offsets are multiples of the width. A `Registers` class takes it.
    Raises OSError(EPERM) for memory that the kernel manages (`memory` shows that).
    """
    return DeviceWindow(address, size)


def memory(address: int, size: int) -> memoryview:
    """Physical memory as it is, to look at: a read-only view of `size` bytes.

    >>> bytes(memory(0xFFFF0, 16))

    It shows memory of the kernel and the program, of the firmware and its ROM, and of devices,
    whose registers may take a look for an action. Raises OSError, ValueError for no memory.
    """
    return hardware.look(address, size)


def dump(what: int | bytes | bytearray | memoryview | Window, size: int | None = None) -> None:
    """Prints bytes in hexadecimal and as characters, 16 a line.

    >>> dump(0xF0000, 64)            # physical memory from this address on
    >>> dump(mmio(0xFED00000, 256))  # a device's registers, read 32 bits at a time
    >>> dump(b"any bytes")

    `size`: how many bytes; without it all of a buffer, of anything else the first 256.
    """
    start = 0
    if isinstance(what, int):
        start = what
        data = bytes(memory(what, DUMPED if size is None else size))
    elif isinstance(what, bytes | bytearray | memoryview):
        data = bytes(what)[:size]
    else:
        start = getattr(what, "address", 0)
        end = min(DUMPED if size is None else size, what.size)
        words = (what.read32(offset) for offset in range(0, end & ~3, 4))
        data = b"".join(word.to_bytes(4, "little") for word in words)
        data += bytes(what.read8(offset) for offset in range(end & ~3, end))
    for line in dump_lines(data, start):
        print(line)


def msr(number: int) -> Hex:
    """A model-specific register of the processor (Intel SDM 4; AMD APM 2, appendix A).

    >>> msr(0x1B)  # IA32_APIC_BASE

    Raises OSError(EIO) if the processor has no such register.
    """
    return Hex(_kernel.rdmsr(number))


def set_msr(number: int, value: int) -> None:
    """Writes a model-specific register.

    The kernel lives by some of them: a wrong value in IA32_EFER or IA32_LSTAR ends the machine.
    Raises OSError(EIO) if the processor refuses the register or the value.
    """
    _kernel.wrmsr(number, value)


# What is there


def cpuid(leaf: int | None = None, subleaf: int = 0) -> Any:
    """The processor: decoded without an argument, raw registers of a leaf with one.

    >>> cpuid()
    >>> cpuid().brand, cpuid().features, cpuid().caches, cpuid().topology, cpuid().hypervisor
    >>> cpuid(7).ebx

    Names of features are those of Linux's /proc/cpuinfo.
    """
    if leaf is None:
        return Processor(_kernel.cpuid)
    return Leaf(leaf, subleaf, _kernel.cpuid(leaf, subleaf))


def pci(which: str | None = None) -> Any:
    """The PCI functions of the machine, with names; or one of them.

    >>> pci()
    >>> edu = pci("1234:11e8")       # by vendor and device
    >>> pci("00:02.0")               # by bus, device and function
    >>> edu.bars, edu.capabilities, edu.header.command, edu.open_bar(0)

    Behind bridges they are indented. `show` prints one in full. Reached through the configuration
    space that ACPI names, or through ports. Raises LookupError if there is no such function.
    """
    functions = pci_functions(hardware, _kernel.boot_info())
    if which is None:
        return pci_listing(functions)
    found = [function for function in functions if pci_matches(function, which)]
    if not found:
        raise LookupError(f"there is no PCI function {which}")
    return found[0]


def show(function: PciFunction) -> None:
    """Prints all that is known of a PCI function: addresses, interrupts, capabilities.

    >>> show(pci("1234:11e8"))

    To find out the size of an address register it has to be written: this is not done to a function
    that a driver uses (a bus master), whose sizes are then not shown.
    """
    for line in pci_details(function):
        print(line)


def acpi(name: str | None = None) -> Any:
    """The firmware's ACPI tables; or one of them as an object with named fields.

    >>> acpi()
    >>> acpi("FACP").sci_interrupt
    >>> acpi("APIC").print()         # all fields
    >>> acpi("APIC").entries, acpi("APIC").isa_routes()

    Names are signatures, and RSDP, FACS and DSDT. Raises LookupError if there is no such table,
    DeviceError if it is corrupt.
    """
    if name is None:
        return acpi_listing(hardware, _kernel.boot_info())
    table: Structure = acpi_table(hardware, _kernel.boot_info(), name)
    return table


def smbios(name: str | None = None) -> Any:
    """What the firmware says of the machine: maker, model, memory modules; or one structure.

    >>> smbios()
    >>> smbios("system").product
    >>> smbios("memory device").print()

    Raises LookupError if there is no such structure, DeviceError if the table is corrupt.
    """
    if name is None:
        return smbios_listing(hardware)
    item: Item = smbios_item(hardware, name)
    return item


def memory_map() -> Listing:
    """Physical memory as the loader has described it: what is RAM, and what is not."""
    return memory_listing(_kernel.boot_info())


def interrupts() -> Listing:
    """The interrupts that have come, by number: how many, whose they are, who waits for them.

    Numbers below 16 are ISA's, up to 63 inputs of the I/O APIC, from 64 on message-signalled ones.
    """
    main = sys.modules.get("ovum.services.main")
    machine = getattr(main, "_machine", None)
    bound = {} if machine is None else dict(machine.events.interrupts)
    return interrupt_listing(_kernel.inspect("interrupts"), bound)


def clocks(seconds: float = 0.1) -> Listing:
    """The clocks of the machine, and how fast the kernel's time is against each.

    >>> clocks()
    >>> clocks(2)     # longer, so more exactly
    >>> clocks(0)     # without comparing

    `seconds`: how long each is watched. "ppm" are millionths: +10 means that the kernel gains 0.9 s
    a day, "±" how much of that may be the measurement's.
    """
    return clock_listing(hardware, _kernel.boot_info(), Processor(_kernel.cpuid), seconds)


def rtc() -> Rtc:
    """The real-time clock: `.read()` and `.set(datetime)`, in UTC.

    >>> rtc().set(datetime(2031, 2, 3, 4, 5, 6))

    Setting it does not change the kernel's time, which was read from it when the machine started.
    Raises DeviceError if there is none.
    """
    from ovum.drivers.rtc import Rtc

    return Rtc(hardware, century_register(hardware, _kernel.boot_info()))


def serial_ports() -> Listing:
    """The four serial ports of a PC, and which of them are there."""
    return serial_listing(hardware)


def fw_cfg(name: str | None = None) -> Any:
    """The files that QEMU gives to the machine; or what one of them contains, as bytes.

    >>> fw_cfg()
    >>> fw_cfg("opt/org.example/greeting")  # qemu -fw_cfg name=opt/…,string=hello

    Raises LookupError without QEMU, FileNotFoundError without such a file.
    """
    from ovum.drivers.fw_cfg import open_fw_cfg

    device = open_fw_cfg(hardware)
    if device is None:
        raise LookupError("there is no fw_cfg: this is not QEMU")
    return fw_cfg_listing(device) if name is None else device.read(name)


# For a driver


def dma(size: int) -> Dma:
    """Memory for a device: `.address` is for the device, `.view` for the program.

    >>> buffer = dma(4096)
    >>> buffer.view[:5] = b"hello"

    It is contiguous, zero-filled and begins on a page boundary. `.free()` gives it back: have the
    device let go of it before.
    """
    return hardware.dma(size)


def message() -> Interrupt:
    """A message-signalled interrupt: the device is to write `.data` to `.address`.

    For a PCI function `function.interrupt()` does all of it. Wait for it with `wait_interrupt`,
    give it back with `release`.
    """
    from ovum.services.main import here_or_call

    bound: Interrupt = here_or_call(lambda machine: hardware.message())
    return bound


def interrupt(line: int) -> Interrupt:
    """An interrupt line: below 16 ISA's, from there on an input of the I/O APIC.

    Wait for it with `wait_interrupt`, have it come again with `.acknowledge()` if it is a level,
    give it back with `release`. Raises OSError(EBUSY) if it has an owner.
    """
    from ovum.services.main import here_or_call

    bound: Interrupt = here_or_call(lambda machine: hardware.interrupt(line))
    return bound


def wait_interrupt(interrupt: Interrupt, timeout: float = 5.0) -> Interrupts:
    """Waits until an interrupt comes, or has come since the last wait: how many, and when.

    >>> wait_interrupt(edu_interrupt, timeout=1)

    Raises TimeoutError after `timeout` seconds.
    """
    came: Interrupts = run(interrupt.wait, timeout=timeout)
    return came


def release(interrupt: Interrupt) -> None:
    """Gives an interrupt back. The device must have been told not to raise it any more."""
    from ovum.services.main import here_or_call

    here_or_call(lambda machine: interrupt.close())


def run(
    function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, timeout: float | None = None
) -> Any:
    """Runs `async def function(*args)` as a task of the services, beside the drivers there.

    Returns what it returns, raises what it raises, and TimeoutError after `timeout` seconds.
    """
    from ovum.services.main import call

    return call(function, *args, timeout=timeout)

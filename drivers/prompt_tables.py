"""What the functions of the prompt show: each a table made from what is handed in."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.listing import Listing, size_text
from ovum.drivers.pci import capabilities as cap
from ovum.drivers.pci.header import FIRST_BAR, BridgeHeader
from ovum.drivers.pci.names import class_name, device_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ovum.drivers.acpi.root import Tables
    from ovum.drivers.cpuid import Processor
    from ovum.drivers.fw_cfg import FwCfg
    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace
    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.smbios import Item, Smbios
    from ovum.drivers.structure import Structure


# PCI


def config_spaces(hardware: Hardware, boot_info: dict[str, str]) -> list[ConfigSpace]:
    """Configuration space as ACPI names it, else by ports. Raises DeviceError: corrupt tables."""
    from ovum.drivers.acpi.root import find_tables
    from ovum.drivers.pci.config import PortConfigSpace

    tables = find_tables(hardware, boot_info)
    mcfg = tables.mcfg() if tables is not None else None
    spaces: list[ConfigSpace] = []
    if mcfg is not None:
        spaces += mcfg.config_spaces(hardware)
    return spaces or [PortConfigSpace(hardware)]


def pci_functions(hardware: Hardware, boot_info: dict[str, str]) -> list[PciFunction]:
    """All functions, those behind a bridge right after it."""
    from ovum.drivers.pci.scan import scan

    found: list[PciFunction] = []
    for space in config_spaces(hardware, boot_info):
        buses: dict[int, list[PciFunction]] = {}
        for function in scan(hardware, space):
            buses.setdefault(function.bus, []).append(function)
        while buses:
            found += _below(min(buses), buses)
    return found


def _below(bus: int, buses: dict[int, list[PciFunction]]) -> Iterator[PciFunction]:
    # Taken out of the dictionary first: bridges may form a circle.
    for function in buses.pop(bus, []):
        yield function
        if isinstance(function.header, BridgeHeader):
            yield from _below(int(function.header.secondary_bus), buses)


def pci_matches(function: PciFunction, which: str) -> bool:
    """Whether `which` names a function: 1234:11e8, 00:04.0 or 0000:00:04.0."""
    identity = f"{function.vendor_id:04x}:{function.device_id:04x}"
    return which.lower() in (identity, function.address, function.address[5:])


def pci_listing(functions: list[PciFunction]) -> Listing:
    """The tree as a table."""
    depth: dict[tuple[int, int], int] = {}
    rows = []
    for function in functions:
        level = depth.get((function.segment, function.bus), 0)
        if isinstance(function.header, BridgeHeader):
            depth[function.segment, int(function.header.secondary_bus)] = level + 1
        rows.append(
            (
                "  " * level + function.address,
                f"{function.vendor_id:04x}:{function.device_id:04x}",
                class_name(function.class_code),
                device_name(function),
                _line(function),
            )
        )
    return Listing(("PCI functions", "identity", "class", "device", "interrupt"), rows, functions)


def _line(function: PciFunction) -> str:
    pin, line = int(function.header.interrupt_pin), int(function.header.interrupt_line)
    if not 1 <= pin <= 4:
        return ""
    return f"INT{'ABCD'[pin - 1]}" + (f" {line}" if 0 < line < 255 else "")


def pci_details(function: PciFunction) -> Iterator[str]:
    """Lines that describe a function."""
    header = function.header
    yield f"{function.address}  {device_name(function)}"
    yield f"class         {class_name(function.class_code)} ({function.class_code:#08x})"
    yield (
        f"identity      {function.vendor_id:04x}:{function.device_id:04x}, "
        f"revision {function.revision:#04x}"
    )
    if any(function.subsystem):
        yield "subsystem     {:04x}:{:04x}".format(*function.subsystem)
    yield f"command       {_names(header.command)}"
    yield f"status        {_names(header.status)}"
    if isinstance(header, BridgeHeader):
        yield f"buses         {int(header.secondary_bus)} to {int(header.subordinate_bus)}"
    if _line(function):
        yield f"interrupt     {_line(function)}"
    yield from _addresses(function)
    for identity, offset in function.capabilities:
        yield f"at {offset:#04x}       {cap.NAMES.get(identity, f'capability {identity:#04x}')}"
    for identity, offset in cap.extended_capabilities(function.window):
        yield f"at {offset:#05x}      extended capability {identity:#06x}"


def _names(value: object) -> str:
    fields: dict[str, int] = getattr(value, "fields")()  # noqa: B009
    names = [name if bits == 1 else f"{name}={bits}" for name, bits in fields.items() if bits]
    return " ".join(names) or "none"


def _addresses(function: PciFunction) -> Iterator[str]:
    """BARs: with sizes, but for a function that is in use and was not asked before."""
    if function.header.command.bus_master and function._bars is None:
        index = 0
        while index < (2 if isinstance(function.header, BridgeHeader) else 6):
            value = function.window.read32(FIRST_BAR + 4 * index)
            wide = not value & 1 and value >> 1 & 3 == 2 and index < 5
            if wide:
                value |= function.window.read32(FIRST_BAR + 4 * index + 4) << 32
            kind = "ports" if value & 1 else "memory"
            if value:
                yield f"BAR {index}         {kind} {value & ~(3 if value & 1 else 15):#x}, in use"
            index += 2 if wide else 1
        return
    for index, bar in function.bars.items():
        kind = "ports" if bar.io else "64-bit memory" if bar.wide else "32-bit memory"
        where = f"{bar.address:#x}" if bar.address else "not assigned"
        more = ", prefetchable" if bar.prefetchable else ""
        yield f"BAR {index}         {kind} {where}, {size_text(bar.size)}{more}"


# Firmware


def _tables(hardware: Hardware, boot_info: dict[str, str]) -> Tables:
    from ovum.drivers.acpi.root import find_tables

    tables = find_tables(hardware, boot_info)
    if tables is None:
        raise LookupError("this machine has no ACPI tables")
    return tables


def _found(tables: Tables) -> list[tuple[str, int]]:
    """Signatures and addresses of all tables, those that the FADT points to at the end."""
    places = list(tables.places)
    fadt = tables.fadt()
    if fadt is not None:
        places += [("DSDT", fadt.dsdt_address)] if fadt.dsdt_address else []
        places += [("FACS", fadt.facs_address)] if fadt.facs_address else []
    return places


def acpi_listing(hardware: Hardware, boot_info: dict[str, str]) -> Listing:
    """All tables; a corrupt one with why."""
    from ovum.drivers.acpi.aml import sleep_types
    from ovum.drivers.acpi.root import find_tables

    tables = find_tables(hardware, boot_info)
    if tables is None:
        return Listing(("ACPI tables",), ())
    rows: list[tuple[object, ...]] = []
    things: list[object] = []
    notes = []
    for name, address in _found(tables):
        table: object = None
        try:
            if name == "FACS":
                table = tables.facs()
                rows.append((name, f"{address:#x}", 64))
            else:
                table = described = tables.at(name, address)
                rows.append(
                    (name, f"{address:#x}", int(described.length), int(described.revision),
                     described.oem_id, described.oem_table_id)
                )  # fmt: skip
        except DeviceError as error:
            rows.append((name, f"{address:#x}"))
            notes.append(str(error))
        things.append(table)
    try:
        types = sleep_types(block.body for block in tables.definition_blocks())
        notes.append(f"power off: sleep types {types[0]} and {types[1]}" if types else "no _S5")
    except DeviceError as error:
        notes.append(f"no _S5: {error}")
    columns = ("ACPI tables", "address", "bytes", "revision", "OEM", "OEM's table")
    full = [(*row, *("",) * (len(columns) - len(row))) for row in rows]
    return Listing(columns, full, things, list(dict.fromkeys(notes)))


def acpi_table(hardware: Hardware, boot_info: dict[str, str], name: str) -> Structure:
    """One table. Raises LookupError, DeviceError."""
    tables = _tables(hardware, boot_info)
    table: Structure | None
    if name == "RSDP":
        table = tables.rsdp
    elif name == "FACS":
        table = tables.facs()
    elif name == "DSDT":
        table = tables.dsdt()
    elif name == tables.root.signature:
        table = tables.root
    else:
        table = tables.table(name)
    if table is None:
        raise LookupError(f"there is no ACPI table {name}")
    return table


def _smbios(hardware: Hardware) -> Smbios:
    from ovum.drivers.smbios import find_smbios

    found = find_smbios(hardware)
    if found is None:
        raise LookupError("this machine has no SMBIOS")
    return found


def smbios_listing(hardware: Hardware) -> Listing:
    """All structures that are decoded, with what they say in a few words."""
    try:
        found = _smbios(hardware)
    except LookupError:
        return Listing(("SMBIOS",), ())
    items = [item for item in found.items if type(item).NAME != "structure"]
    rows = [(type(item).NAME, f"{int(item.handle):#06x}", _says(item)) for item in items]
    notes = [f"version {found.version[0]}.{found.version[1]}, {len(found.items)} structures in all"]
    return Listing(("SMBIOS", "handle", "what it says"), rows, items, notes)


def _says(item: Item) -> str:
    from ovum.drivers import smbios

    if isinstance(item, smbios.MappedMemory):
        return f"{item.start:#x} to {item.end:#x}"
    if isinstance(item, smbios.MemoryArray):
        return f"{item.use}, at most {size_text(item.maximum)}, {int(item.devices)} devices"
    if isinstance(item, smbios.MemoryDevice):
        size = "size not known" if item.size is None else size_text(item.size)
        return " ".join(word for word in (item.locator, size, item.kind, item.form) if word)
    words = dict.fromkeys(value for value in item.values().values() if isinstance(value, str))
    return ", ".join(word for word in words if word)


def smbios_item(hardware: Hardware, name: str) -> Item:
    """The first structure of this name. Raises LookupError, DeviceError."""
    for item in _smbios(hardware).items:
        if name.lower() == type(item).NAME.lower():
            return item
    raise LookupError(f"SMBIOS has no structure {name!r}")


def fw_cfg_listing(device: FwCfg) -> Listing:
    """The files."""
    files = list(device.files.values())
    rows = [(file.name, file.size, f"{file.key:#x}") for file in files]
    return Listing(("fw_cfg files", "bytes", "key"), rows, files)


# The machine


def memory_listing(boot_info: dict[str, str]) -> Listing:
    """The loader's regions, in order."""
    regions = []
    for text in boot_info.get("memory_regions", "").split(","):
        place, _, kind = text.partition(":")
        start, _, end = place.partition("-")
        if start and end:
            regions.append((int(start, 16), int(end, 16), kind))
    regions.sort()
    rows = [
        (f"{start:#012x}", f"{end - 1:#012x}", size_text(end - start), kind)
        for start, end, kind in regions
    ]
    usable = sum(end - start for start, end, kind in regions if kind == "ram")
    notes = [f"RAM in all: {size_text(usable)}"]
    return Listing(("memory from", "to", "size", "kind"), rows, regions, notes)


_KERNELS = {4: "the kernel: console", 9: "the kernel: ACPI"}


def interrupt_listing(counts: str, bound: Mapping[int, object]) -> Listing:
    """`counts`: lines "number count"; `bound`: by number what is called when one comes."""
    come = {
        int(number): int(count) for number, count in (row.split() for row in counts.splitlines())
    }
    rows = []
    for number in sorted({*come, *bound}):
        owner = getattr(bound.get(number), "__self__", None)
        name = repr(owner) if owner is not None else _KERNELS.get(number, "the kernel")
        waiting = getattr(owner, "_waiting", None)
        tasks = [waiter.task for waiter in list(waiting.queue)] if waiting is not None else []
        names = ", ".join(str(task.name) for task in tasks if task is not None)
        kind = "ISA" if number < 16 else "I/O APIC" if number < 64 else "message"
        rows.append((number, kind, come.get(number, 0), name, names))
    return Listing(("interrupts", "kind", "count", "owner", "who waits"), rows)


def clock_listing(
    hardware: Hardware, boot_info: dict[str, str], processor: Processor, seconds: float
) -> Listing:
    """The clocks, and the kernel's time against them."""
    from ovum.drivers.acpi.root import find_tables
    from ovum.drivers.clocks import counters, cross_check
    from ovum.drivers.kvmclock import available
    from ovum.drivers.rtc import Rtc

    tables = find_tables(hardware, boot_info)
    khz = int(boot_info.get("tsc_khz", 0))
    source = "the kernel's clock"
    if processor.tsc_hz:
        source += f", {processor.tsc_hz / 1e6:.3f} MHz by CPUID"
    rows: list[tuple[object, ...]] = [("TSC", f"{khz / 1000:.3f} MHz", 64, source, "", "")]
    things: list[object] = [khz * 1000]
    for counter in counters(hardware, tables):
        ppm = plus = ""
        note = ""
        if seconds:
            try:
                result = cross_check(counter, seconds)
                ppm, plus = f"{result.ppm:+.1f}", f"{result.uncertainty_ppm:.1f}"
            except DeviceError as error:
                note = str(error)
        rows.append((counter.name, f"{counter.hz / 1e6:.3f} MHz", counter.bits, note, ppm, plus))
        things.append(counter)
    if available(processor.cpuid):
        rows.append(("kvmclock", "1 GHz", 64, "the hypervisor's", "", ""))
        things.append(None)
    try:
        rtc = Rtc(hardware, century_register(hardware, boot_info))
        rows.append(("RTC", "1 Hz", "", f"{rtc.read():%Y-%m-%d %H:%M:%S} UTC", "", ""))
        things.append(rtc)
    except DeviceError as error:
        rows.append(("RTC", "", "", str(error), "", ""))
        things.append(None)
    return Listing(("clocks", "rate", "bits", "", "ppm", "±"), rows, things)


def century_register(hardware: Hardware, boot_info: dict[str, str]) -> int:
    """The index of the century in the real-time clock's memory; 0 if there is none."""
    from ovum.drivers.acpi.root import find_tables

    tables = find_tables(hardware, boot_info)
    fadt = tables.fadt() if tables is not None else None
    return int(fadt.century) if fadt is not None else 0


def serial_listing(hardware: Hardware) -> Listing:
    """The four ports."""
    from ovum.drivers.uart import CONSOLE, describe

    rows = [
        (name, f"{base:#x}", line, ("the console" if k == CONSOLE else "there") if there else "no")
        for k, (name, base, line, there) in enumerate(describe(hardware))
    ]
    return Listing(("serial ports", "port", "interrupt", ""), rows)

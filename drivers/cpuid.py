"""The processor, by CPUID (Intel SDM 2A, CPUID; AMD APM 3, appendix E; QEMU and KVM's leaves)."""

from __future__ import annotations

from ovum.services.proc.cpuinfo import flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Cpuid = Callable[[int, int], tuple[int, int, int, int]]

VENDORS = {
    "GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon",
    "CentaurHauls": "VIA", "  Shanghai  ": "Zhaoxin",
}  # fmt: skip

HYPERVISORS = {
    "KVMKVMKVM": "KVM", "TCGTCGTCGTCG": "QEMU's emulation", "Microsoft Hv": "Hyper-V",
    "VMwareVMware": "VMware", "XenVMMXenVMM": "Xen", "bhyve bhyve": "bhyve",
    "VBoxVBoxVBox": "VirtualBox", "ACRNACRNACRN": "ACRN",
}  # fmt: skip

_EXTENDED = 0x80000000
_HYPERVISOR = 0x40000000

_CACHE_KINDS = {1: "data", 2: "instructions", 3: "unified"}
_LEVELS = {1: "threads", 2: "cores", 3: "modules", 4: "tiles", 5: "dies", 6: "die groups"}
"""Kinds of domains of leaves 0xB and 0x1F (SDM, table 3-8)."""


class Leaf:
    """What one leaf gives."""

    __slots__ = ("eax", "ebx", "ecx", "edx", "leaf", "subleaf")

    def __init__(self, leaf: int, subleaf: int, values: tuple[int, int, int, int]) -> None:
        self.leaf = leaf
        self.subleaf = subleaf
        self.eax, self.ebx, self.ecx, self.edx = values

    def __repr__(self) -> str:
        return (
            f"<leaf {self.leaf:#x}.{self.subleaf}: eax={self.eax:#010x} ebx={self.ebx:#010x} "
            f"ecx={self.ecx:#010x} edx={self.edx:#010x}>"
        )


class Cache:
    """One cache (leaf 4)."""

    __slots__ = ("kind", "level", "line", "partitions", "sets", "shared_by", "ways")

    def __init__(self, a: int, b: int, c: int) -> None:
        self.kind = _CACHE_KINDS.get(a & 31, f"kind {a & 31}")
        self.level = a >> 5 & 7
        self.shared_by = (a >> 14 & 0xFFF) + 1
        """Most threads that share it."""
        self.line = (b & 0xFFF) + 1
        """Bytes of a line."""
        self.partitions = (b >> 12 & 0x3FF) + 1
        self.ways = (b >> 22) + 1
        self.sets = c + 1

    @property
    def size(self) -> int:
        """In bytes."""
        return self.ways * self.partitions * self.line * self.sets

    def __repr__(self) -> str:
        return (
            f"<L{self.level} {self.kind}: {self.size >> 10} KiB, {self.ways} ways, "
            f"lines of {self.line} bytes>"
        )


class Processor:
    """What CPUID says of the processor, decoded. `cpuid(leaf, subleaf)` are the raw values."""

    def __init__(self, cpuid: Cpuid) -> None:
        self.cpuid = cpuid
        self.highest = cpuid(0, 0)[0]
        """The highest plain leaf."""
        self.highest_extended = cpuid(_EXTENDED, 0)[0]
        _, b, c, d = cpuid(0, 0)
        self.vendor = _characters(b, d, c)
        """Its 12 letters: GenuineIntel, AuthenticAMD."""
        version = cpuid(1, 0)[0]
        # Figure 3-6: the extended fields count where the plain ones are full.
        family, model = version >> 8 & 15, version >> 4 & 15
        if family in (6, 15):
            model |= version >> 12 & 0xF0
        if family == 15:
            family += version >> 20 & 0xFF
        self.family = family
        self.model = model
        self.stepping = version & 15

    @property
    def brand(self) -> str:
        """Its name, as its maker writes it; "" if it has none."""
        if self.highest_extended < 0x80000004:
            return ""
        words = (word for leaf in (2, 3, 4) for word in self.cpuid(_EXTENDED + leaf, 0))
        return _characters(*words).strip()

    @property
    def features(self) -> list[str]:
        """What it can do, by the names that Linux has in /proc/cpuinfo."""
        return flags(self.cpuid)

    @property
    def caches(self) -> list[Cache]:
        """Its caches, by leaf 4 or AMD's same leaf 0x8000001D."""
        leaf = 4
        if self.highest < 4 or not self.cpuid(4, 0)[0] & 31:
            leaf = 0x8000001D
            if self.highest_extended < leaf or "topoext" not in self.features:
                return []
        found = []
        # A processor has four or five; one that never ends the list has too many.
        for subleaf in range(16):
            a, b, c, _ = self.cpuid(leaf, subleaf)
            if not a & 31:
                break
            found.append(Cache(a, b, c))
        return found

    @property
    def topology(self) -> dict[str, int]:
        """How many logical processors a core, a package … has, by leaf 0x1F or 0xB."""
        leaf = 0x1F if self.highest >= 0x1F and self.cpuid(0x1F, 0)[1] else 0xB
        if self.highest < leaf or not self.cpuid(leaf, 0)[1]:
            return {}
        found = {}
        for subleaf in range(len(_LEVELS)):
            _, count, kind, _ = self.cpuid(leaf, subleaf)
            if not kind >> 8 & 0xFF:
                break
            found[_LEVELS.get(kind >> 8 & 0xFF, f"domain {kind >> 8 & 0xFF}")] = count & 0xFFFF
        return found

    @property
    def tsc_hz(self) -> int | None:
        """The rate of the time stamp counter, if it says (leaf 0x15, or the hypervisor's)."""
        if self.highest >= 0x15:
            denominator, numerator, crystal, _ = self.cpuid(0x15, 0)
            if denominator and numerator and crystal:
                return crystal * numerator // denominator
        if self.hypervisor and self.cpuid(_HYPERVISOR, 0)[0] >= 0x40000010:
            return self.cpuid(0x40000010, 0)[0] * 1000 or None
        return None

    @property
    def mhz(self) -> tuple[int, int, int]:
        """Base, maximum and bus frequency in MHz, by leaf 0x16; zeros if it does not say."""
        if self.highest < 0x16:
            return 0, 0, 0
        a, b, c, _ = self.cpuid(0x16, 0)
        return a & 0xFFFF, b & 0xFFFF, c & 0xFFFF

    @property
    def address_bits(self) -> tuple[int, int]:
        """Bits of physical and of linear addresses (leaf 0x80000008)."""
        if self.highest_extended < 0x80000008:
            return 36, 48
        a = self.cpuid(0x80000008, 0)[0]
        return a & 0xFF, a >> 8 & 0xFF

    @property
    def hypervisor(self) -> str:
        """What this machine runs in; "" without a hypervisor (leaf 1, ECX bit 31)."""
        if not self.cpuid(1, 0)[2] >> 31:
            return ""
        _, b, c, d = self.cpuid(_HYPERVISOR, 0)
        name = _characters(b, c, d)
        return HYPERVISORS.get(name.strip(), name or "unknown")

    def __repr__(self) -> str:
        rows = {
            "vendor": f"{self.vendor} ({VENDORS.get(self.vendor, 'unknown')})",
            "brand": self.brand,
            "model": f"family {self.family}, model {self.model}, stepping {self.stepping}",
            "hypervisor": self.hypervisor or "none",
            "addresses": "{} bits physical, {} bits linear".format(*self.address_bits),
            "caches": ", ".join(f"L{c.level} {c.kind} {c.size >> 10} KiB" for c in self.caches),
            "topology": ", ".join(f"{count} {kind}" for kind, count in self.topology.items()),
            "TSC": f"{self.tsc_hz / 1e6:.3f} MHz" if self.tsc_hz else "it does not say its rate",
            "frequency": "base {}, maximum {}, bus {} MHz".format(*self.mhz)
            if any(self.mhz)
            else "",
            "leaves": f"to {self.highest:#x} and to {self.highest_extended:#x}",
        }
        lines = [f"{name:<11}{text}" for name, text in rows.items() if text]
        return "\n".join([*lines, *_wrapped("features", self.features)])


def _characters(*words: int) -> str:
    raw = b"".join(word.to_bytes(4, "little") for word in words)
    return raw.rstrip(b"\0").decode("latin-1")


def _wrapped(name: str, words: list[str]) -> list[str]:
    """Words in lines of at most 100 characters, the first behind the name."""
    lines = [f"{name:<10}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > 100:
            lines.append(" " * 10)
        lines[-1] += f" {word}"
    return lines

"""/proc/cpuinfo, from CPUID (Intel SDM, volume 2, CPUID)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FLAGS: dict[tuple[int, int], str] = {
    # Leaf and register (0: EAX … 3: EDX): Linux's names of the bits, lowest first; "-" has none.
    (1, 3): (
        "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - "
        "dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"
    ),
    (1, 2): (
        "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - "
        "pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand "
        "hypervisor"
    ),
    (7, 1): (
        "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a "
        "avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er "
        "avx512cd sha_ni avx512bw avx512vl"
    ),
    (7, 2): (
        "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni "
        "avx512_bitalg tme avx512_vpopcntdq - la57 - - - - - rdpid"
    ),
    (0x80000001, 3): (
        "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - "
        "lm 3dnowext 3dnow"
    ),
    (0x80000001, 2): (
        "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs "
        "xop skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext"
    ),
    (0x80000007, 3): "- - - - - - - - constant_tsc",
}


def flags(cpuid: Callable[[int, int], tuple[int, int, int, int]]) -> list[str]:
    """What the processor can do, by Linux's names."""
    highest = {0: cpuid(0, 0)[0], 0x80000000: cpuid(0x80000000, 0)[0]}
    found = []
    for (leaf, register), names in _FLAGS.items():
        if leaf <= highest[leaf & 0x80000000]:
            value = cpuid(leaf, 0)[register]
            bits = enumerate(names.split())
            found += [name for bit, name in bits if value >> bit & 1 and name != "-"]
    return found


def cpuinfo_text(cpuid: Callable[[int, int], tuple[int, int, int, int]], tsc_khz: int) -> str:
    """The text."""
    _, b, c, d = cpuid(0, 0)
    vendor = b"".join(word.to_bytes(4, "little") for word in (b, d, c)).decode("ascii", "replace")
    version = cpuid(1, 0)[0]
    # Figure 3-6: the extended fields count where the plain ones are full.
    family, model = version >> 8 & 15, version >> 4 & 15
    if family in (6, 15):
        model |= version >> 12 & 0xF0
    if family == 15:
        family += version >> 20 & 0xFF
    brand = b""
    if cpuid(0x80000000, 0)[0] >= 0x80000004:
        words = (word for leaf in (2, 3, 4) for word in cpuid(0x80000000 + leaf, 0))
        brand = b"".join(word.to_bytes(4, "little") for word in words)
    name = brand.rstrip(b"\0").decode("ascii", "replace").strip()
    rows = {
        "processor": 0,
        "vendor_id": vendor,
        "cpu family": family,
        "model": model,
        "model name": name,
        "stepping": version & 15,
        "cpu MHz": f"{tsc_khz // 1000}.{tsc_khz % 1000:03}",
        **dict.fromkeys(("physical id", "core id", "apicid", "initial apicid"), 0),
        **dict.fromkeys(("siblings", "cpu cores"), 1),
        **dict.fromkeys(("fpu", "fpu_exception", "wp"), "yes"),
        "cpuid level": cpuid(0, 0)[0],
        "flags": " ".join(flags(cpuid)),
        "bogomips": f"{tsc_khz / 500:.2f}",
        "clflush size": (cpuid(1, 0)[1] >> 8 & 0xFF) * 8,
    }
    lines = [name + "\t" * (1 + (len(name) < 8)) + f": {value}" for name, value in rows.items()]
    return "\n".join(lines) + "\n\n"

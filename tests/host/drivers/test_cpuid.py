"""CPUID, decoded from leaves as processors give them."""

import struct

import pytest

from ovum.drivers.cpuid import Leaf, Processor

Leaves = dict[tuple[int, int], tuple[int, int, int, int]]


def words(text: str, count: int = 3) -> tuple[int, ...]:
    return struct.unpack(f"<{count}I", text.encode().ljust(4 * count, b"\0"))


def processor(leaves: Leaves) -> Processor:
    return Processor(lambda leaf, subleaf: leaves.get((leaf, subleaf), (0, 0, 0, 0)))


def brand(text: str) -> Leaves:
    pieces = struct.iter_unpack("<4I", text.encode().ljust(48, b"\0"))
    return {(leaf, 0): piece for leaf, piece in enumerate(pieces, 0x80000002)}


_B, _D, _C = words("GenuineIntel")
# A Skylake desktop processor, its caches, topology and frequencies.
SKYLAKE: Leaves = {
    (0, 0): (0x16, _B, _C, _D),
    (1, 0): (0x506E3, 0x00100800, 0x7FFAFBBF, 0xBFEBFBFF),
    (4, 0): (0x1C004121, 0x01C0003F, 0x3F, 0),
    (4, 1): (0x1C004122, 0x01C0003F, 0x3F, 0),
    (4, 2): (0x1C004143, 0x00C0003F, 0x3FF, 0),
    (4, 3): (0x1C03C163, 0x03C0003F, 0x1FFF, 6),
    (7, 0): (0, 0x029C67AF, 0, 0),
    (0xB, 0): (1, 2, 0x100, 0),
    (0xB, 1): (4, 8, 0x201, 0),
    (0x15, 0): (2, 284, 24_000_000, 0),
    (0x16, 0): (3400, 4000, 100, 0),
    (0x80000000, 0): (0x80000008, 0, 0, 0),
    (0x80000001, 0): (0, 0, 0x121, 0x2C100800),
    (0x80000008, 0): (0x3027, 0, 0, 0),
    **brand("Intel(R) Core(TM) i7-6700 CPU @ 3.40GHz"),
}


def test_a_processor_of_intels() -> None:
    one = processor(SKYLAKE)
    assert (one.vendor, one.family, one.model, one.stepping) == ("GenuineIntel", 6, 0x5E, 3)
    assert one.brand == "Intel(R) Core(TM) i7-6700 CPU @ 3.40GHz"
    assert [(cache.level, cache.kind, cache.size >> 10) for cache in one.caches] == [
        (1, "data", 32), (1, "instructions", 32), (2, "unified", 256), (3, "unified", 8192),
    ]  # fmt: skip
    assert repr(one.caches[0]) == "<L1 data: 32 KiB, 8 ways, lines of 64 bytes>"
    assert one.topology == {"threads": 2, "cores": 8}
    assert one.tsc_hz == 3_408_000_000
    assert one.mhz == (3400, 4000, 100)
    assert one.address_bits == (39, 48)
    assert one.hypervisor == ""
    assert {"sse2", "avx2", "nx", "lahf_lm", "smep"} <= set(one.features)
    assert "hypervisor" not in one.features
    text = repr(one)
    assert "Intel(R) Core(TM) i7-6700" in text and "L3 unified 8192 KiB" in text
    assert "base 3400, maximum 4000, bus 100 MHz" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_processor_of_amds_has_its_caches_elsewhere() -> None:
    b, d, c = words("AuthenticAMD")
    one = processor(
        {
            (0, 0): (0x10, b, c, d),
            (1, 0): (0x00870F10, 0, 0, 0),
            (0x80000000, 0): (0x8000001E, 0, 0, 0),
            (0x80000001, 0): (0, 0, 1 << 22, 0),
            (0x8000001D, 0): (0x4121, 0x01C0003F, 0x3F, 0),
        }
    )
    assert (one.family, one.model, one.stepping) == (0x17, 0x71, 0)
    assert [cache.size for cache in one.caches] == [32 << 10]
    assert one.tsc_hz is None and one.topology == {} and one.mhz == (0, 0, 0)
    assert "it does not say its rate" in repr(one)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("KVMKVMKVM", "KVM"), ("TCGTCGTCGTCG", "QEMU's emulation"), ("SomebodyElse", "SomebodyElse")],
)
def test_the_hypervisor_and_its_rate(name: str, shown: str) -> None:
    one = processor(
        {
            (1, 0): (0, 0, 1 << 31, 0),
            (0x40000000, 0): (0x40000010, *words(name)),  # type: ignore[dict-item]
            (0x40000010, 0): (2_500_000, 0, 0, 0),
        }
    )
    assert one.hypervisor == shown
    assert one.tsc_hz == 2_500_000_000


def test_a_list_of_caches_that_never_ends_is_cut_off() -> None:
    endless = Processor(lambda leaf, subleaf: (0x20 if leaf == 0 else 0x4121, 0x01C0003F, 0x3F, 0))
    assert len(endless.caches) == 16


def test_a_processor_that_says_nothing() -> None:
    one = processor({})
    assert (one.vendor, one.brand, one.caches, one.address_bits) == ("", "", [], (36, 48))
    assert "unknown" in repr(one)


def test_a_leaf_shows_its_registers() -> None:
    assert repr(Leaf(7, 1, (1, 2, 3, 0xFFFFFFFF))) == (
        "<leaf 0x7.1: eax=0x00000001 ebx=0x00000002 ecx=0x00000003 edx=0xffffffff>"
    )

"""The Internet checksum, against RFC 1071's own way of adding words."""

from __future__ import annotations

import random

import pytest

from ovum.net.wire import checksum


def by_words(data: bytes) -> int:
    """RFC 1071 (4.1), word by word with the carry added."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert checksum.fold(checksum.add(data)) == 0xDDF2
    assert checksum.checksum(data) == 0xDDF2 ^ 0xFFFF


@pytest.mark.parametrize("size", [0, 1, 2, 3, 19, 20, 21, 1459, 1460, 65535])
def test_any_length_gives_what_adding_words_gives(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert checksum.checksum(data) == by_words(data)
    assert checksum.checksum(memoryview(data)) == by_words(data)


def test_zeros_and_all_ones_are_told_apart() -> None:
    for data in (bytes(8), b"\xff\xff", b"\xff\xff\xff\xff", b"\xff\xfe\x00\x01"):
        assert checksum.checksum(data) == by_words(data)


def test_pieces_of_odd_length_are_as_one_buffer() -> None:
    rng = random.Random(1)
    for _ in range(300):
        pieces = [rng.randbytes(rng.randrange(6)) for _ in range(rng.randrange(6))]
        assert checksum.finish(checksum.add_all(pieces)) == by_words(b"".join(pieces))


def test_a_sum_that_includes_the_checksum_is_valid_and_with_any_changed_bit_is_not() -> None:
    data = bytearray.fromhex("45000073000040004011b861c0a80001c0a800c7")
    assert checksum.is_valid(checksum.add(data))
    for bit in range(len(data) * 8):
        data[bit // 8] ^= 1 << bit % 8
        assert not checksum.is_valid(checksum.add(data))
        data[bit // 8] ^= 1 << bit % 8


def test_nothing_but_zeros_is_not_valid() -> None:
    assert not checksum.is_valid(checksum.add(bytes(8)))


@pytest.mark.parametrize("size", [8, 9])
def test_a_transport_checksum_covers_the_pseudo_header(size: int) -> None:
    for src, dst in ((b"\x0a\0\0\1", b"\x0a\0\0\2"), (bytes(15) + b"\1", bytes(15) + b"\2")):
        data = bytearray(random.Random(2).randbytes(size))
        data[6:8] = b"\0\0"
        value = checksum.checksum(data, checksum.pseudo(src, dst, 17, size))
        data[6:8] = value.to_bytes(2, "big")
        assert checksum.transport_valid(src, dst, 17, data)
        assert not checksum.transport_valid(src, dst, 6, data)
        # A pseudo header of IPv6 has the length in 32 bits and the protocol in 32.
        whole = src + dst + size.to_bytes(4, "big") + (17).to_bytes(4, "big") + data
        assert checksum.is_valid(checksum.add(whole))


def test_an_update_gives_what_a_whole_calculation_gives() -> None:
    rng = random.Random(3)
    for _ in range(1000):
        data = bytearray(rng.choice((bytes(12), b"\xff" * 12, rng.randbytes(12))))
        before = checksum.checksum(data)
        at, size = rng.randrange(0, 8, 2), rng.choice((2, 4))
        new = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
        old = bytes(data[at : at + size])
        data[at : at + size] = new
        after = checksum.update(before, old, new)
        if any(data):
            assert after == checksum.checksum(data)
        else:  # RFC 1624, 5: the one case in which the two zeros cannot be told apart
            assert after in (0, 0xFFFF)


def test_the_example_of_rfc_1624() -> None:
    assert checksum.update(0xDD2F, b"\x55\x55", b"\x32\x85") == 0x0000

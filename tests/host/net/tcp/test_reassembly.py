"""Out-of-order ranges, against a model that is an array of bytes."""

from __future__ import annotations

import random

import pytest

from ovum.net.tcp.reassembly import PIECES, RANGES, Reassembly


@pytest.mark.parametrize("seed", range(200))
def test_random_pieces_make_the_whole(seed: int) -> None:
    rng = random.Random(seed)
    whole = rng.randbytes(rng.randrange(1, 400))
    base = rng.randrange(1 << 33)
    found = Reassembly()
    have = [False] * len(whole)
    taken = 0
    while taken < len(whole):
        start = rng.randrange(taken, len(whole))
        end = min(start + rng.randrange(1, 60), len(whole))
        assert found.insert(base + start, whole[start:end])
        have[start:end] = [True] * (end - start)
        assert found.ranges[0][0] <= base + start < base + end <= found.ranges[0][1]
        if rng.random() < 0.3:
            for data in found.take(base + taken):
                assert data == whole[taken : taken + len(data)]
                taken += len(data)
        ranges = sorted((a - base, b - base) for a, b in found.ranges)
        model = [i for i in range(taken, len(whole)) if have[i]]
        assert [i for a, b in ranges for i in range(max(a, taken), b)] == model
        assert sum(map(len, found.data)) == len(model)
    assert not found.starts


def test_pieces_are_bounded_in_number() -> None:
    found = Reassembly()
    for i in range(RANGES):
        assert found.insert(10 * i, b"x")
    assert not found.insert(10 * RANGES, b"x")
    assert len(found.starts) == RANGES
    found = Reassembly()
    for i in range(PIECES):
        assert found.insert(i, b"x")
    assert not found.insert(PIECES, b"x")


def test_what_is_covered_is_known() -> None:
    found = Reassembly()
    found.insert(100, b"x" * 50)
    found.insert(150, b"x" * 50)
    assert found.covers(100, 200)
    assert found.covers(120, 160)
    assert not found.covers(99, 120)
    assert not found.covers(190, 201)

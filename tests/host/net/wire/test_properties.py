"""What hypothesis finds about parsers: nothing but WireError comes out of them."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies

from tests.fuzz import wire


@hypothesis.settings(max_examples=500, deadline=None, derandomize=True, database=None)
@hypothesis.given(strategies.binary(max_size=300))
def test_any_bytes_are_parsed_or_malformed(data: bytes) -> None:
    wire.run(data)


@hypothesis.settings(max_examples=500, deadline=None, derandomize=True, database=None)
@hypothesis.given(
    strategies.sampled_from(wire.SEEDS),
    strategies.lists(
        strategies.tuples(strategies.integers(0, 2000), strategies.binary(max_size=12)), max_size=6
    ),
)
def test_samples_with_parts_replaced_are_parsed_or_malformed(
    sample: bytes, parts: list[tuple[int, bytes]]
) -> None:
    data = bytearray(sample)
    for at, part in parts:
        data[at : at + len(part)] = part
    wire.run(sample[:1] + bytes(data[1:]))

"""Sequence numbers: the wire's wrap, ours do not; and nobody compares the wire's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ovum.net.tcp.seq import HALF, MASK, START, before, unwrap
from ovum.paths import REPO


@pytest.mark.parametrize("near", [START, START + 5, START * 3 - 1, START * 3, START + HALF])
@pytest.mark.parametrize("distance", [0, 1, -1, 1000, -1000, HALF - 1, -HALF])
def test_a_number_is_found_again_near_another(near: int, distance: int) -> None:
    assert unwrap((near + distance) & MASK, near) == near + distance


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(1, 2, True), (2, 1, False), (2, 2, False), (MASK, 0, True), (0, MASK, False)],
)
def test_timestamps_are_compared_modulo_2_32(a: int, b: int, expected: bool) -> None:
    assert before(a, b) is expected


WIRE = {"seq", "ack", "window"}
"""Attributes of a Segment: wire values."""


def test_wire_values_are_not_ordered() -> None:
    found = []
    for file in sorted((REPO / "net/tcp").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare) and not all(
                isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn)
                for op in node.ops
            ):
                for side in (node.left, *node.comparators):
                    if (
                        isinstance(side, ast.Attribute)
                        and side.attr in WIRE
                        and isinstance(side.value, ast.Name)
                        and side.value.id in ("seg", "segment")
                    ):
                        found.append(f"{Path(file).name}:{node.lineno}")
    assert not found

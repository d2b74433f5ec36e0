"""Runs the packet scripts of tests/host/net/scripts."""

from __future__ import annotations

import pytest

from tests.host.net.tcp.script import Bench, cases

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=[f"{file}: {name}" for file, name, _ in CASES])
def test_script(case: tuple[str, str, list[tuple[int, str]]]) -> None:
    file, _, lines = case
    bench = Bench()
    for number, line in lines:
        try:
            bench.run(line)
        except Exception as error:
            error.add_note(f"{file}.txt, line {number}: {line}")
            raise
    assert not bench.out, f"at the end the host has sent: {bench.show()}"
    assert bench.counters["tcp_transition_unlisted"] == 0

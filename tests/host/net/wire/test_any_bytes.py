"""Nothing but WireError comes out of a parser: truncated samples and mutated ones."""

from __future__ import annotations

import os
import types

import pytest

from ovum.net.wire.errors import WireError
from tests.fuzz import __main__ as fuzzer
from tests.fuzz import wire
from tests.fuzz.__main__ import fuzz, main

RUNS = int(os.environ.get("OVUM_FUZZ_RUNS", "20000"))

NAMES = list(wire.PARSERS)


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_parsed(name: str) -> None:
    for sample in wire.SAMPLES[name]:
        try:
            wire.PARSERS[name](sample)
        except WireError as error:
            # Of ICMP an echo is no error, and quotes nothing.
            assert "quote" in error.reason


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_parsed_or_malformed(name: str) -> None:
    for sample in wire.SAMPLES[name]:
        for size in range(len(sample)):
            wire.run(bytes((NAMES.index(name),)) + sample[:size])


@pytest.mark.parametrize("name", NAMES)
def test_every_single_byte_changed_is_parsed_or_malformed(name: str) -> None:
    for sample in wire.SAMPLES[name]:
        for at in range(min(len(sample), 80)):
            for value in (0, 1, 0x7F, 0x80, 0xC0, 0xFF):
                changed = sample[:at] + bytes((value,)) + sample[at + 1 :]
                wire.run(bytes((NAMES.index(name),)) + changed)


def test_mutated_samples_are_parsed_or_malformed() -> None:
    fuzz(wire, RUNS, 1)


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wire", "--runs", "100", "--seed", "7", "--plain"]) == 0
    assert "wire: 100 inputs" in capsys.readouterr().out


def test_an_input_that_hangs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(data: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(fuzzer, "HANG_S", 0.05)
    target = types.ModuleType("target")
    target.__dict__.update(run=run, SEEDS=[b"sample"])
    with pytest.raises(fuzzer.HangError) as caught:
        fuzz(target, 1, 1)
    assert "seed 1, input bytes.fromhex(" in caught.value.__notes__[0]

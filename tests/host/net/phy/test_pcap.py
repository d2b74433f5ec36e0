"""Records of frames."""

from __future__ import annotations

import pytest

from ovum.net.phy import pcap
from ovum.net.phy.loopback import turn

from ..iface.lab import Lab, udp_frame


def test_what_is_recorded_can_be_read() -> None:
    written = bytearray()
    recorder = pcap.Recorder(written.extend, offset_ns=1_700_000_000_000_000_000)
    recorder.record(1, b"one")
    recorder.record(2_000_000_001, (b"in ", memoryview(b"pieces")))
    assert list(pcap.read(bytes(written))) == [
        (1_700_000_000_000_000_001, b"one"),
        (1_700_000_002_000_000_001, b"in pieces"),
    ]
    for end in (3, 30, len(written) - 1):
        with pytest.raises(ValueError, match=r"pcap|complete"):
            list(pcap.read(bytes(written[:end])))


def test_it_is_a_tap_of_an_interface() -> None:
    lab = Lab()
    written = bytearray()
    lab.link.taps.append(pcap.Recorder(written.extend).tap)
    lab.know()
    lab.give(udp_frame(b"x", 9))
    (answer,) = lab.sent()
    assert [frame for _, frame in pcap.read(bytes(written))] == [udp_frame(b"x", 9), answer]


def test_a_stack_that_hears_itself_is_not_confused() -> None:
    lab = Lab(quiet=False)
    for _ in range(100):
        lab.wait(100_000_000)
        turn(lab.now, lab.stack, lab.link)
    assert lab.link.link_local() is not None
    assert lab.count("dad_duplicate") == 0
    assert lab.count("acd_conflict") == 0

"""Frames between a card's driver and this host, every one compared, on every card and bus."""

import contextlib
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import tap, wire

CARDS = {
    "virtio on MMIO, legacy": ("microvm", "virtio-net-device", ""),
    "virtio on MMIO": (
        "microvm", "virtio-net-device", "-global virtio-mmio.force-legacy=false"
    ),
    "virtio on PCI": ("pc", "virtio-net-pci", ""),
    "virtio on PCI, legacy": ("pc", "virtio-net-pci,disable-modern=on,disable-legacy=off", ""),
    "virtio on PCI Express": ("q35", "virtio-net-pci,disable-legacy=on", ""),
    "virtio on PCI, no merging, a line": ("pc", "virtio-net-pci,mrg_rxbuf=off,vectors=0", ""),
    "virtio on PCI, no event index": ("pc", "virtio-net-pci,event_idx=off,ctrl_vq=off", ""),
    "e1000": ("pc", "e1000", ""),
    "e1000e": ("q35", "e1000e", ""),
}  # fmt: skip

SOURCE = bytes.fromhex("020000000001")
TEST_TYPE = b"\x88\xb5"


@pytest.fixture
def link(tmp_path: Path) -> Iterator[wire.Wire]:
    one = wire.Wire(tmp_path)
    yield one
    one.close()


def mac_of(hello: bytes) -> bytes:
    assert hello[:6] == b"\xff" * 6
    assert hello[12:19] == TEST_TYPE + b"hello"
    assert len(hello) == 60
    return hello[6:12]


def frame(mac: bytes, payload: bytes) -> bytes:
    return (mac + SOURCE + TEST_TYPE + payload).ljust(60, b"\0")


def some_frames(mac: bytes, seed: int) -> list[bytes]:
    """Frames of every size from the smallest to the largest, in chance's order."""
    chance = random.Random(seed)
    sizes = [*range(60, 130), *range(130, 1500, 13), *range(1500, 1515)]
    chance.shuffle(sizes)
    return [frame(mac, chance.randbytes(size - 14)) for size in sizes]


@pytest.mark.parametrize("name", CARDS)
def test_every_frame_comes_back_as_it_was(name: str, link: wire.Wire, tmp_path: Path) -> None:
    kind, device, more = CARDS[name]
    pcap = tmp_path / "frames.pcap"
    more += f" -object filter-dump,id=dump,netdev=n0,file={pcap}"
    with wire.started(tmp_path, kind, link.netdev, device, more=more) as guest:
        (hello,) = link.receive()
        mac = mac_of(hello)
        before = some_frames(mac, 1)
        assert link.exchange(before) == before
        guest.command("set_link", name="card", up=False)
        guest.expect_line("link down")
        guest.command("set_link", name="card", up=True)
        guest.expect_line("link up")
        after = [*some_frames(mac, 2), frame(mac, b"last")]
        assert link.exchange(after) == after
        account = guest.account()
    whole = before + after
    assert account["mac"] == mac.hex(":")
    assert account["error"] == ""
    assert account["dropped"] == {}
    assert account["received"] == len(whole)
    assert account["transmitted"] == len(whole) + 1
    # Everything is in the dump twice, for both directions, each in order.
    dumped = wire.read_pcap(pcap)
    assert dumped[0] == hello
    assert sorted(dumped[1:]) == sorted(whole * 2)
    first_seen = list(dict.fromkeys(dumped[1:]))
    assert first_seen == whole


def test_e1000_cuts_large_frames(link: wire.Wire, tmp_path: Path) -> None:
    with wire.started(tmp_path, "pc", link.netdev, "e1000", "large") as guest:
        mac = mac_of(link.receive()[0])
        segments = link.receive(2 + 63_946 // 1448)
        link.exchange([frame(mac, b"last")])
        assert guest.account()["dropped"] == {}
    assert check_tcp(segments[0]) == (1000, bytes(k % 251 for k in range(946)))
    payload = b""
    for one in segments[1:]:
        assert len(one) <= 1502
        sequence, data = check_tcp(one)
        assert sequence == 1000 + len(payload)
        payload += data
    assert payload == bytes(k % 251 for k in range(63_946))


def check_tcp(data: bytes) -> tuple[int, bytes]:
    """Sequence number and payload of a frame whose lengths and checksums are right."""
    assert data[12:14] == b"\x08\0"
    assert struct.unpack_from(">H", data, 16)[0] == len(data) - 14
    assert checksum(data[14:34]) == 0xFFFF
    assert checksum(data[26:34] + struct.pack(">HH", 6, len(data) - 34) + data[34:]) == 0xFFFF
    sequence: int = struct.unpack_from(">I", data, 38)[0]
    return sequence, data[54:]


def checksum(data: bytes) -> int:
    data += bytes(len(data) & 1)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_a_card_that_is_taken_out_fails_alone(link: wire.Wire, tmp_path: Path) -> None:
    """The guest takes part in ACPI's hot-plug so far that QEMU takes the card out; its driver is
    not told, and finds out."""
    device = "virtio-net-pci,addr=5"
    with wire.started(tmp_path, "pc", link.netdev, device, "eject", "5") as guest:
        mac = mac_of(link.receive()[0])
        frames = some_frames(mac, 3)
        assert link.exchange(frames) == frames
        guest.command("device_del", id="card")
        # Nobody has taken part yet: the card works on.
        assert link.exchange(frames) == frames
        link.send(frame(mac, b"eject"))
        guest.expect_line("ejected")
        guest.event("DEVICE_DELETED")
        account = guest.account()
    assert account["error"].endswith("has been taken out")
    assert account["state"] == "gone"


@pytest.fixture
def interface() -> Iterator[tap.Tap]:
    """QEMU's datagrams have no offloads: these need an interface of this host."""
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(tap.made())
        except OSError as error:
            pytest.skip(f"this user may not make a network interface: {error}")
        yield one


@pytest.mark.parametrize(
    ("kind", "device"),
    [
        ("pc", "virtio-net-pci"),
        ("pc", "virtio-net-pci,disable-modern=on,disable-legacy=off"),
        ("microvm", "virtio-net-device"),
    ],
)
def test_large_frames_go_through_virtio_in_one_piece(
    kind: str, device: str, interface: tap.Tap, tmp_path: Path
) -> None:
    with wire.started(tmp_path, kind, interface.netdev, device) as guest:
        mac = mac_of(interface.receive()[0])
        chance = random.Random(kind)
        for size in (60, 1514, 1515, 2036, 2037, 9000, 33_000, 65_500):
            payload = chance.randbytes(size - 54)
            data = mac + SOURCE + b"\x08\0" + tcp_headers(size) + payload
            segmented = size > 1514
            header = (1, 1, 54, 1448, 34, 16) if segmented else (1, 0, 0, 0, 34, 16)
            interface.send(data, header)
            back, its_header = interface.receive()
            assert back == data
            assert its_header[1:2] + its_header[3:] == header[1:2] + header[3:]
        interface.send(frame(mac, b"last"))
        assert interface.receive()[0] == frame(mac, b"last")
        account = guest.account()
    assert account["dropped"] == {}
    assert account["offloads"].startswith("<offloads: receive_checksum receive_large tcp4 tcp6")


def tcp_headers(size: int) -> bytes:
    """Headers of IPv4 and TCP for a frame of this size; the checksum of TCP is left open."""
    addresses = b"\xc0\0\2\1", b"\xc0\0\2\2"
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size - 14, 7, 0, 64, 6, 0, *addresses)
    ip = ip[:10] + struct.pack(">H", checksum(ip) ^ 0xFFFF) + ip[12:]
    total = checksum(ip[12:] + struct.pack(">HH", 6, size - 34))
    return ip + struct.pack(">HHIIBBHHH", 80, 81, 1000, 2000, 0x50, 0x10, 100, total, 0)

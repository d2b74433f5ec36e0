"""In the machine: sends every frame back that comes, and says what happens to the card.

    card.py [large | eject SLOT]

`large` sends a TCP frame to be segmented, or at least to be checksummed, first. `eject` plays the
operating system's part of ACPI's hot-plug when it is told to.
"""

import json
import struct
import sys

import _kernel

from ovum.drivers import manager
from ovum.drivers.errors import DeviceError
from ovum.drivers.frames import TCP4, Frame, Offload
from ovum.drivers.network import NetworkCard
from ovum.services import tasks
from ovum.services.main import call

TEST_TYPE = b"\x88\xb5"
"""For experiments (IEEE 802, 9.2)."""

EJECT_PORT, BUS_PORT = 0xAE08, 0xAE10
"""QEMU's registers for ACPI's hot-plug of PCI (its docs/specs/acpi_pci_hotplug.rst)."""


def checksum(data: bytes) -> int:
    """The sum of RFC 1071, not inverted."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def tcp(card: NetworkCard, size: int) -> Frame:
    """A frame of `size` bytes over IPv4 whose checksum is for the card to calculate."""
    addresses = b"\xc0\0\2\1", b"\xc0\0\2\2"
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size - 14, 7, 0, 64, 6, 0, *addresses)
    ip = ip[:10] + struct.pack(">H", checksum(ip) ^ 0xFFFF) + ip[12:]
    total = checksum(ip[12:] + struct.pack(">HH", 6, size - 34))
    head = struct.pack(">HHIIBBHHH", 80, 81, 1000, 2000, 0x50, 0x10, 100, total, 0)
    large = size > 1514 and card.offloads.tcp4
    offload = Offload(
        needs_checksum=True, checksum_start=34, checksum_offset=16,
        segmentation=TCP4 if large else 0, segment_size=1448 if large else 0,
        header_size=54 if large else 0,
    )  # fmt: skip
    payload = bytes(k % 251 for k in range(size - 54))
    return Frame((b"\xff" * 6 + card.mac + b"\x08\0" + ip + head, payload), offload)


async def follow(card: NetworkCard) -> None:
    """Tells of the link."""
    while True:
        print("link", "up" if await card.link.changed() else "down", flush=True)


async def echo(card: NetworkCard, words: list[str]) -> None:
    """Sends frames back until one says that it is the last."""
    await card.set_filter(promiscuous=True)
    hello = b"\xff" * 6 + card.mac + TEST_TYPE + b"hello"
    await card.transmit([Frame(hello.ljust(60, b"\0"))])
    if words[:1] == ["large"]:
        await card.transmit([tcp(card, 1000), tcp(card, 64_000)])
    async with tasks.Group() as group:
        group.start(follow, card)
        over = False
        while not over:
            frames = [
                frame
                for frame in await card.receive()
                if frame.data[12:14] in (TEST_TYPE, b"\x08\0")
            ]
            await card.transmit(frames)
            if any(frame.data[14:19] == b"eject" for frame in frames):
                _kernel.out32(BUS_PORT, 0)
                _kernel.out32(EJECT_PORT, 1 << int(words[1]))
                print("ejected", flush=True)
                # Until the rings are full, and then as long as a card may take.
                while True:
                    await card.transmit([Frame(hello * 3)])
            over = any(frame.data[14:18] == b"last" for frame in frames)
        group.cancel()


def main() -> None:
    """Does what the words say; prints the card's account at the end."""
    manager.start()
    (card,) = manager.find("network")
    error = ""
    try:
        call(echo, card, sys.argv[1:])
    except DeviceError as caught:
        error = str(caught)
    except ExceptionGroup as group:
        error = str(group.exceptions[0])
    (device,) = manager.devices()
    counters = card.counters
    print(
        json.dumps(
            {
                "mac": card.mac.hex(":"),
                "error": error,
                "received": counters.received_frames,
                "transmitted": counters.transmitted_frames,
                "dropped": counters.dropped,
                "offloads": repr(card.offloads),
                "state": device.state,
            }
        )
    )


main()

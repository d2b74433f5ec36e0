"""The control queue of a network device: commands, one at a time (5.1.6.5)."""

from __future__ import annotations

from ovum.drivers.errors import DeviceTimeout
from ovum.services.tasks import Lock, move_on_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovum.drivers.virtio.device import VirtioDevice
    from ovum.drivers.virtio.queue import Queue

DEADLINE_S = 5.0
"""How long a command may take."""

_MEMORY = 4096
_OK = 0
_CTRL_RX = 1 << 18
_CTRL_MAC_ADDR = 1 << 23

RX, RX_PROMISC, RX_ALLMULTI = 0, 0, 1
MAC, MAC_TABLE_SET, MAC_ADDR_SET = 1, 0, 1
GUEST_OFFLOADS, GUEST_OFFLOADS_SET = 5, 0
"""Classes and their commands (5.1.6.5.1, 5.1.6.5.2, 5.1.6.5.6)."""

MOST_GROUPS = 256
"""Addresses that are given to a device; for more it is asked for all groups."""


class Control:
    """Commands to the device: each returns whether the device has taken it."""

    def __init__(self, device: VirtioDevice, queue: Queue) -> None:
        self._device = device
        self._queue = queue
        self._index = len(device.queues) - 1
        self._memory = device.hardware.dma(_MEMORY)
        self._lock = Lock()

    async def command(self, kind: int, command: int, data: bytes) -> bool:
        """Gives a command, and waits for its acknowledgement.

        Raises DeviceTimeout, DeviceError. Cancelled, it may still happen.
        """
        async with self._lock:
            with move_on_after(DEADLINE_S) as scope:
                # One that was cancelled may still be under way, in the same memory.
                await self._answered()
                view = self._memory.view
                whole = bytes((kind, command)) + data
                view[: len(whole)] = whole
                view[_MEMORY - 1] = 0xFF
                address = self._memory.address
                self._queue.add(
                    ((address, 2), (address + 2, len(data))), ((address + _MEMORY - 1, 1),), self
                )
                self._queue.kick()
                await self._answered()
            if scope.cancelled_caught:
                raise DeviceTimeout(self._device.name, f"command {kind}:{command}")
            return self._memory.view[_MEMORY - 1] == _OK

    async def _answered(self) -> None:
        """Waits until the device has nothing to do."""
        while self._queue.in_flight:
            self._device.check()
            if not self._queue.take() and self._queue.interrupt_next():
                await self._device.interrupts[self._index].wait()

    async def set_filter(
        self, promiscuous: bool, all_multicast: bool, multicast: Sequence[bytes]
    ) -> bool:
        """What is received; without CTRL_RX the device decides (5.1.6.5.1)."""
        if not self._device.features & _CTRL_RX:
            return True
        if len(multicast) > MOST_GROUPS:
            all_multicast, multicast = True, ()
        taken = await self.command(RX, RX_PROMISC, bytes((promiscuous,)))
        taken &= await self.command(RX, RX_ALLMULTI, bytes((all_multicast,)))
        groups = b"".join(multicast)
        # Two tables: stations, groups (5.1.6.5.2).
        tables = bytes(4) + len(multicast).to_bytes(4, "little") + groups
        return taken & await self.command(MAC, MAC_TABLE_SET, tables)

    async def set_address(self, mac: bytes) -> bool:
        """Which station the device takes us for; True where it cannot be told."""
        if not self._device.features & _CTRL_MAC_ADDR:
            return True
        return await self.command(MAC, MAC_ADDR_SET, mac)

    async def set_offloads(self, features: int) -> bool:
        """Which of the negotiated features of received frames hold from now on (5.1.6.5.6)."""
        return await self.command(
            GUEST_OFFLOADS, GUEST_OFFLOADS_SET, features.to_bytes(8, "little")
        )

    def free(self) -> None:
        """Gives its memory back. The device must have been reset."""
        self._memory.free()

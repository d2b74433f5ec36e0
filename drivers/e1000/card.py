"""The cards: from reset to frames."""

from __future__ import annotations

from ovum.drivers.e1000.registers import (
    ADDRESS_PAIRS,
    ADDRESSES,
    LOST,
    MULTICAST_REGISTERS,
    MULTICAST_TABLE,
    STATISTICS,
    E1000Registers,
)
from ovum.drivers.e1000.rings import SIZE, ReceiveRing, TransmitRing
from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.frames import WHOLE
from ovum.drivers.network import NetworkCard, attach_card, check_groups
from ovum.services.irq import Interrupt
from ovum.services.tasks import Group, now, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ovum.drivers.frames import Frame, Received
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.pci.function import PciFunction

_ALL_ONES = 0xFFFFFFFF
"""What is read where there is no card any more."""

RESET_S = 1.0
EEPROM_S = 1.0
"""How long it may take: to reset, to read a word of the EEPROM."""

_RECEIVED = E1000Registers.icr.mask("received", "few_buffers", "overrun")
_SENT = E1000Registers.icr.mask("written")
_LINK = E1000Registers.icr.mask("link_changed")


class Model:
    """What differs between the controllers."""

    __slots__ = ("eeprom_done", "eeprom_shift", "express", "name")

    def __init__(self, name: str, eeprom_shift: int, eeprom_done: int, express: bool) -> None:
        self.name = name
        self.eeprom_shift = eeprom_shift
        """Of the address in EERD."""
        self.eeprom_done = eeprom_done
        """The bit that tells that it has been read."""
        self.express = express
        """On PCI Express: it has to be kept from memory before it is reset (82574, 5.1)."""


_E1000 = Model("e1000", 8, 1 << 4, False)
_E1000E = Model("e1000e", 2, 1 << 1, True)

MODELS = {0x1004: _E1000, 0x100E: _E1000, 0x100F: _E1000, 0x10D3: _E1000E}
"""By PCI device number: 82543GC, 82540EM, 82545EM, 82574L."""


class E1000(NetworkCard):
    """A card of one of these; see `NetworkCard`."""

    def __init__(self, function: PciFunction) -> None:
        self.model = MODELS[function.device_id]
        super().__init__(f"{self.model.name} on PCI {function.address}")
        self._function = function
        self._interrupt: Interrupt | None = None
        self._receive: ReceiveRing | None = None
        self._transmit: TransmitRing | None = None
        self._statistics = dict.fromkeys(STATISTICS, 0)
        function.enable()
        self.registers = E1000Registers(function.open_bar(0))

    # From reset to frames

    async def start(self) -> None:
        """Brings the card up, as chapter 14 says. Raises DeviceError."""
        registers, hardware = self.registers, self._function.hardware
        # 14.2: reset, and no interrupts until there is somebody to get them.
        await self._reset()
        # 14.3: the link; nothing is inverted, the speed is what both ends agree on.
        registers.ctrl = registers.ctrl.replace(set_link_up=1, auto_speed=1, invert_loss=0)
        # 14.4: receive initialization.
        self.mac = await self._read_address()
        self._set_address()
        tail = registers.window.write32
        self._receive = ReceiveRing(
            hardware, lambda at: tail(E1000Registers.rdt.offset, at), self.name
        )
        registers.rdbal = self._receive.address & 0xFFFFFFFF
        registers.rdbah = self._receive.address >> 32
        registers.rdlen = 16 * SIZE
        registers.rdh = 0
        registers.rdt = 0
        registers.rdtr = 0
        registers.rxcsum = E1000Registers.rxcsum.value(ip=1, tcp_udp=1)
        # 14.5: transmit initialization.
        self._transmit = TransmitRing(hardware, lambda at: tail(E1000Registers.tdt.offset, at))
        registers.tdbal = self._transmit.address & 0xFFFFFFFF
        registers.tdbah = self._transmit.address >> 32
        registers.tdlen = 16 * SIZE
        registers.tdh = 0
        registers.tdt = 0
        registers.tipg = E1000Registers.tipg.value(transmit=10, receive1=8, receive2=6)
        registers.tctl = registers.tctl.replace(
            enable=1, pad=1, collision_threshold=15, collision_distance=64
        )
        offloads = self.offloads
        offloads.transmit_checksum = offloads.tcp4 = offloads.tcp6 = True
        offloads.receive_checksum = True
        # Interrupts, and the receiver last (14.4).
        self._interrupt = self._function.interrupt()
        registers.rctl = E1000Registers.rctl.value(enable=1, broadcast=1, strip_crc=1)
        self._receive.start()
        self._look_at_link()
        registers.ims = _LINK

    async def _reset(self) -> None:
        registers = self.registers
        registers.imc = _ALL_ONES
        if self._gone():
            return
        if self.model.express:
            registers.ctrl = registers.ctrl.replace(master_disable=1)
            await self._until(
                lambda: not registers.status.master_enable, "requests to memory to end", RESET_S
            )
        registers.ctrl = registers.ctrl.replace(reset=1)
        # It clears itself; nothing is to be accessed for a microsecond (13.4.1).
        await sleep(0.000_002)
        await self._until(lambda: not registers.ctrl.reset, "CTRL.reset to be cleared", RESET_S)
        registers.imc = _ALL_ONES
        _ = registers.icr  # what was pending is cleared by reading

    async def _until(self, done: Callable[[], object], what: str, seconds: float) -> None:
        """Waits for what no interrupt tells of. Raises DeviceTimeout."""
        deadline = now() + int(seconds * 1e9)
        while not done():
            if now() > deadline:
                raise DeviceTimeout(self.name, what)
            await sleep(0.000_1)

    async def _read_address(self) -> bytes:
        """Our address: the controller has loaded it from the EEPROM (13.5.3), or we do."""
        low, high = self.registers.ral, self.registers.rah
        if high.valid:
            return low.to_bytes(4, "little") + high.address.to_bytes(2, "little")
        words = [await self._read_eeprom(address) for address in range(3)]
        address = b"".join(word.to_bytes(2, "little") for word in words)
        if address[0] & 1 or not any(address):
            raise DeviceError(f"{self.name}: {address.hex(':')} is no address of a card")
        return address

    async def _read_eeprom(self, address: int) -> int:
        registers, model = self.registers, self.model
        registers.eerd = address << model.eeprom_shift | 1
        await self._until(
            lambda: registers.eerd & model.eeprom_done, f"word {address} of the EEPROM", EEPROM_S
        )
        return registers.eerd.data

    def _set_address(self) -> None:
        """Receives our own address, and no other one that was left there."""
        write = self.registers.window.write32
        for pair in range(1, ADDRESS_PAIRS):
            write(ADDRESSES + 8 * pair + 4, 0)
        for index in range(MULTICAST_REGISTERS):
            write(MULTICAST_TABLE + 4 * index, 0)
        self.registers.ral = int.from_bytes(self.mac[:4], "little")
        self.registers.rah = E1000Registers.rah.value(
            address=int.from_bytes(self.mac[4:], "little"), valid=1
        )

    # Interrupts

    async def listen(self) -> None:
        """Hands out interrupts and follows the link, for good. Raises DeviceError when the card
        has failed."""
        try:
            async with Group(self.name) as group:
                group.start(self._listen, name=f"{self.name}: interrupts")
                group.start(self.wait_for_failure, name=f"{self.name}: failure")
        except BaseExceptionGroup as errors:
            for error in errors.exceptions:
                if isinstance(error, DeviceError):
                    raise error from None
            raise

    async def _listen(self) -> None:
        interrupt, registers = self._interrupt, self.registers
        assert interrupt is not None
        while True:
            came = await interrupt.wait()
            cause = registers.icr
            if cause == _ALL_ONES:
                raise DeviceGone(f"{self.name} has been taken out")
            # Not again before somebody waits for it.
            registers.imc = cause & (_RECEIVED | _SENT)
            interrupt.acknowledge()
            if cause & _RECEIVED:
                self._received.arrived(1, came.first_ns)
            if cause & _SENT:
                self._sent.arrived(1, came.first_ns)
            if cause & _LINK:
                self._look_at_link()

    def _look_at_link(self) -> None:
        self.link.set(bool(self.registers.status.link_up))

    def _gone(self) -> bool:
        """Whether it has been taken out: configuration space is all ones then (PCI 3.0, 6.1)."""
        return self._function.header.vendor == 0xFFFF

    def _probe(self) -> None:
        if self._gone():
            raise DeviceGone(f"{self.name} has been taken out")

    async def stop(self) -> None:
        """Resets the card; whoever waits for it gets an error. Raises DeviceTimeout when it does
        not reset: then its memory stays its own."""
        self.fail(DeviceGone(f"{self.name} is no longer driven"))
        try:
            await self._reset()
        finally:
            self._function.disable()
            if self._interrupt is not None:
                self._interrupt.close()
                self._interrupt = None
        for ring in (self._receive, self._transmit):
            if ring is not None:
                ring.free()
        self._receive = self._transmit = None

    # What is received

    async def set_filter(
        self,
        *,
        promiscuous: bool = False,
        all_multicast: bool = False,
        multicast: Sequence[bytes] = (),
    ) -> None:
        check_groups(multicast)
        self.check()
        table = [0] * MULTICAST_REGISTERS
        for address in multicast:
            # Bits 47 to 36 of the address, RCTL's multicast_offset being 0 (13.5.1).
            place = address[5] << 4 | address[4] >> 4
            table[place >> 5] |= 1 << (place & 31)
        for index, value in enumerate(table):
            self.registers.window.write32(MULTICAST_TABLE + 4 * index, value)
        self.registers.rctl = self.registers.rctl.replace(
            unicast_promiscuous=int(promiscuous),
            multicast_promiscuous=int(promiscuous or all_multicast),
        )

    def statistics(self) -> dict[str, int]:
        """What the card has counted of what went wrong, by name; lost frames are in `counters`,
        too."""
        read = self.registers.window.read32
        for name, offset in STATISTICS.items():
            count = read(offset)
            self._statistics[name] += count
            if name in LOST:
                self.counters.drop(f"receive: {name}", count)
        return dict(self._statistics)

    # Frames

    def _take(self) -> list[Received]:
        assert self._receive is not None
        return self._receive.take(self.counters)

    def _interrupt_for_frames(self) -> bool:
        assert self._receive is not None
        self.registers.ims = _RECEIVED
        return not self._receive.waiting()

    def _put(self, frames: Sequence[Frame]) -> int:
        ring = self._transmit
        assert ring is not None
        if ring.room < len(frames) or ring.room < SIZE // 2:
            ring.reclaim()
        before = ring.position
        done = sent = total = 0
        for frame in frames:
            size = frame.size
            if self.fits(frame, size) and self._can(frame, size):
                if not ring.put(frame, size):
                    break
                sent += 1
                total += size
            done += 1
        ring.kick(before)
        self.counters.transmitted_frames += sent
        self.counters.transmitted_bytes += total
        return done

    def _can(self, frame: Frame, size: int) -> bool:
        """Whether offsets and sizes fit into a context descriptor (3.3.6); else it is dropped."""
        offload = frame.offload
        if offload is None:
            return True
        able = offload.checksum_start + offload.checksum_offset < 256
        if offload.segmentation != WHOLE:
            able &= offload.needs_checksum and 0 < offload.header_size < min(256, size)
            able &= 0 < offload.segment_size < 1 << 16
        if not able:
            self.counters.drop("transmit: an offload that the card does not have")
        return able

    def _interrupt_for_room(self) -> bool:
        assert self._transmit is not None
        self.registers.ims = _SENT
        return not self._transmit.sent()


async def attach(function: PciFunction, manager: DeviceManager) -> NetworkCard:
    """See `manager`."""
    return await attach_card(E1000(function), manager)

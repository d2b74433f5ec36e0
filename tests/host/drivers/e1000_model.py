"""A controller of the 8254x family and the 82574L, as the other side of their driver."""

import struct
from collections import deque
from typing import cast

from ovum.drivers.e1000.card import MODELS
from ovum.drivers.e1000.registers import MULTICAST_TABLE, STATISTICS, E1000Registers
from ovum.drivers.pci.function import PciFunction
from ovum.services.irq import Interrupt

from .machine import Machine

ADDRESS, LINE = 0xFEB0_0000, 11
MAC = bytes.fromhex("525400abcdef")
R = E1000Registers


def checksum(data: bytes, start: int = 0) -> int:
    """The sum of RFC 1071, not inverted."""
    total: int = start + sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1]))
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class FakeHeader:
    """A function's header, as long as there is one."""

    def __init__(self, model: "E1000Model") -> None:
        self._model = model

    @property
    def vendor(self) -> int:
        return 0xFFFF if self._model.gone else 0x8086


class FakeFunction:
    """What the driver needs of PCI."""

    address = "0000:00:03.0"

    def __init__(self, model: "E1000Model", device_id: int) -> None:
        self.device_id = device_id
        self.hardware = model.machine
        self.header = FakeHeader(model)
        self.mastering = False

    def enable(self) -> None:
        self.mastering = True

    def disable(self) -> None:
        self.mastering = False

    def open_bar(self, index: int) -> object:
        assert index == 0
        return self.hardware.mmio(ADDRESS, E1000Model.size)

    def interrupt(self) -> Interrupt:
        return self.hardware.interrupt(LINE)


class E1000Model:
    """Registers, rings, and a wire of two lists: `deliver` and `sent`."""

    size = 0x2_0000

    def __init__(self, machine: Machine, device_id: int = 0x100E) -> None:
        self.machine = machine
        self.kind = MODELS[device_id]
        self.fake = FakeFunction(self, device_id)
        self.function = cast(PciFunction, self.fake)
        self.values: dict[int, int] = {}
        self.link = True
        self.gone = False
        self.loaded = True
        """Whether it has loaded its address from the EEPROM by itself."""
        self.eeprom_answers = self.resets = self.takes = True
        self.wire: deque[tuple[bytes, int]] = deque()
        self.sent: list[bytes] = []
        self.icr = self.ims = 0
        self.interrupts = 0
        self.lie_length = 0
        self._context = 0, 0
        self.reset()
        machine.add_memory(ADDRESS, self)

    def reset(self) -> None:
        self.values = {R.status.offset: 1 << 19 if self.kind.express else 0}
        if self.loaded:
            self.values[R.ral.offset] = int.from_bytes(MAC[:4], "little")
            self.values[R.rah.offset] = int.from_bytes(MAC[4:], "little") | 1 << 31
        self.icr = self.ims = 0
        self._partial = bytearray()
        self._options = 0
        self._segment = False
        self._interrupt()

    def _interrupt(self) -> None:
        self.machine.raise_line(LINE, bool(self.icr & self.ims))

    def cause(self, bits: int) -> None:
        """Sets causes of an interrupt."""
        self.icr |= bits
        if self.icr & self.ims:
            self.interrupts += 1
        self._interrupt()

    def set_link(self, up: bool) -> None:
        """Plugs the cable in or pulls it."""
        self.link = up
        self.cause(R.icr.mask("link_changed"))

    def read(self, offset: int, width: int) -> int:
        assert width == 4
        if self.gone:
            return 0xFFFFFFFF
        if offset == R.icr.offset:
            value, self.icr = self.icr, 0
            self._interrupt()
            return value
        value = self.values.get(offset, 0)
        if offset == R.status.offset:
            return value | (2 if self.link else 0)
        if offset in STATISTICS.values():
            self.values[offset] = 0
        return value

    def write(self, offset: int, width: int, value: int) -> None:
        assert width == 4
        if self.gone:
            return
        self.values[offset] = value
        if offset == R.ctrl.offset:
            if value & R.ctrl.mask("master_disable"):
                self.values[R.status.offset] &= ~(1 << 19)
            if value & R.ctrl.mask("reset"):
                assert not self.kind.express or value & 4, "reset while it may use memory"
                if self.resets:
                    self.reset()
        elif offset == R.ims.offset:
            self.ims |= value
            if self.icr & value:
                self.interrupts += 1
            self._interrupt()
        elif offset == R.imc.offset:
            self.ims &= ~value
            self._interrupt()
        elif offset == R.eerd.offset and self.eeprom_answers:
            at = value >> self.kind.eeprom_shift & 0x3F
            word = int.from_bytes(MAC[2 * at : 2 * at + 2], "little")
            self.values[offset] = word << 16 | self.kind.eeprom_done
        elif offset == R.rdt.offset:
            self.receive()
        elif offset == R.tdt.offset:
            self.transmit()

    # Receiving

    def deliver(self, *frames: bytes, status: int = 0) -> None:
        """Puts frames on the wire; `status`: more bits of status and errors, from bit 32 on."""
        self.wire.extend((frame, status) for frame in frames)
        self.receive()

    def receive(self) -> None:
        get = self.values.get
        ring = get(R.rdlen.offset, 0) // 16
        if not get(R.rctl.offset, 0) & 2 or not ring:
            return
        assert self.fake.mastering
        came = False
        while self.wire:
            frame, status = self.wire[0]
            pieces = [frame[at : at + 2048] for at in range(0, len(frame), 2048)] or [b""]
            head = get(R.rdh.offset, 0)
            if (get(R.rdt.offset, 0) - head) % ring < len(pieces):
                break
            self.wire.popleft()
            for piece in pieces:
                at = get(R.rdbal.offset, 0) + (get(R.rdbah.offset, 0) << 32) + 16 * head
                view = self.machine.view(at, 16)
                address, old = struct.unpack("<QQ", view)
                assert not old >> 32, "its status was not cleared"
                self.machine.view(address, len(piece))[:] = piece
                end = 3 if piece is pieces[-1] else 1
                word = (len(piece) + self.lie_length & 0xFFFF) | status | end << 32
                struct.pack_into("<Q", view, 8, word)
                head = (head + 1) % ring
            self.values[R.rdh.offset] = head
            came = True
        if came:
            self.cause(R.icr.mask("received"))

    # Transmitting

    def transmit(self) -> None:
        get = self.values.get
        ring = get(R.tdlen.offset, 0) // 16
        if not get(R.tctl.offset, 0) & 2 or not self.takes or not ring:
            return
        assert self.fake.mastering
        reported = False
        while (head := get(R.tdh.offset, 0)) != get(R.tdt.offset, 0):
            at = get(R.tdbal.offset, 0) + (get(R.tdbah.offset, 0) << 32) + 16 * head
            view = self.machine.view(at, 16)
            low, high = struct.unpack("<QQ", view)
            self._descriptor(low, high)
            if high & 1 << 27:
                struct.pack_into("<Q", view, 8, high | 1 << 32)
                reported = True
            self.values[R.tdh.offset] = (head + 1) % ring
        if reported:
            self.cause(R.icr.mask("written"))

    def _descriptor(self, low: int, high: int) -> None:
        if high & 1 << 29 and not high >> 20 & 15:
            self._context = low, high
            return
        length = high & (0xFFFFF if high & 1 << 29 else 0xFFFF)
        assert 0 < length <= 2048
        if not self._partial:
            self._options = high >> 40 & 0xFF if high & 1 << 29 else 0
            self._segment = bool(high & 1 << 26)
        self._partial += self.machine.view(low, length)
        if high & 1 << 24:
            frame, self._partial = bytes(self._partial), bytearray()
            self._finish(frame)

    def _finish(self, frame: bytes) -> None:
        low, high = self._context
        if not self._segment:
            self.sent.append(self._insert(bytearray(frame), low))
            return
        header, size = high >> 40 & 0xFF, high >> 48
        assert high & 0xFFFFF == len(frame) - header
        start = low >> 32 & 0xFF
        for number, at in enumerate(range(header, len(frame), size)):
            payload = frame[at : at + size]
            one = bytearray(frame[:header] + payload)
            if high & 1 << 25:
                assert one[16:18] == bytes(2) and one[24:26] == bytes(2)
                struct.pack_into(">H", one, 16, len(one) - 14)
                (identity,) = struct.unpack_from(">H", one, 18)
                struct.pack_into(">H", one, 18, identity + number)
            else:
                assert one[18:20] == bytes(2)
                struct.pack_into(">H", one, 18, len(one) - 54)
            (sequence,) = struct.unpack_from(">I", one, start + 4)
            struct.pack_into(">I", one, start + 4, sequence + at - header)
            place = low >> 40 & 0xFF
            (pseudo,) = struct.unpack_from(">H", one, place)
            length = len(one) - start
            struct.pack_into(">H", one, place, checksum(length.to_bytes(2, "big"), pseudo))
            self.sent.append(self._insert(one, low))

    def _insert(self, frame: bytearray, low: int) -> bytes:
        """Inserts the checksums that are asked for."""
        if self._options & 1:
            begin, place, end = low & 0xFF, low >> 8 & 0xFF, low >> 16 & 0xFFFF
            value = checksum(bytes(frame[begin : end + 1])) ^ 0xFFFF
            struct.pack_into(">H", frame, place, value)
        if self._options & 2:
            begin, place = low >> 32 & 0xFF, low >> 40 & 0xFF
            struct.pack_into(">H", frame, place, checksum(bytes(frame[begin:])) ^ 0xFFFF)
        return bytes(frame)

    def groups(self) -> list[int]:
        """The bits that are set in the table of groups."""
        return [
            32 * index + bit
            for index in range(128)
            for bit in range(32)
            if self.values.get(MULTICAST_TABLE + 4 * index, 0) >> bit & 1
        ]

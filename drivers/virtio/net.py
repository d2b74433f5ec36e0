"""The network device (5.1)."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceGone
from ovum.drivers.frames import ETHERNET_HEADER, LARGEST, MTU, Received
from ovum.drivers.network import NetworkCard, attach_card, check_groups
from ovum.drivers.registers import Register, Registers
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio import netheader
from ovum.drivers.virtio.device import VirtioDevice
from ovum.drivers.virtio.netcontrol import Control
from ovum.drivers.virtio.netrings import BUFFER, ReceiveQueue, TransmitQueue
from ovum.services.tasks import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovum.drivers.frames import Data, Frame, Offload
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.virtio.transport import Transport

CSUM = 1 << 0
GUEST_CSUM = 1 << 1
CTRL_GUEST_OFFLOADS = 1 << 2
MTU_GIVEN = 1 << 3
MAC = 1 << 5
GUEST_TSO4 = 1 << 7
GUEST_TSO6 = 1 << 8
GUEST_ECN = 1 << 9
GUEST_UFO = 1 << 10
HOST_TSO4 = 1 << 11
HOST_TSO6 = 1 << 12
HOST_ECN = 1 << 13
HOST_UFO = 1 << 14
MRG_RXBUF = 1 << 15
STATUS = 1 << 16
CTRL_VQ = 1 << 17
CTRL_RX = 1 << 18
CTRL_MAC_ADDR = 1 << 23
HOST_USO = 1 << 56
"""Features (5.1.3)."""

GUEST_LARGE = GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN | GUEST_UFO
HOST_LARGE = HOST_TSO4 | HOST_TSO6 | HOST_ECN | HOST_UFO | HOST_USO
WANTED = (
    CSUM | GUEST_CSUM | CTRL_GUEST_OFFLOADS | MTU_GIVEN | MAC | GUEST_LARGE | HOST_LARGE
    | MRG_RXBUF | STATUS | CTRL_VQ | CTRL_RX | CTRL_MAC_ADDR | f.ANY_LAYOUT
)  # fmt: skip

RECEIVE, TRANSMIT = 0, 1
"""Queues (5.1.2)."""

LINK_UP = 1
"""Of `status` (5.1.4)."""

SMALLEST_MTU = 68
"""What IPv4 needs at least (RFC 791, 3.2)."""


class NetConfig(Registers):
    """struct virtio_net_config (5.1.4)."""

    mac_low = Register(0x00, 8)  # the first of six
    status = Register(0x06, 16, link_up=0, announce=1)
    pairs = Register(0x08, 16)
    mtu = Register(0x0A, 16)


def wanted(offered: int) -> int:
    """The features to ask for: all that we can use and that stand on others that are offered."""
    features = WANTED & offered
    # What stands on what (5.1.3.1).
    if not features & CSUM:
        features &= ~HOST_LARGE
    # Large frames without merged buffers would take a buffer of 64 KiB each (5.1.6.3.1).
    if not features & GUEST_CSUM or not features & MRG_RXBUF:
        features &= ~GUEST_LARGE
    if not features & (GUEST_TSO4 | GUEST_TSO6):
        features &= ~GUEST_ECN
    if not features & (HOST_TSO4 | HOST_TSO6):
        features &= ~HOST_ECN
    if not features & CTRL_VQ:
        features &= ~(CTRL_RX | CTRL_MAC_ADDR | CTRL_GUEST_OFFLOADS)
    return features


class VirtioNet(NetworkCard):
    """A network card that is virtio's; see `NetworkCard`."""

    def __init__(self, transport: Transport) -> None:
        self.device = VirtioDevice(transport)
        super().__init__(self.device.name)
        self.control: Control | None = None
        """The queue of commands, if the device has one."""
        self._filter: tuple[bool, bool, Sequence[bytes]] = (False, False, ())
        """What is to be received; may be wanted before the device can be told."""
        self._config = NetConfig(transport.config)

    async def start(self) -> None:
        """Brings the device up (5.1.5). Raises DeviceError."""
        device = self.device
        features = await device.negotiate(wanted(device.transport.read_features()))
        legacy = device.transport.queue_align > 4
        self._config = NetConfig(device.transport.config)
        self._read_config(features)
        self._merge = bool(features & MRG_RXBUF)
        # num_buffers is there unless a legacy device does not merge (5.1.6.1).
        self._short_header = legacy and not self._merge
        self._header = header = netheader.LEGACY_SIZE if self._short_header else netheader.SIZE
        split = legacy and not features & f.ANY_LAYOUT
        buffer = BUFFER
        if not self._merge:
            buffer = max(BUFFER, -(-(header + self.frame_size) // BUFFER) * BUFFER)
        self._receive = device.add_queue_of(ReceiveQueue)
        self._receive.fill(buffer, header, split)
        self._transmit = device.add_queue_of(TransmitQueue)
        self._transmit.prepare(BUFFER, header, split)
        self._transmit.no_interrupts()
        self._small = min(BUFFER - header, self.frame_size)
        if features & CTRL_VQ:
            self.control = Control(device, device.add_queue(16))
        self._large = bool(features & GUEST_LARGE)
        device.start()
        # Later: a legacy device's own registers move when its interrupts are bound.
        self._config = NetConfig(device.transport.config)
        self._received = device.interrupts[RECEIVE]
        self._sent = device.interrupts[TRANSMIT]
        self._receive.kick()
        self._look_at_link()

    def _read_config(self, features: int) -> None:
        offloads = self.offloads
        offloads.transmit_checksum = bool(features & CSUM)
        offloads.tcp4 = bool(features & HOST_TSO4)
        offloads.tcp6 = bool(features & HOST_TSO6)
        offloads.tcp_ecn = bool(features & HOST_ECN)
        offloads.udp = bool(features & HOST_USO)
        offloads.udp_fragments = bool(features & HOST_UFO)
        offloads.receive_checksum = bool(features & GUEST_CSUM)
        offloads.receive_large = bool(features & GUEST_LARGE)
        config = self._config
        if features & MAC:
            read8 = config.window.read8
            self.mac = bytes(self.device.consistent(lambda: [read8(at) for at in range(6)]))
        if not features & MAC or self.mac[0] & 1 or not any(self.mac):
            self.mac = local_address()
        if features & MTU_GIVEN:
            mtu = int(config.mtu)
            if mtu < SMALLEST_MTU:
                raise DeviceError(f"{self.name}: an MTU of {mtu} bytes")
            self.mtu = min(mtu, LARGEST - ETHERNET_HEADER)
        else:
            self.mtu = MTU

    def _look_at_link(self) -> None:
        if self.device.features & STATUS:
            self.link.set(bool(self._config.status.link_up))
        else:
            self.link.set(True)  # 5.1.4.2

    async def listen(self) -> None:
        """Hands out interrupts and follows the link, for good. Raises DeviceError when the card
        has failed."""
        try:
            async with Group(self.name) as group:
                group.start(self.device.listen, name=f"{self.name}: interrupts")
                group.start(self._follow, name=f"{self.name}: link and filter")
                group.start(self.wait_for_failure, name=f"{self.name}: failure")
        except BaseExceptionGroup as errors:
            for error in errors.exceptions:
                if isinstance(error, DeviceError):
                    raise error from None
            raise

    async def _follow(self) -> None:
        if self.control is not None:
            # A device that does not filter is one more that lets everything through.
            await self.control.set_address(self.mac)
            await self.control.set_filter(*self._filter)
        while True:
            self._look_at_link()
            await self.device.config_changed.wait()

    async def stop(self) -> None:
        """Resets the device; whoever waits for it gets an error. Raises DeviceTimeout when it does
        not reset: then its memory stays its own."""
        self.fail(DeviceGone(f"{self.name} is no longer driven"))
        await self.device.stop(self.failure)
        if self.control is not None:
            self.control.free()

    async def set_filter(
        self,
        *,
        promiscuous: bool = False,
        all_multicast: bool = False,
        multicast: Sequence[bytes] = (),
    ) -> None:
        check_groups(multicast)
        self.check()
        if self.control is None:
            return  # it lets everything through (5.1.6.5.1)
        self._filter = promiscuous, all_multicast, multicast
        if not await self.control.set_filter(promiscuous, all_multicast, multicast):
            raise DeviceError(f"{self.name}: it has not taken the filter")

    async def set_receive_large(self, on: bool) -> None:
        """Whether received frames may be large, as far as the device can (5.1.6.5.6). Raises
        DeviceError."""
        self.check()
        features = self.device.features
        if self.control is None or not features & CTRL_GUEST_OFFLOADS:
            raise DeviceError(f"{self.name}: what it receives cannot be changed")
        kinds = features & (GUEST_CSUM | (GUEST_LARGE if on else 0))
        if not await self.control.set_offloads(kinds):
            raise DeviceError(f"{self.name}: it has not taken what may be received")
        self.offloads.receive_large = on and bool(features & GUEST_LARGE)

    # Receiving

    def _take(self) -> list[Received]:
        queue = self._receive
        plain = queue.plain(self._merge)
        if plain is None:
            return self._take_special()
        heads, lengths = plain
        if not heads:
            return []
        queue.no_interrupts()
        views, header = queue.views, self._header
        frames = [
            Received(views[head][header:length].tobytes())
            for head, length in zip(heads, lengths, strict=True)
        ]
        queue.give_back(heads, True)
        queue.kick()
        size = sum(lengths) - header * len(lengths)
        if min(lengths) < header + ETHERNET_HEADER:
            whole = [frame for frame in frames if len(frame.data) >= ETHERNET_HEADER]
            self.counters.drop("receive: too short", len(frames) - len(whole))
            frames = whole
            size = sum(len(frame.data) for frame in frames)
        self.counters.received_frames += len(frames)
        self.counters.received_bytes += size
        return frames

    def _take_special(self) -> list[Received]:
        """The same when there is something special: each header is looked at."""
        queue = self._receive
        heads, lengths = queue.look()
        queue.no_interrupts()
        views, step, header = queue.views, queue.step, self._header
        frames: list[Received] = []
        at, end = 0, len(heads)
        while at < end:
            view = views[heads[at] // step]
            if lengths[at] < header:
                raise DeviceError(f"{self.name}: {lengths[at]} bytes are no header")
            count = 1
            if self._merge:
                count = netheader.fields.unpack_from(view)[6]
                if not 0 < count <= queue.buffers:
                    raise DeviceError(f"{self.name}: a frame in {count} of {queue.buffers} buffers")
                if at + count > end:
                    break  # the rest of it is still to come
            pieces = [view[header : lengths[at]]]
            for k in range(at + 1, at + count):
                pieces.append(views[heads[k] // step][: lengths[k]])
            frame = self._frame(view, b"".join(pieces))
            if frame is not None:
                frames.append(frame)
                self.counters.received_bytes += len(frame.data)
            at += count
        queue.give_back(heads[:at], False)
        queue.kick()
        self.counters.received_frames += len(frames)
        return frames

    def _frame(self, header: memoryview, data: bytes) -> Received | None:
        """A frame, unless it cannot be one."""
        if len(data) < ETHERNET_HEADER:
            self.counters.drop("receive: too short")
        elif len(data) > LARGEST + 4:
            self.counters.drop("receive: too long")
        else:
            try:
                return Received(data, netheader.read(header, len(data), self._large))
            except ValueError:
                self.counters.drop("receive: a header that cannot be")
        return None

    def _interrupt_for_frames(self) -> bool:
        return self._receive.interrupt_for_more()

    # Transmitting

    def _put(self, frames: Sequence[Frame]) -> int:
        queue = self._transmit
        spare = queue.spare
        if len(spare) < len(frames):
            queue.reclaim()
        done = sent = total = 0
        while done < len(frames):
            rest = frames[done:] if done else frames
            count, size = queue.put_plain(rest, ETHERNET_HEADER, self._small)
            done += count
            sent += count
            total += size
            if done == len(frames) or not spare:
                break
            frame = frames[done]
            size = frame.size
            if self.fits(frame, size):
                if not self._put_special(frame, size):
                    break
                sent += 1
                total += size
            done += 1
        queue.kick()
        self.counters.transmitted_frames += sent
        self.counters.transmitted_bytes += total
        return done

    def _put_special(self, frame: Frame, size: int) -> bool:
        """Gives the card one frame, into a buffer that is free; False: it needs a large one, and
        none is."""
        queue = self._transmit
        head = queue.spare[-1]
        view = queue.special(head, size)
        if view is None:
            queue.reclaim()
            head = queue.spare[-1]
            view = queue.special(head, size)
            if view is None:
                return False
        _fill(view, frame.data, frame.offload, self._header, self._short_header)
        queue.spare.pop()
        queue.put(head, size)
        return True

    def _interrupt_for_room(self) -> bool:
        return self._transmit.interrupt_for_room()

    def _probe(self) -> None:
        status = self.device.transport.status()
        # Where nothing is, a bus gives all ones, and QEMU's memory all zeros.
        if not status & f.DRIVER_OK or status & f.RESERVED_STATUS:
            raise DeviceGone(f"{self.name} has been taken out")
        if status & f.NEEDS_RESET:
            raise DeviceError(f"{self.name}: the device has failed and needs a reset")


def _fill(
    view: memoryview,
    data: Data | tuple[Data, ...],
    offload: Offload | None,
    header: int,
    short_header: bool,
) -> None:
    """Writes header and data of a frame."""
    netheader.write(view, offload, short_header)
    at = header
    pieces: tuple[Data, ...] = data if isinstance(data, tuple) else (data,)
    for piece in pieces:
        view[at : at + len(piece)] = piece
        at += len(piece)


def local_address() -> bytes:
    """A random address of a station, locally administered (IEEE 802, 8.4)."""
    from os import urandom

    address = bytearray(urandom(6))
    address[0] = address[0] & 0xFE | 2
    return bytes(address)


async def attach(transport: Transport, manager: DeviceManager) -> NetworkCard:
    """See `manager`."""
    return await attach_card(VirtioNet(transport), manager)

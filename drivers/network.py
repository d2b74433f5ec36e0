"""Between network cards and the protocols above them: frames, in batches, both ways.

    card = manager.find("network")[0]
    for frame in await card.receive():      # everything that has come, at least one
        ...
    await card.transmit([Frame(reply)])     # all of a batch; waits while the card has no room

A batch costs a fixed number of operations, and a frame as few as can be: under an emulator every
operation of Python counts. So what is special about a frame is in an object of its own, which most
frames do not have, and received frames are copied out of the card's memory, in one operation each:
the memory goes back to the card at once, nobody has to return it, and nobody can forget to. Keeping
a buffer until it is returned would save the copy, 1 of 4 µs that a frame of 60 bytes costs in an
emulated machine, 3 of 7 with 1,514 bytes; keeping account of what is lent costs as much.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.frames import (
    ETHERNET_HEADER,
    LARGEST,
    MTU,
    TCP4,
    TCP6,
    UDP,
    UDP_FRAGMENTS,
    WHOLE,
)
from ovum.services.irq import Interrupt
from ovum.services.log import WARNING, log
from ovum.services.tasks import CancelScope, Event, Lock, Parking, checkpoint, move_on_after, now
from ovum.services.tasks.current import here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovum.drivers.frames import Frame, Offload, Received
    from ovum.drivers.manager import DeviceManager

TRANSMIT_S = 5.0
"""How long a card may take no frame at all, while it has no room."""


class Offloads:
    """What a card can do beside carrying frames."""

    __slots__ = (
        "receive_checksum", "receive_large", "tcp4", "tcp6", "tcp_ecn", "transmit_checksum", "udp",
        "udp_fragments",
    )  # fmt: skip

    def __init__(self) -> None:
        self.transmit_checksum = False
        """Frames may have `needs_checksum`."""
        self.tcp4 = False
        """Frames may have a segmentation of TCP4; and so on."""
        self.tcp6 = False
        self.tcp_ecn = False
        self.udp = False
        self.udp_fragments = False
        self.receive_checksum = False
        """Received frames may have `checksum_valid`."""
        self.receive_large = False
        """Received frames may be as long as LARGEST."""

    def __repr__(self) -> str:
        return f"<offloads: {' '.join(n for n in self.__slots__ if getattr(self, n)) or 'none'}>"

    def allow(self, offload: Offload) -> bool:
        """Whether a frame that is to be sent may have this."""
        kind = offload.segmentation
        if offload.needs_checksum and not self.transmit_checksum:
            return False
        if kind == WHOLE:
            return True
        able = {TCP4: self.tcp4, TCP6: self.tcp6, UDP: self.udp, UDP_FRAGMENTS: self.udp_fragments}
        return able.get(kind, False) and (self.tcp_ecn or not offload.ecn)


class Counters:
    """What has gone through a card."""

    __slots__ = (
        "dropped", "received_bytes", "received_frames", "transmitted_bytes", "transmitted_frames",
    )  # fmt: skip

    def __init__(self) -> None:
        self.received_frames = 0
        self.received_bytes = 0
        self.transmitted_frames = 0
        """Handed to the card, which may lose them still."""
        self.transmitted_bytes = 0
        self.dropped: dict[str, int] = {}
        """Frames that were lost, by reason: "transmit: link is down"."""

    def __repr__(self) -> str:
        return (
            f"<received {self.received_frames} ({self.received_bytes} bytes), "
            f"transmitted {self.transmitted_frames} ({self.transmitted_bytes} bytes), "
            f"dropped {self.dropped or 0}>"
        )

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts frames that were lost."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count


class Link:
    """Whether there is a cable with somebody at its other end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = False
        self.changes = 0
        """How often it has gone up or down."""
        self._failure: DeviceError | None = None
        self._waiting = Parking("see a change of", self)

    def __repr__(self) -> str:
        return f"<link of {self.name}: {'up' if self.up else 'down'}>"

    def set(self, up: bool) -> None:
        """For drivers: it is up or down now."""
        if up != self.up:
            self.up = up
            self.changes += 1
            self._waiting.wake_all()

    def fail(self, error: DeviceError) -> None:
        """For drivers: the card is gone."""
        self._failure = error
        self.set(False)
        self._waiting.wake_all()

    async def changed(self) -> bool:
        """Waits until it changes; whether it is up then. Checkpoint: yes.

        Raises DeviceError when the card is gone.
        """
        if self._failure is None:
            await self._waiting.park()
        if self._failure is not None:
            raise self._failure
        return self.up


class NetworkCard:
    """A network card. Drivers are subclasses, and have the methods that raise here.

    One task receives; any number transmit.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.mac = bytes(6)
        self.mtu = MTU
        """Bytes behind the Ethernet header of a frame that is not segmented."""
        self.offloads = Offloads()
        self.link = Link(name)
        self.counters = Counters()
        self.failure: DeviceError | None = None
        """Why nothing more can be asked of it."""
        self._received = Interrupt(f"{name}: frames have come")
        self._sent = Interrupt(f"{name}: frames have been sent")
        self._failed = Event(f"{name} has failed")
        self._transmitting = Lock()

    def __repr__(self) -> str:
        address = ":".join(f"{byte:02x}" for byte in self.mac)
        return f"<{self.name}: {address}, link {'up' if self.link.up else 'down'}>"

    # What drivers have

    async def start(self) -> None:
        """Brings the card up. Raises DeviceError; then it is to be stopped."""
        raise NotImplementedError

    async def listen(self) -> None:
        """Hands out interrupts and follows the link, for good. Raises DeviceError when the card
        has failed."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Resets the card; whoever waits for it gets an error. Raises DeviceTimeout when it does
        not reset: then its memory stays its own."""
        raise NotImplementedError

    def _take(self) -> list[Received]:
        """The frames that have come, and their memory back to the card. Raises DeviceError."""
        raise NotImplementedError

    def _interrupt_for_frames(self) -> bool:
        """Asks for an interrupt at the next frame. False: one is there already."""
        raise NotImplementedError

    def _put(self, frames: Sequence[Frame]) -> int:
        """Gives the card as many of these as there is room for, and returns how many."""
        raise NotImplementedError

    def _interrupt_for_room(self) -> bool:
        """Asks for an interrupt when there is room again. False: there is already."""
        raise NotImplementedError

    def _probe(self) -> None:
        """Raises DeviceError if the card is gone or has failed, as far as its registers tell."""

    async def set_filter(
        self,
        *,
        promiscuous: bool = False,
        all_multicast: bool = False,
        multicast: Sequence[bytes] = (),
    ) -> None:
        """What is received besides frames to this card's address and to all.

        Everything, all that is sent to groups, or what is sent to these groups. A card may let more
        through than it is asked to. Raises DeviceError, ValueError for what is no group's address.
        """
        raise NotImplementedError

    # For everybody

    def check(self) -> None:
        """Raises what the card has failed of, if it has."""
        if self.failure is not None:
            raise self.failure

    def receive_nowait(self) -> list[Received]:
        """The frames that have come, oldest first; maybe none. Raises DeviceError."""
        self.check()
        try:
            return self._take()
        except DeviceError as error:
            self.fail(error)
            raise

    async def receive(self) -> list[Received]:
        """All frames that have come; waits for the first.

        Checkpoint: yes; it lets others run if it waits, or every so often. Cancelled, it has taken
        none. Raises DeviceError when the card has failed or is gone.
        """
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        while True:
            # Before a look at what has come: after a batch nothing has, mostly.
            if self.failure is None and self._interrupt_for_frames():
                await self._received.wait()
            if self.failure is not None:
                self._received.arrived(1, now())  # for others who wait
                raise self.failure
            frames = self.receive_nowait()
            if frames:
                return frames

    def transmit_nowait(self, frames: Sequence[Frame]) -> int:
        """Sends as many as there is room for, in order, and returns how many these were.

        Frames that cannot be sent at all (link down, too long, an offload that the card does not
        offer) are dropped: counted, and among the number. Raises DeviceError.
        """
        self.check()
        if not self.link.up:
            self.counters.drop("transmit: link is down", len(frames))
            return len(frames)
        try:
            return self._put(frames)
        except DeviceError as error:
            self.fail(error)
            raise

    async def transmit(self, frames: Sequence[Frame]) -> None:
        """Sends all of these, in order; waits while there is no room. Others send before or behind.

        Checkpoint: yes; it lets others run if it waits, or every so often. Cancelled, it has sent
        the first of them, maybe none; so also when it raises DeviceTimeout because the card has
        taken none for TRANSMIT_S. Raises DeviceError when the card has failed or is gone.
        """
        async with self._transmitting:
            done = self.transmit_nowait(frames)
            count = len(frames)
            while done < count:
                with move_on_after(TRANSMIT_S) as scope:
                    if self._interrupt_for_room():
                        await self._sent.wait()
                taken = self.transmit_nowait(frames[done:])
                if scope.cancelled_caught and not taken:
                    self._look_whether_it_lives()
                    self.counters.drop("transmit: no room in time", count - done)
                    raise DeviceTimeout(self.name, "room for frames")
                done += taken

    def _look_whether_it_lives(self) -> None:
        try:
            self._probe()
        except DeviceError as error:
            self.fail(error)
            raise

    # For drivers

    def fits(self, frame: Frame, size: int) -> bool:
        """Whether the card can send such a frame at all; if not, it is counted as dropped."""
        offload = frame.offload
        if offload is not None and not self.offloads.allow(offload):
            self.counters.drop("transmit: an offload that the card does not have")
            return False
        most = LARGEST if offload is not None and offload.segmentation else self.frame_size
        if ETHERNET_HEADER <= size <= most:
            return True
        self.counters.drop("transmit: too long" if size > most else "transmit: too short")
        return False

    @property
    def frame_size(self) -> int:
        """Bytes that a frame has at most, unless it is segmented: with a VLAN tag."""
        return ETHERNET_HEADER + 4 + self.mtu

    def fail(self, error: DeviceError) -> None:
        """The card has failed, or is gone: whoever waits or asks from now on gets this error."""
        if self.failure is not None:
            return
        self.failure = error
        self._failed.set()
        self.link.fail(error)
        self._received.arrived(1, now())
        self._sent.arrived(1, now())

    async def wait_for_failure(self) -> None:
        """Raises what the card fails of, when it does: a part of `listen`."""
        await self._failed.wait()
        self.check()


def check_groups(addresses: Sequence[bytes]) -> None:
    """Raises ValueError unless all are addresses of groups (IEEE 802.3, 3.2.3)."""
    for address in addresses:
        if len(address) != 6 or not address[0] & 1:
            raise ValueError(f"{bytes(address).hex(':')} is not the address of a group")


async def attach_card(card: NetworkCard, manager: DeviceManager) -> NetworkCard:
    """What `attach` of all network cards does: brings it up and makes it known. Raises DeviceError,
    and then nothing of it is left."""
    try:
        await card.start()
    except BaseException:
        with CancelScope(shield=True):
            await _stop_quietly(card)
        raise
    card.name = card.link.name = manager.numbered("eth")
    manager.publish("network", card)
    return card


async def _stop_quietly(card: NetworkCard) -> None:
    try:
        await card.stop()
    except DeviceError as error:
        log(WARNING, f"{card.name}: at its end: {error}")

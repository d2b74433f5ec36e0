"""A virtio console as the host sees it: ports that come, go, send and receive."""

from __future__ import annotations

import struct

from ovum.drivers.virtio import console as c
from ovum.drivers.virtio import features as f

from .machine import Machine
from .virtio_model import Chain, VirtioModel


class ConsoleModel(VirtioModel):
    """Ports are announced when the driver says that it is ready."""

    def __init__(
        self, machine: Machine, *, ports: dict[int, str] | None = None, most: int = 4,
        features: int = c.MULTIPORT | c.SIZE | c.EMERG_WRITE, queue_size: int = 64,
    ) -> None:  # fmt: skip
        multiport = bool(features & c.MULTIPORT)
        super().__init__(
            *(machine, f.CONSOLE, 2 * most + 2 if multiport else 2),
            features=features,
            config=struct.pack("<HHII", 80, 25, most, 0),
            queue_size=queue_size,
        )
        self.announced = {1: "org.ovum.test"} if ports is None else ports
        self.control: list[tuple[int, int, int]] = []
        """What the driver has said."""
        self.received: dict[int, bytearray] = {}
        """What was written to each port."""
        self.takes = True
        """Whether the host reads what is written."""
        self._held: list[tuple[int, Chain]] = []
        self._control: list[bytes] = []
        self._to_send: dict[int, bytearray] = {}
        self.lie = 0

    @staticmethod
    def queue_of(port: int) -> int:
        """Of what the driver receives; the other one follows it."""
        return 2 * port + 2 if port else 0

    # The host's side

    def say(self, port: int, event: int, value: int = 0, rest: bytes = b"") -> None:
        """A control message."""
        self._control.append(struct.pack("<IHH", port, event, value) + rest)
        self._push_control()

    def say_bytes(self, message: bytes) -> None:
        self._control.append(message)
        self._push_control()

    def add(self, port: int) -> None:
        self.say(port, c.DEVICE_ADD)

    def remove(self, port: int) -> None:
        self.say(port, c.DEVICE_REMOVE)

    def connect(self, port: int, connected: bool = True) -> None:
        self.say(port, c.PORT_OPEN, int(connected))

    def send(self, port: int, data: bytes) -> None:
        """Sends as the driver has buffers."""
        self._to_send.setdefault(port, bytearray()).extend(data)
        self._push_data(port)

    def take_held(self) -> None:
        """The host reads again."""
        self.takes = True
        held, self._held = self._held, []
        for index, chain in held:
            self._received(index, chain)
        self.process()

    # The device's side

    def process(self) -> None:
        for index, queue in enumerate(self.queues):
            if index % 2 == 0 or not queue.ready or not self.answers:
                continue
            while (chain := queue.pop()) is not None:
                if index == 3:
                    self._heard(chain)
                elif self.takes:
                    self._received(index, chain)
                else:
                    self._held.append((index, chain))
        self._push_control()
        for port in list(self._to_send):
            self._push_data(port)

    def _received(self, index: int, chain: Chain) -> None:
        port = (index - 3) // 2 if index > 1 else 0
        self.received.setdefault(port, bytearray()).extend(chain.data())
        self.finish(index, chain, 0)

    def _heard(self, chain: Chain) -> None:
        port, event, value = struct.unpack("<IHH", chain.data())
        self.control.append((port, event, value))
        self.finish(3, chain, 0)
        if event == c.DEVICE_READY and value == 1:
            for number in self.announced:
                self.add(number)
        elif event == c.PORT_READY and value == 1 and port in self.announced:
            name = self.announced[port]
            if name:
                self.say(port, c.PORT_NAME, 1, name.encode() + b"\0")
            else:
                self.say(port, c.CONSOLE_PORT, 1)
            self.connect(port)

    def _push_control(self) -> None:
        if not self._control:
            return
        queue = self.queues[2]
        while self._control and queue.ready and (chain := queue.pop()) is not None:
            self.finish(2, chain, chain.write(self._control.pop(0)))

    def _push_data(self, port: int) -> None:
        index = self.queue_of(port)
        queue = self.queues[index]
        data = self._to_send[port]
        while data and queue.ready and (chain := queue.pop()) is not None:
            room = sum(map(len, chain.writable))
            chain.write(bytes(data[:room]))
            self.finish(index, chain, min(len(data), room) + self.lie)
            del data[:room]

"""The console device (5.3): ports to the host, which come, go and have names."""

from __future__ import annotations

from struct import Struct

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.registers import Register, Registers
from ovum.drivers.virtio.consoleport import Port
from ovum.drivers.virtio.device import VirtioDevice, run_together
from ovum.services.log import WARNING, log
from ovum.services.tasks import Event, Lock, move_on_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.hardware import Dma
    from ovum.drivers.virtio.queue import Queue
    from ovum.drivers.virtio.transport import Transport

SIZE = 1 << 0
MULTIPORT = 1 << 1
EMERG_WRITE = 1 << 2
"""Features (5.3.3)."""

(
    DEVICE_READY, DEVICE_ADD, DEVICE_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME,
) = range(8)  # fmt: skip
"""Events of control messages (5.3.6.2)."""

QUEUE_SIZE = 16
"""Entries: as many as a port has buffers, or more."""

PORTS_MOST = 64
"""Ports that we serve of a device; each has two queues."""

CONTROLS = 16
CONTROL = 256
"""Buffers for control messages, and bytes of each."""

CONTROL_DEADLINE_S = 5.0
"""How long the device may take with a control message of ours."""

_MESSAGE = Struct("<IHH")
_SIZES = Struct("<HH")


class ConsoleRegisters(Registers):
    """struct virtio_console_config (5.3.4)."""

    columns = Register(0, 16)
    rows = Register(2, 16)
    max_ports = Register(4, 32)
    emergency_write = Register(8, 32)


class VirtioConsole:
    """A console device. `ports` has what the host offers, by number."""

    def __init__(self, transport: Transport, name: str = "vport0") -> None:
        self.name = name
        self.device = VirtioDevice(transport)
        self.hardware = transport.hardware
        self.ports: dict[int, Port] = {}
        self.added: list[Callable[[Port], None]] = []
        self.named: list[Callable[[Port], None]] = []
        self.removed: list[Callable[[Port], None]] = []
        """What to call with a port that has come, has a name now, or goes."""
        self.heard = 0
        """Control messages so far."""
        self._known: dict[int, Port] = {}
        """Ports that were ever there: their buffers are in their queues."""
        self.gone: list[Callable[[], None]] = []
        """What to call when it is stopped."""
        self._memory: Dma | None = None
        self._broken = Event(f"{name} is broken")
        self._sending = Lock(f"control of {name}")

    # 5.3.5

    async def start(self) -> None:
        """Brings the device up. Raises DeviceError."""
        device = self.device
        await device.negotiate(SIZE | MULTIPORT | EMERG_WRITE)
        self.multiport = bool(device.features & MULTIPORT)
        self._most = 1
        if self.multiport:
            most = int(device.consistent(lambda: self._registers().max_ports))
            if not most:
                raise DeviceError(f"{device.name}: it has no port")
            self._most = min(most, PORTS_MOST)
        queues = [device.add_queue(QUEUE_SIZE) for _ in range(2)]
        if self.multiport:
            self._control_in, self._control_out = (device.add_queue(QUEUE_SIZE) for _ in range(2))
            self._memory = self.hardware.dma(2 * CONTROLS * CONTROL)
            queues += [device.add_queue(QUEUE_SIZE) for _ in range(2 * (self._most - 1))]
        self._queues = queues
        device.start()
        if not self.multiport:
            self._add(0)
            self.ports[0].console = True
            self.ports[0].host_opened(True)
            self._read_size()
            return
        for buffer in range(min(CONTROLS, self._control_in.size)):
            self._listen_with(buffer)
        self._control_in.kick()
        await self._send(0, DEVICE_READY, 1)

    def _registers(self) -> ConsoleRegisters:
        return ConsoleRegisters(self.device.transport.config)

    async def listen(self) -> None:
        """Sees to what the device says, for good. Raises DeviceError when it has failed."""
        loops = [self.device.listen, self._listen_configuration, self._listen_broken]
        if self.multiport:
            loops.append(self._listen_control)
        try:
            await run_together(*loops)
        except DeviceError as error:
            self.device.failed = error
            raise

    async def stop(self) -> None:
        """Resets the device; who reads or writes gets an error. May be called again."""
        await self.device.stop()
        error = self.device.failed or DeviceGone(f"{self.name} has gone")
        for port in list(self.ports.values()):
            self._remove(port)
        for port in self._known.values():
            port.failed(error, self.device.released)
        self._known.clear()
        if self._memory is not None and self.device.released:
            self._memory.free()
        self._memory = None
        gone, self.gone = self.gone, []
        for tell in gone:
            tell()

    def emergency(self, text: bytes) -> None:
        """Writes bytes without any queue, even before `start` (5.3.6.1): for last words."""
        if not self.device.transport.read_features() & EMERG_WRITE:
            raise DeviceError(f"{self.device.name}: it has no emergency write")
        registers = self._registers()
        for byte in text:
            registers.emergency_write = byte

    # Ports

    def _queues_of(self, number: int) -> tuple[Queue, Queue]:
        return self._queues[2 * number], self._queues[2 * number + 1]

    def _add(self, number: int) -> Port:
        port = self._known.get(number)
        if port is None:
            queues = self._queues_of(number)
            at = [self.device.queues.index(queue) for queue in queues]
            interrupts = self.device.interrupts[at[0]], self.device.interrupts[at[1]]
            name = f"{self.name}p{number}"
            tell = (self._tell_open, self._broke)
            port = Port(name, number, self.hardware, queues, interrupts, *tell)
            self._known[number] = port
        else:
            port.added()
        self.ports[number] = port
        for added in self.added:
            added(port)
        return port

    def _remove(self, port: Port) -> None:
        del self.ports[port.number]
        port.removed()
        for tell in self.removed:
            tell(port)

    def _broke(self, error: DeviceError) -> None:
        """A port has caught the device in a lie."""
        self.device.failed = error
        self._broken.set()

    async def _listen_broken(self) -> None:
        await self._broken.wait()
        assert self.device.failed is not None
        raise self.device.failed

    async def _tell_open(self, number: int, is_open: bool) -> None:
        if self.multiport and number in self.ports:
            await self._send(number, PORT_OPEN, int(is_open))

    # Control messages (5.3.6.2)

    def _listen_with(self, buffer: int) -> None:
        assert self._memory is not None
        at = self._memory.address + buffer * CONTROL
        self._control_in.add((), ((at, CONTROL),), buffer + 1)

    async def _send(self, number: int, event: int, value: int) -> None:
        """Sends a message, and waits until the device has seen it. Raises DeviceTimeout."""
        async with self._sending:
            self.device.check()
            assert self._memory is not None
            queue = self._control_out
            offset = CONTROLS * CONTROL
            at = self._memory.address + offset
            with move_on_after(CONTROL_DEADLINE_S) as scope:
                # One at a time: what was cancelled before may still be on its way.
                while queue.in_flight and not queue.take():
                    if queue.interrupt_next():
                        await self.device.interrupts[3].wait()
                _MESSAGE.pack_into(self._memory.view, offset, number, event, value)
                queue.add(((at, _MESSAGE.size),), (), self)
                queue.kick()
            if scope.cancelled_caught:
                raise DeviceTimeout(self.device.name, "a control message", event)

    async def _listen_control(self) -> None:
        interrupt = self.device.interrupts[2]
        queue = self._control_in
        while True:
            for token, length in queue.take():
                assert self._memory is not None
                at = (token - 1) * CONTROL
                message = bytes(self._memory.view[at : at + length])
                self._listen_with(token - 1)
                queue.kick()
                self.heard += 1
                await self._hear(message)
            if queue.interrupt_next():
                await interrupt.wait()

    async def _hear(self, message: bytes) -> None:
        if len(message) < _MESSAGE.size:
            log(WARNING, f"{self.name}: a control message of {len(message)} bytes")
            return
        number, event, value = _MESSAGE.unpack_from(message)
        rest = message[_MESSAGE.size :]
        port = self.ports.get(number)
        if event == DEVICE_ADD:
            if port is not None:
                log(WARNING, f"{self.name}: port {number} was added twice")
            elif number >= self._most:
                log(WARNING, f"{self.name}: port {number} is one too many")
                await self._send(number, PORT_READY, 0)
            else:
                self._add(number)
                await self._send(number, PORT_READY, 1)
        elif port is None:
            log(WARNING, f"{self.name}: control message {event} about port {number}, not there")
        elif event == DEVICE_REMOVE:
            self._remove(port)
        elif event == CONSOLE_PORT:
            port.console = True
        elif event == RESIZE:
            if len(rest) >= _SIZES.size:
                port.set_size(*_SIZES.unpack_from(rest))
        elif event == PORT_OPEN:
            port.host_opened(bool(value))
        elif event == PORT_NAME:
            port.label = rest.rstrip(b"\0").decode("utf-8", "replace")
            for tell in self.named:
                tell(port)
        else:
            log(WARNING, f"{self.name}: control message {event} is not known")

    async def _listen_configuration(self) -> None:
        while True:
            await self.device.config_changed.wait()
            self._read_size()

    def _read_size(self) -> None:
        """The size in the configuration is that of port 0, without multiport (5.3.4)."""
        if self.device.features & SIZE and 0 in self.ports:
            registers = self._registers()
            size = self.device.consistent(lambda: (int(registers.columns), int(registers.rows)))
            self.ports[0].set_size(*size)

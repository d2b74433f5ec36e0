"""/dev/ttyS1 and so on: a serial port as a file. Bytes as they are, without a line discipline."""

from __future__ import annotations

import errno
import os

from ovum.drivers.errors import DeviceError
from ovum.services.devices import Device
from ovum.services.vfs.node import Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.uart import SerialLine, Uart


MODE = 0o660


async def attach(place: tuple[int, list[Uart]], manager: DeviceManager) -> SerialLine:
    """See `manager`: the ports of an interrupt line, each with its file."""
    from ovum.drivers.uart import SerialLine

    number, ports = place
    line = SerialLine(manager.hardware, number, ports)
    for port in ports:
        manager.publish("serial", port)
        if manager.nodes is not None:
            manager.nodes.add(port.name, SerialDevice(port), MODE)
        line.gone.append(_removal(manager, port))
    return line


def _removal(manager: DeviceManager, port: Uart) -> Callable[[], None]:
    def remove() -> None:
        manager.withdraw(port)
        if manager.nodes is not None:
            manager.nodes.remove(port.name)

    return remove


class SerialDevice(Device):
    """The device."""

    def __init__(self, port: Uart) -> None:
        self._port = port

    async def open(self, flags: int) -> Node:
        return _Opening(self._port, bool(flags & os.O_NONBLOCK))


class _Opening(Node):
    """One opening."""

    def __init__(self, port: Uart, nonblocking: bool) -> None:
        self._port = port
        self._nonblocking = nonblocking

    async def read(self, offset: int, size: int) -> bytes:
        try:
            if not self._nonblocking:
                return await self._port.read(size)
            data = self._port.read_nowait(size)
        except DeviceError as error:
            raise OSError(errno.EIO, str(error)) from error
        if not data:
            raise refuse(errno.EAGAIN)
        return data

    async def write(self, offset: int, data: memoryview) -> int:
        try:
            return await self._port.write(data)
        except DeviceError as error:
            raise OSError(errno.EIO, str(error)) from error

    async def sync(self, data_only: bool) -> None:
        try:
            await self._port.drain()
        except DeviceError as error:
            raise OSError(errno.EIO, str(error)) from error

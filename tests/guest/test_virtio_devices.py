"""Consoles and input devices as QEMU attaches them."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from . import machine
from .qmp import Controlled, controlled

MIB = 1 << 20

ECHO = """\
import os
from ovum.drivers import manager
manager.start()
print(sorted(os.listdir('/dev/virtio-ports')), [port.name for port in manager.find('console')])
fd = os.open('/dev/virtio-ports/org.ovum.test', os.O_RDWR)
data = b''
while len(data) < 1 << 20:
    data += os.read(fd, 65536)
print(os.write(fd, data[::-1]))
os.fsync(fd)
print(os.read(fd, 100))
"""


def image_of(source: str, folder: Path) -> Path:
    """An image that runs this program."""
    image = folder / "program.elf"
    machine.command("build", "-o", str(image), "-c", source).expect()
    return image


@pytest.mark.parametrize(
    ("kind", "bus"),
    [("pc", "virtio-serial-pci"), ("microvm", "virtio-serial-device,max_ports=4")],
)
def test_a_megabyte_through_a_port_and_back(tmp_path: Path, kind: str, bus: str) -> None:
    """The host's end is a socket."""
    asyncio.run(_through_a_port(tmp_path, kind, bus))


async def _through_a_port(folder: Path, kind: str, bus: str) -> None:
    path = folder / "port"
    connected: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_unix_server(
        lambda reader, writer: connected.set_result((reader, writer)), path, limit=4 * MIB
    )
    words = (
        *("-chardev", f"socket,id=p,path={path}", "-device", bus),
        *("-device", "virtserialport,chardev=p,name=org.ovum.test,nr=1"),
    )
    data = random.Random(1).randbytes(MIB)
    process = await asyncio.create_subprocess_exec(
        *(*machine.OVUM, "run", "--machine", kind, "--qemu", " ".join(words), "-c", ECHO),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        env=machine.environment(),
    )  # fmt: skip
    async with server:
        reader, writer = await asyncio.wait_for(connected, machine.LIMIT_S)
        writer.write(data)
        back = await asyncio.wait_for(reader.readexactly(MIB), machine.LIMIT_S)
        writer.write(b"the end")
        said, _ = await asyncio.wait_for(process.communicate(), machine.LIMIT_S)
        writer.close()
    assert back == data[::-1]
    assert process.returncode == 0
    assert said.decode() == f"['org.ovum.test'] ['vport0p1']\n{MIB}\nb'the end'\n"


INPUT = """\
from ovum.drivers import manager
from ovum.services.main import call
from ovum.services.tasks import Group
manager.start()
devices = {device.label: device for device in manager.find('input')}
print(sorted(devices), flush=True)
async def tell(device):
    for _ in range(2):
        print(device.label, await device.read_events(), flush=True)
async def both():
    async with Group() as group:
        for device in devices.values():
            group.start(tell, device)
tablet = devices['QEMU Virtio Tablet']
print(30 in devices['QEMU Virtio Keyboard'].codes(1), tablet.absolute(0), flush=True)
call(devices['QEMU Virtio Keyboard'].set_led, 1, True)
print('ready', flush=True)
call(both)
print('through', flush=True)
"""


def test_keys_and_a_tablet(tmp_path: Path) -> None:
    asyncio.run(_keys_and_a_tablet(image_of(INPUT, tmp_path)))


async def _keys_and_a_tablet(image: Path) -> None:
    words = ("-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci")
    async with controlled(image, *words) as guest:
        said = await guest.read_until("ready")
        assert "['QEMU Virtio Keyboard', 'QEMU Virtio Tablet']" in said
        assert "True <0 to 32767>" in said
        await _send(guest, _key("a", True))
        await _send(guest, _key("a", False))
        await _send(guest, _axis("x", 0x4000), _axis("y", 0x2000))
        await _send(guest, {"type": "btn", "data": {"down": True, "button": "left"}})
        said = await guest.read_until("through")
    assert "Keyboard [(1, 30, 1)]" in said
    assert "Keyboard [(1, 30, 0)]" in said
    assert "Tablet [(3, 0, 16384), (3, 1, 8192)]" in said
    assert "Tablet [(1, 272, 1)]" in said


def _key(code: str, down: bool) -> dict[str, Any]:
    return {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": code}}}


def _axis(axis: str, value: int) -> dict[str, Any]:
    return {"type": "abs", "data": {"axis": axis, "value": value}}


async def _send(guest: Controlled, *events: dict[str, Any]) -> None:
    await guest.control.execute("input-send-event", {"events": list(events)})

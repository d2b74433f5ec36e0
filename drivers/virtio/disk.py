"""Brings a virtio disk up with its partitions: found by `manager.find("block")`, and in /dev."""

from __future__ import annotations

from ovum.drivers.block import BlockDevice
from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.partitions import Partition, read_partitions
from ovum.drivers.virtio.block import VirtioBlock
from ovum.services.log import INFO, WARNING, log
from ovum.services.tasks import CancelScope, Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.virtio.transport import Transport

MODE = 0o660


async def attach(transport: Transport, manager: DeviceManager) -> VirtioBlock:
    """See `manager`. A table of partitions that cannot be read is a warning only."""
    disk = VirtioBlock(transport, manager.lettered("vd"))
    disk.gone.append(lambda: manager.give_name_back(disk.name))
    try:
        await disk.start()
        partitions = await _find_partitions(disk)
        for device in (disk, *partitions):
            _publish(manager, disk, device)
    except BaseException:
        with CancelScope(shield=True):
            await disk.stop()
        raise
    return disk


def _publish(manager: DeviceManager, disk: VirtioBlock, device: BlockDevice) -> None:
    manager.publish("block", device)
    disk.gone.append(lambda: manager.withdraw(device))
    nodes = manager.nodes
    if nodes is None:
        return
    from ovum.services.blockdev import BlockNode

    try:
        nodes.add(device.name, BlockNode(device), MODE)
    except OSError as error:
        log(WARNING, f"{device.name}: no file in /dev: {error}")
        return
    name = device.name
    disk.gone.append(lambda: nodes.remove(name))


async def _find_partitions(disk: VirtioBlock) -> list[Partition]:
    found: list[Partition] = []

    async def read() -> None:
        try:
            table, partitions = await read_partitions(disk)
        except OSError as error:
            log(WARNING, f"{disk.name}: its partitions cannot be read: {error}")
            return
        found.extend(partitions)
        for problem in table.problems:
            log(WARNING, f"{disk.name}: {problem}")
        kind = f", {table.scheme} with {len(partitions)} partitions" if table.scheme else ""
        log(INFO, f"{disk!r}{kind}")

    try:
        async with Group() as group:
            group.start(disk.listen)
            reader = group.start(read)
            try:
                await reader.wait()
            except BaseException:
                # What the device has been asked for ends in no other way.
                if disk.device.failed is None:
                    disk.device.failed = DeviceTimeout(disk.name, "its first blocks")
                with CancelScope(shield=True):
                    await disk.stop()
                raise
            group.cancel()
    except ExceptionGroup as errors:
        raise next((e for e in errors.exceptions if isinstance(e, DeviceError)), errors) from None
    return found

"""Brings devices up, each by its driver, and tells who asks for them.

    from ovum.drivers import manager

    manager.start()
    source = manager.find("entropy")[0]

A driver's module has

    async def attach(device, manager) -> Driver

which makes the driver, brings the device up, has it published (`manager.publish`) and returns it.
A device that fails does so alone, with a message in the log.
"""

from __future__ import annotations

from ovum.drivers.discovery import discover
from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.services.log import INFO, WARNING, log, log_error
from ovum.services.tasks import CancelScope, Event, Group, checkpoint, move_on_after, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from typing import Any, Protocol

    from ovum.drivers.discovery import Found
    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace
    from ovum.drivers.virtio.mmio import MmioPlace
    from ovum.services.devices import Device

    class Driver(Protocol):
        """What drives a device that is up."""

        @property
        def name(self) -> str:
            """For messages."""

        async def listen(self) -> None:
            """Its interrupts, for good. To end, or to raise, is to say that the device is gone."""

        async def stop(self) -> None:
            """The device's end. Who waits for it gets an error, and nothing of it is left."""

    class Nodes(Protocol):
        """`services.devices.Devices`: see there."""

        def add(self, name: str, device: Device, mode: int) -> None: ...
        def remove(self, name: str) -> None: ...
        def add_link(self, folder: str, name: str, device: str) -> None: ...
        def remove_link(self, folder: str, name: str) -> None: ...

    Start = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], object]


ATTACH_S = 5.0
"""How long a device may take to come up."""

STOP_S = 5.0
"""How long a driver may take to end."""


class Attached:
    """A device that was found, and what has become of it."""

    __slots__ = ("driver", "error", "module", "name", "state")

    def __init__(self, name: str, module: str) -> None:
        self.name = name
        self.module = module
        self.driver: Driver | None = None
        self.state = "starting"
        """starting, up, failed, gone"""
        self.error: BaseException | None = None

    def __repr__(self) -> str:
        why = f": {self.error}" if self.error is not None else ""
        return f"<{self.name}, {self.module.rpartition('.')[2]}, {self.state}{why}>"


class DeviceManager:
    """The devices of one machine.

    start_service(name, function): runs a function as a task of its own, such as `Services.start`.
    """

    def __init__(
        self,
        hardware: Hardware,
        spaces: list[ConfigSpace],
        command_line: str,
        start_service: Start,
        nodes: Nodes | None = None,
        boot_info: dict[str, str] | None = None,
    ) -> None:
        self.hardware = hardware
        self.nodes = nodes
        """Where drivers put files into /dev; None where there is none."""
        self._spaces = spaces
        self._command_line = command_line
        self._start_service = start_service
        self._boot_info = boot_info or {}
        self.devices: list[Attached] = []
        self._published: dict[str, list[Any]] = {}
        self._watchers: dict[str, list[Callable[[Any], None]]] = {}
        self._names: set[str] = set()
        self._up: Event | None = None

    # For drivers

    def publish(self, kind: str, thing: Any) -> None:
        """Makes something that a device offers known: a "block" device, a "network" card, …"""
        self._published.setdefault(kind, []).append(thing)
        for told in self._watchers.get(kind, ()):
            told(thing)

    def withdraw(self, thing: Any) -> None:
        """It is gone."""
        for things in self._published.values():
            if thing in things:
                things.remove(thing)

    def lettered(self, prefix: str) -> str:
        """The next free name of vda, vdb, … vdz, vdaa, …"""
        number = 0
        while True:
            name, rest = "", number
            while rest >= 0:
                name = chr(ord("a") + rest % 26) + name
                rest = rest // 26 - 1
            if prefix + name not in self._names:
                self._names.add(prefix + name)
                return prefix + name
            number += 1

    def numbered(self, prefix: str) -> str:
        """The next free name of eth0, eth1, …"""
        number = 0
        while f"{prefix}{number}" in self._names:
            number += 1
        self._names.add(f"{prefix}{number}")
        return f"{prefix}{number}"

    def give_name_back(self, name: str) -> None:
        """Its device is gone; the next one may have it."""
        self._names.discard(name)

    # For everybody

    def find(self, kind: str) -> list[Any]:
        """What devices of a kind offer, in the order in which they came up."""
        return list(self._published.get(kind, ()))

    def watch(self, kind: str, told: Callable[[Any], None]) -> None:
        """Has told(thing) called for what devices of a kind offer: what there is, and what comes.
        It must not raise."""
        self._watchers.setdefault(kind, []).append(told)
        for thing in self.find(kind):
            told(thing)

    async def start(self) -> None:
        """Finds all devices and starts their drivers; returns when each is up or has failed.

        A second call waits for the first.
        """
        if self._up is not None:
            await self._up.wait()
            return
        self._up = Event()
        begun = now()
        try:
            async with Group("devices") as group:
                for found in self._discover():
                    group.start(self._attach, found, name=found.name)
                    await checkpoint()
        finally:
            self._up.set()
        up = sum(device.state == "up" for device in self.devices)
        log(INFO, f"devices: {up} of {len(self.devices)} up in {(now() - begun) / 1e6:.1f} ms")

    def _discover(self) -> Iterator[Found]:
        spaces: list[ConfigSpace] = self._spaces
        places: list[MmioPlace] = []
        if "rsdp" in self._boot_info:
            from ovum.drivers.firmware import choose, find_places

            in_memory, places = find_places(self.hardware, self._boot_info, self._warn)
            spaces = choose(spaces, in_memory, self._warn)
        return discover(self.hardware, spaces, self._command_line, self._warn, places)

    @staticmethod
    def _warn(text: str) -> None:
        log(WARNING, f"devices: {text}")

    async def _attach(self, found: Found) -> None:
        attached = Attached(found.name, found.module)
        self.devices.append(attached)
        begun = now()
        try:
            module = __import__(found.module, fromlist=["attach"])
            # An import takes long enough by itself for others to wait.
            await checkpoint()
            driver: Driver | None = None
            with move_on_after(ATTACH_S) as scope:
                driver = await module.attach(found.open(), self)
            if driver is None:
                # Cancelled by somebody else, the scope would have let that through.
                assert scope.cancelled_caught
                raise DeviceTimeout(found.name, f"bring-up in {ATTACH_S:g} s")
        except Exception as error:
            attached.state = "failed"
            attached.error = error
            if isinstance(error, (DeviceError, OSError)):
                log(WARNING, f"{found.name}: not used: {error}")
            else:
                log_error(f"{found.name}: its driver failed:", error)
            return
        attached.driver = driver
        attached.state = "up"
        log(INFO, f"{driver.name}: up in {(now() - begun) / 1e6:.1f} ms")

        async def drive() -> None:
            await self._drive(attached, driver)

        self._start_service(f"driver of {found.name}", drive)

    async def _drive(self, attached: Attached, driver: Driver) -> None:
        """Runs a driver until its device is gone."""
        try:
            await driver.listen()
        except DeviceError as error:
            attached.error = error
            log(WARNING, f"{driver.name}: {error}")
        except Exception as error:
            attached.error = error
            log_error(f"{driver.name}: its driver failed:", error)
        finally:
            attached.state = "gone"
            self.withdraw(driver)
            with CancelScope(shield=True), move_on_after(STOP_S):
                try:
                    await driver.stop()
                except DeviceError as error:
                    log(WARNING, f"{driver.name}: at its end: {error}")
            self.give_name_back(driver.name)


_manager: DeviceManager | None = None


def manager() -> DeviceManager:
    """The machine's devices. Only from the services thread; any thread may use `start` and `find`.

    Raises OSError(EPERM) outside a machine of ovum's.
    """
    global _manager
    if _manager is None:
        import _kernel

        from ovum.drivers.machine import KernelHardware
        from ovum.drivers.pci.config import PortConfigSpace
        from ovum.services.main import services

        machine = services()

        def start_service(name: str, function: Callable[[], Coroutine[Any, Any, None]]) -> object:
            # File systems and connections still need their devices when they are ended.
            return machine.services.start(name, function, lasting=True)

        hardware = KernelHardware()
        info = _kernel.boot_info()
        _manager = DeviceManager(
            hardware,
            [PortConfigSpace(hardware)],
            info["command_line"],
            start_service,
            machine.devices,
            info,
        )
    return _manager


async def _start() -> None:
    await manager().start()


def start() -> None:
    """Brings all devices up, if that has not been done; returns when they are.

    From any thread but the services thread (there: `await manager().start()`).
    """
    from ovum.services.main import call

    call(_start)


def find(kind: str) -> list[Any]:
    """What devices of a kind offer: "block", "network", "entropy", "console", "input", "9p"."""
    return [] if _manager is None else _manager.find(kind)


def devices() -> list[Attached]:
    """All devices that were found to have a driver, and what has become of them."""
    return [] if _manager is None else list(_manager.devices)

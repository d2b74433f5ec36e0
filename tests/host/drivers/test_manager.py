"""The device manager: what is found comes up or fails, each device for itself."""

import sys
import types
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from ovum.drivers import discovery
from ovum.drivers.errors import DeviceError
from ovum.drivers.manager import DeviceManager
from ovum.drivers.virtio import features as f
from ovum.services.tasks import Event, Group, sleep, testing

from .conftest import Run
from .machine import Machine
from .virtio_model import MmioFace, VirtioModel

FIRST = 0xFEB0_0000


class Sample:
    """A driver that is told what to do."""

    def __init__(self, transport: Any) -> None:
        self.name = transport.name
        self.gone = Event()
        self.error: Exception | None = None
        self.stopped = 0

    async def listen(self) -> None:
        await self.gone.wait()
        if self.error is not None:
            raise self.error

    async def stop(self) -> None:
        self.stopped += 1


async def attach(transport: Any, manager: DeviceManager) -> Sample:
    """As its place says: the first device is fine, the others have their faults."""
    faults: dict[str, Exception] = {
        "MMIO 0xfeb01000": DeviceError("it is broken"),
        "MMIO 0xfeb02000": ZeroDivisionError("a mistake"),
    }
    if transport.name in faults:
        raise faults[transport.name]
    if transport.name == "MMIO 0xfeb03000":
        await sleep(1000)
    driver = Sample(transport)
    manager.publish("sample", driver)
    return driver


@pytest.fixture
def sample_driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = types.ModuleType("sample_driver")
    module.attach = attach  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sample_driver", module)
    monkeypatch.setattr(discovery, "VIRTIO", {f.ENTROPY: "sample_driver"})
    yield


def command_line(machine: Machine, count: int) -> str:
    words = ["first"]
    for number in range(count):
        model = VirtioModel(machine, f.ENTROPY, 1)
        face = MmioFace(model, FIRST + number * 0x1000, 5 + number)
        words.append(f"virtio_mmio.device={face.size}@{face.place.address:#x}:{face.place.irq}")
    return " ".join(words)


async def with_manager(
    machine: Machine, line: str, use: Callable[[DeviceManager], Coroutine[Any, Any, None]]
) -> None:
    async with Group() as group:

        def start(name: str, function: Callable[[], Coroutine[Any, Any, None]]) -> object:
            return group.start(function, name=name)

        manager = DeviceManager(machine, [], line, start)
        await manager.start()
        await use(manager)
        group.cancel()


def test_devices_fail_alone(
    machine: Machine, run: Run, sample_driver: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async def use(manager: DeviceManager) -> None:
        states = {device.name: device.state for device in manager.devices}
        assert states == {
            "MMIO 0xfeb00000": "up",
            "MMIO 0xfeb01000": "failed",
            "MMIO 0xfeb02000": "failed",
            "MMIO 0xfeb03000": "failed",
            "MMIO 0xfeb04000": "up",
        }
        assert sorted(one.name for one in manager.find("sample")) == [
            "MMIO 0xfeb00000",
            "MMIO 0xfeb04000",
        ]

    run(with_manager, machine, command_line(machine, 5), use)
    said = capsys.readouterr().err
    assert "MMIO 0xfeb01000: not used: it is broken" in said
    assert "ZeroDivisionError: a mistake" in said
    assert "MMIO 0xfeb03000: not used" in said and "bring-up in 5 s" in said


def test_a_device_that_is_gone_is_withdrawn(
    machine: Machine, run: Run, sample_driver: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async def use(manager: DeviceManager) -> None:
        (driver,) = manager.find("sample")
        driver.name = manager.numbered("eth")
        driver.error = DeviceError("pulled out")
        driver.gone.set()
        await testing.settle()
        assert manager.find("sample") == []
        assert driver.stopped == 1
        assert [device.state for device in manager.devices] == ["gone"]
        assert manager.numbered("eth") == driver.name == "eth0", "the name is free again"

    run(with_manager, machine, command_line(machine, 1), use)
    assert "pulled out" in capsys.readouterr().err


def test_starting_twice_waits_for_the_first(
    machine: Machine, run: Run, sample_driver: None
) -> None:
    async def main() -> None:
        async with Group() as group:

            def start(name: str, function: Callable[[], Coroutine[Any, Any, None]]) -> object:
                return group.start(function, name=name)

            manager = DeviceManager(machine, [], command_line(machine, 1), start)
            async with Group() as starters:
                for _ in range(3):
                    starters.start(manager.start)
            assert len(manager.devices) == 1
            group.cancel()

    run(main)


def test_what_the_command_line_says_wrongly_is_a_warning(
    machine: Machine, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    async def use(manager: DeviceManager) -> None:
        assert manager.devices == []

    run(with_manager, machine, "virtio_mmio.device=512@nowhere:1", use)
    run(with_manager, machine, "virtio_mmio.device=512@0xfeb00000:1", use)  # nothing is there
    said = capsys.readouterr().err
    assert "virtio_mmio.device=512@nowhere:1: not SIZE@BASE:IRQ" in said
    assert "is not virtio's magic value" in said


def test_names_are_given_in_order(machine: Machine) -> None:
    manager = DeviceManager(machine, [], "", lambda name, function: None)
    letters = [manager.lettered("vd") for _ in range(28)]
    assert letters[:2] + letters[24:] == ["vda", "vdb", "vdy", "vdz", "vdaa", "vdab"]
    manager.give_name_back("vdb")
    assert manager.lettered("vd") == "vdb"
    assert [manager.numbered("eth") for _ in range(2)] == ["eth0", "eth1"]

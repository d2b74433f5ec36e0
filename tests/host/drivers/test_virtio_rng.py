"""The entropy device, and with it what all virtio devices share: negotiation, reset, interrupts."""

import pytest

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.mmio import MmioTransport
from ovum.drivers.virtio.rng import VirtioRng
from ovum.services.tasks import Group, testing

from .conftest import Run
from .machine import Machine
from .pci_model import BUS_MASTER
from .virtio_faces import FACES, IRQ, MMIO, attach
from .virtio_model import Chain, MmioFace, VirtioModel


class RngModel(VirtioModel):
    """Gives the bytes 0, 1, 2, …, up to `most` at a time."""

    def __init__(self, machine: Machine, face: str = "mmio") -> None:
        super().__init__(machine, f.ENTROPY, 1)
        self.most = 100
        self.lie = 0
        self.transport = attach(self, face)

    def serve(self, index: int, chain: Chain) -> int:
        return chain.write(bytes(range(self.most))) + self.lie


async def with_driver(machine: Machine, model: RngModel, use: object) -> None:
    driver = VirtioRng(model.transport)
    try:
        async with Group() as group:
            group.start(model.run)
            await driver.start()
            group.start(driver.listen)
            await use(driver)  # type: ignore[operator]
            group.cancel()
    finally:
        model.resets = True
        await driver.stop()


async def until_listening_fails(machine: Machine, model: RngModel, use: object) -> None:
    """The same with a driver that fails meanwhile, as the manager would see it."""
    driver = VirtioRng(model.transport)
    failed: list[BaseException] = []

    async def listen() -> None:
        try:
            await driver.listen()
        except DeviceError as error:
            failed.append(error)

    try:
        async with Group() as group:
            group.start(model.run)
            await driver.start()
            group.start(listen)
            await use(driver)  # type: ignore[operator]
            await testing.settle()
            group.cancel()
    finally:
        await driver.stop()
    assert failed == [driver.device.failed]


@pytest.mark.parametrize("face", FACES)
def test_random_bytes_arrive(machine: Machine, run: Run, face: str) -> None:
    model = RngModel(machine, face)

    async def use(driver: VirtioRng) -> None:
        for _ in range(300):
            assert await driver.read() == bytes(range(100))
        assert model.status == f.ACKNOWLEDGE | f.DRIVER | f.DRIVER_OK | (
            f.FEATURES_OK if model.transport.queue_align == 4 else 0
        )
        assert not machine.lines or len(machine.lines) + len(machine.vectors) == 1

        assert machine.entropy == bytes(range(100)), "the machine got some, once"

    run(with_driver, machine, model, use)


def test_readers_wait_for_each_other(machine: Machine, run: Run) -> None:
    model = RngModel(machine)

    async def use(driver: VirtioRng) -> None:
        async with Group() as group:
            readers = [group.start(driver.read) for _ in range(5)]
        assert [len(await reader.wait()) for reader in readers] == [100] * 5

    run(with_driver, machine, model, use)


@pytest.mark.parametrize("face", FACES)
def test_a_device_that_does_not_answer_is_given_up(machine: Machine, run: Run, face: str) -> None:
    model = RngModel(machine, face)
    model.answers = False

    async def use(driver: VirtioRng) -> None:
        with pytest.raises(DeviceTimeout, match="random bytes"):
            await driver.read()

    run(until_listening_fails, machine, model, use)


@pytest.mark.parametrize("face", FACES)
def test_spurious_interrupts_do_no_harm(machine: Machine, run: Run, face: str) -> None:
    model = RngModel(machine, face)
    model.answers = False

    async def use(driver: VirtioRng) -> None:
        async with Group() as group:
            reader = group.start(driver.read)
            for _ in range(5):
                model.raise_queue(0)
                await testing.settle()
            model.answers = True
            model.process()
        assert len(await reader.wait()) == 100

    run(with_driver, machine, model, use)


@pytest.mark.parametrize(("lie", "most"), [(1000, 100), (0, 0)])
def test_a_length_that_cannot_be_is_an_error(
    machine: Machine, run: Run, lie: int, most: int
) -> None:
    model = RngModel(machine)

    async def use(driver: VirtioRng) -> None:
        await testing.settle()  # the machine has its entropy
        model.lie, model.most = lie, most
        with pytest.raises(DeviceError, match=r"bytes were written|no byte"):
            await driver.read()

    run(until_listening_fails, machine, model, use)


@pytest.mark.parametrize("face", FACES)
def test_a_device_that_breaks_down_ends_its_driver(machine: Machine, run: Run, face: str) -> None:
    model = RngModel(machine, face)

    async def use(driver: VirtioRng) -> None:
        await driver.read()
        model.break_down()
        await testing.settle()
        await driver.read()

    with pytest.raises(ExceptionGroup) as caught:
        run(with_driver, machine, model, use)
    assert caught.group_contains(DeviceError, match="needs a reset")


def test_a_device_that_does_not_reset_is_no_device(machine: Machine, run: Run) -> None:
    model = RngModel(machine)
    model.status = 15
    model.resets = False

    async def use(driver: VirtioRng) -> None:
        raise AssertionError

    with pytest.raises(ExceptionGroup) as caught:
        run(with_driver, machine, model, use)
    assert caught.group_contains(DeviceTimeout, match="device status after reset")


def test_features_that_are_refused_end_the_negotiation(machine: Machine, run: Run) -> None:
    model = RngModel(machine)
    model.accepts = False

    async def use(driver: VirtioRng) -> None:
        raise AssertionError

    with pytest.raises(ExceptionGroup) as caught:
        run(with_driver, machine, model, use)
    assert caught.group_contains(DeviceError, match="not accepted")


def test_nothing_is_asked_of_a_device_that_was_stopped(machine: Machine, run: Run) -> None:
    async def main() -> None:
        model = RngModel(machine)
        driver = VirtioRng(model.transport)
        await driver.start()
        await driver.stop()
        with pytest.raises(DeviceGone):
            await driver.read()

    run(main)


def test_what_is_no_virtio_device_is_refused(machine: Machine) -> None:
    face = MmioFace(VirtioModel(machine, f.ENTROPY, 1), MMIO, IRQ)
    face.version = 3
    with pytest.raises(DeviceError, match="version 3 is not known"):
        MmioTransport(machine, face.place)
    machine.remove(face)
    with pytest.raises(DeviceError, match="magic value"):
        MmioTransport(machine, face.place)


def test_a_device_that_never_resets_gets_no_memory_back(machine: Machine, run: Run) -> None:
    """It may still write there: the memory is lost, and PCI's keeps it from the rest."""
    model = RngModel(machine, "pci")

    async def main() -> None:
        driver = VirtioRng(model.transport)
        await driver.start()
        assert model.function.command & BUS_MASTER
        model.resets = False
        await driver.stop()
        assert not model.function.command & BUS_MASTER
        model.resets = True
        assert len(machine.allocated) == 2
        assert not machine.vectors
        machine.allocated.clear()

    run(main)

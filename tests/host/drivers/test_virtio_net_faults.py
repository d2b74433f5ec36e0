"""The network device when it lies, fails, goes away or does nothing."""

import pytest

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.frames import LARGEST, TCP4, Frame, Received
from ovum.drivers.virtio import net
from ovum.drivers.virtio.mmio import MmioTransport
from ovum.drivers.virtio.net import VirtioNet
from ovum.services.tasks import Group, move_on_after, now, testing

from .conftest import Run
from .machine import Machine
from .test_virtio_net import with_card
from .virtio_net_model import ADDRESS, MERGE, OFFLOADS, PLAIN, NetModel


def expect_failure(run: Run, model: NetModel, match: str) -> None:
    """One frame is delivered: the receiver and the driver end with this error."""

    async def use(card: VirtioNet, model: NetModel) -> None:
        model.deliver(bytes(60))
        with pytest.raises(DeviceError, match=match):
            await card.receive()
        with pytest.raises(DeviceError, match=match):
            await card.transmit([Frame(bytes(60))])
        with pytest.raises(DeviceError, match=match):
            await card.link.changed()
        await testing.settle()
        raise AssertionError("listen goes on")

    with pytest.raises(ExceptionGroup) as caught:
        run(with_card, model, use)
    assert caught.group_contains(DeviceError, match=match)
    assert not caught.group_contains(AssertionError)


@pytest.mark.parametrize("buffers", [0, 257, 0xFFFF])
def test_a_number_of_buffers_that_cannot_be(machine: Machine, run: Run, buffers: int) -> None:
    model = NetModel(machine, MERGE)
    model.lie_buffers = buffers
    expect_failure(run, model, f"a frame in {buffers} of 256 buffers")


@pytest.mark.parametrize(
    ("lie", "match"),
    [
        (2048, "2120 bytes were written into a buffer of 2048"),
        (0xFFFF_FFFF - 72, "4294967295 bytes were written"),
        (-61, "11 bytes are no header"),
        (-72, "0 bytes are no header"),
    ],
)
def test_a_length_that_cannot_be(machine: Machine, run: Run, lie: int, match: str) -> None:
    model = NetModel(machine, MERGE)
    model.lie_length = lie
    expect_failure(run, model, match)


@pytest.mark.parametrize("head", [256, 0xFFFF_FFFF])
def test_a_descriptor_that_cannot_be(machine: Machine, run: Run, head: int) -> None:
    model = NetModel(machine, MERGE)
    model.lie_head = head
    expect_failure(run, model, "are not all in use")


def test_a_descriptor_used_twice_at_a_time(machine: Machine, run: Run) -> None:
    model = NetModel(machine, MERGE)
    model.lie_head = 7

    async def use(card: VirtioNet, model: NetModel) -> None:
        model.deliver(bytes(60), bytes(60))
        with pytest.raises(DeviceError, match="are not all in use"):
            await card.receive()
        await testing.settle()

    with pytest.raises(ExceptionGroup):
        run(with_card, model, use)


@pytest.mark.parametrize("jump", [257, 300, 0x8000])
def test_more_used_than_there_are(machine: Machine, run: Run, jump: int) -> None:
    model = NetModel(machine, MERGE)

    async def use(card: VirtioNet, model: NetModel) -> None:
        queue = model.queues[0]
        queue._put("<H", queue.used + 2, jump)
        with pytest.raises(DeviceError, match=f"{jump} buffers were used of 256"):
            await card.receive()
        await testing.settle()

    with pytest.raises(ExceptionGroup):
        run(with_card, model, use)


def test_a_buffer_that_was_not_sent_comes_back(machine: Machine, run: Run) -> None:
    model = NetModel(machine, MERGE, queue_size=8)
    model.takes = False

    async def use(card: VirtioNet, model: NetModel) -> None:
        assert card.transmit_nowait([Frame(bytes(60))] * 3) == 3
        model.queues[1].push(5, 0)  # only 0 to 2 are on their way
        with pytest.raises(DeviceError, match=r"descriptors \[5\] were used"):
            card.transmit_nowait([Frame(bytes(60))] * 8)
        await testing.settle()

    with pytest.raises(ExceptionGroup):
        run(with_card, model, use)


@pytest.mark.parametrize(
    ("features", "header"),
    [
        (OFFLOADS, (1, 0, 0, 0, 50, 10)),
        (OFFLOADS, (1, 0, 0, 0, 0xFFFF, 0xFFFF)),
        (OFFLOADS, (1, 2, 0, 1448, 34, 16)),
        (OFFLOADS, (1, TCP4, 0, 0, 34, 16)),
        (MERGE, (1, TCP4, 0, 1448, 34, 16)),
    ],
)
def test_headers_that_cannot_be_cost_their_frame(
    machine: Machine, run: Run, features: int, header: tuple[int, ...]
) -> None:
    model = NetModel(machine, features)

    async def use(card: VirtioNet, model: NetModel) -> None:
        good = bytes(range(60))
        model.deliver(good)
        model.deliver(bytes(60), header=header)
        model.deliver(good)
        got: list[Received] = []
        while len(got) < 2:
            got += await card.receive()
        assert [frame.data for frame in got] == [good, good]
        assert card.counters.dropped == {"receive: a header that cannot be": 1}

    run(with_card, model, use)


def test_frames_shorter_or_longer_than_any_are_counted(machine: Machine, run: Run) -> None:
    model = NetModel(machine, OFFLOADS)

    async def use(card: VirtioNet, model: NetModel) -> None:
        good = bytes(range(60))
        model.deliver(bytes(13), good, bytes(0))
        assert [frame.data for frame in await card.receive()] == [good]
        model.deliver(bytes(LARGEST + 5), bytes(5), good)
        assert [frame.data for frame in await card.receive()] == [good]
        assert card.counters.dropped == {"receive: too short": 3, "receive: too long": 1}
        assert card.counters.received_bytes == 120

    run(with_card, model, use)


def test_a_frame_whose_buffers_come_one_by_one(machine: Machine, run: Run) -> None:
    model = NetModel(machine, OFFLOADS)

    async def use(card: VirtioNet, model: NetModel) -> None:
        queue = model.queues[0]
        data = bytes(range(250)) * 20
        first, second, third = (queue.pop() for _ in range(3))
        assert first and second and third
        whole = bytes(10) + b"\3\0" + data
        async with Group() as group:
            receiver = group.start(card.receive)
            await testing.settle()
            for chain, begin in ((first, 0), (second, 2048), (third, 4096)):
                assert chain.write(whole[begin : begin + 2048])
                model.finish(0, chain, len(whole[begin : begin + 2048]))
                await testing.settle()
        (frame,) = await receiver.wait()
        assert frame.data == data

    run(with_card, model, use)


def test_a_full_ring_loses_nothing(machine: Machine, run: Run) -> None:
    """The device has no buffer left, gets them back, and goes on."""
    model = NetModel(machine, PLAIN, queue_size=4)

    async def use(card: VirtioNet, model: NetModel) -> None:
        frames = [bytes((k,)) * 60 for k in range(50)]
        model.deliver(*frames)
        assert model.received == 4
        got: list[Received] = []
        while len(got) < 50:
            got += await card.receive()
        assert [frame.data for frame in got] == frames

    run(with_card, model, use)


def test_senders_wait_for_room_and_for_each_other(machine: Machine, run: Run) -> None:
    model = NetModel(machine, PLAIN, queue_size=8)
    model.takes = False

    async def use(card: VirtioNet, model: NetModel) -> None:
        batches = [[bytes((k, n)) * 30 for n in range(20)] for k in range(3)]
        async with Group() as group:
            for batch in batches:
                group.start(card.transmit, [Frame(data) for data in batch])
            await testing.settle()
            assert model.sent == []
            model.takes = True
            model.process()
        await testing.settle()
        sent = model.frames()
        assert sorted(sent[k : k + 20] for k in (0, 20, 40)) == batches

    run(with_card, model, use)


def test_a_device_that_takes_nothing_is_waited_for_and_no_longer(
    machine: Machine, run: Run
) -> None:
    model = NetModel(machine, PLAIN, queue_size=8)
    model.takes = False

    async def use(card: VirtioNet, model: NetModel) -> None:
        begun = now()
        with pytest.raises(DeviceTimeout, match="room for frames"):
            await card.transmit([Frame(bytes(60))] * 10)
        assert now() - begun == 5_000_000_000
        assert card.counters.dropped == {"transmit: no room in time": 2}
        model.takes = True
        model.process()
        await card.transmit([Frame(bytes(61))] * 10)
        await testing.settle()
        assert [len(frame) for frame in model.frames()] == [60] * 8 + [61] * 10

    run(with_card, model, use)


def test_a_cancelled_receiver_has_taken_nothing(machine: Machine, run: Run) -> None:
    model = NetModel(machine, PLAIN)

    async def use(card: VirtioNet, model: NetModel) -> None:
        for _ in range(5):
            model.raise_queue(0)
            with move_on_after(1) as scope:
                await card.receive()
            assert scope.cancelled_caught
        model.deliver(bytes(60))
        assert len(await card.receive()) == 1

    run(with_card, model, use)


def test_commands_have_a_deadline(machine: Machine, run: Run) -> None:
    model = NetModel(machine, MERGE)

    async def use(card: VirtioNet, model: NetModel) -> None:
        model.answers = False
        with pytest.raises(DeviceTimeout, match="command 0:0"):
            await card.set_filter()
        model.answers = True
        model.process()
        model.commands.clear()
        await card.set_filter(promiscuous=True)
        assert model.commands[0] == (0, 0, b"\1")

    run(with_card, model, use)


def test_a_device_that_breaks_down_ends_its_driver(machine: Machine, run: Run) -> None:
    model = NetModel(machine)

    async def use(card: VirtioNet, model: NetModel) -> None:
        async with Group() as group:
            group.start(card.receive)
            group.start(card.receive)
            await testing.settle()
            model.break_down()

    with pytest.raises(ExceptionGroup) as caught:
        run(with_card, model, use)
    assert caught.group_contains(DeviceError, match="needs a reset")


def test_reset_in_flight_wakes_everybody(machine: Machine, run: Run) -> None:
    model = NetModel(machine, PLAIN, queue_size=8)
    model.takes = False

    async def main() -> None:
        card = VirtioNet(MmioTransport(machine, model.face.place))
        await card.start()

        async def fails(function: object, *args: object) -> None:
            with pytest.raises(DeviceGone, match="no longer driven"):
                await function(*args)  # type: ignore[operator]

        async with Group() as group:
            group.start(fails, card.receive)
            group.start(fails, card.receive)
            group.start(fails, card.link.changed)
            group.start(fails, card.transmit, [Frame(bytes(60))] * 20)
            group.start(fails, card.transmit, [Frame(bytes(60))])
            group.start(fails, card.listen)
            await testing.settle()
            await card.stop()

    run(main)


def test_a_device_that_was_taken_out_is_noticed_and_leaves_nothing(
    machine: Machine, run: Run
) -> None:
    model = NetModel(machine, PLAIN, queue_size=8)
    model.takes = False

    async def use(card: VirtioNet, model: NetModel) -> None:
        model.face.gone = True
        with pytest.raises(DeviceGone, match="has been taken out"):
            await card.transmit([Frame(bytes(60))] * 10)
        await testing.settle()

    with pytest.raises(ExceptionGroup) as caught:
        run(with_card, model, use)
    assert caught.group_contains(DeviceGone, match="has been taken out")


def test_a_device_that_does_not_come_up_leaves_nothing(machine: Machine, run: Run) -> None:
    """Each of the queues is missing in turn."""

    async def main() -> None:
        for missing in range(3):
            model = NetModel(machine, OFFLOADS | net.MTU_GIVEN, mtu=1500)
            model.queues = model.queues[:missing]
            card = VirtioNet(MmioTransport(machine, model.face.place))
            with pytest.raises(DeviceError, match=f"no queue {missing}"):
                await card.start()
            await card.stop()
            machine.remove(model.face)
        model = NetModel(machine, OFFLOADS | net.MTU_GIVEN, mtu=60)
        card = VirtioNet(MmioTransport(machine, model.face.place))
        assert model.face.place.address == ADDRESS
        with pytest.raises(DeviceError, match="an MTU of 60 bytes"):
            await card.start()
        await card.stop()

    run(main)

"""The PS/2 driver against models of the controller, good ones and bad ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.input import keys
from ovum.drivers.input.events import EV_KEY, EV_REL, EV_SYN, REL_WHEEL, REL_X, Event
from ovum.drivers.ps2 import controller as controller_module
from ovum.drivers.ps2.controller import Controller
from ovum.drivers.ps2.keyboard import Ps2Keyboard, typematic
from ovum.drivers.ps2.mouse import Ps2Mouse
from ovum.services.tasks import Group, now
from ovum.services.tasks.testing import run, settle

from .machine import Machine
from .ps2_model import I8042, KeyboardModel, MouseModel

Body = Callable[[Controller], Awaitable[None]]


def with_ports(machine: Machine, body: Body, *, translate: bool = True, seed: int = 1) -> None:
    """Runs body(controller) with a controller that is up and listens."""

    async def main() -> None:
        controller = Controller(machine, translate)
        try:
            async with Group() as group:
                for port in await controller.start():
                    group.start(controller.listen, port)
                await body(controller)
                group.cancel()
        finally:
            controller.close()

    run(main, seed=seed)
    assert machine.leaks() == []


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the driver logs."""
    texts: list[str] = []
    monkeypatch.setattr(controller_module, "log", lambda level, text: texts.append(text))
    return texts


def pressed(events: list[Event]) -> list[tuple[int, int]]:
    return [(event.code, event.value) for event in events if event.type == EV_KEY]


@pytest.mark.parametrize("translate", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_key_arrives_translated_or_not(translate: bool, seed: int) -> None:
    machine = Machine()
    model = KeyboardModel()
    I8042(machine, model)
    events: list[Event] = []

    async def body(controller: Controller) -> None:
        keyboard = Ps2Keyboard(controller.ports[0], events.append)
        await keyboard.start()
        assert keyboard.identity == (b"\xab\x41" if translate else b"\xab\x83")
        model.type("12 1c f0 1c f0 12 e0 75 e0 f0 75")
        await settle()

    with_ports(machine, body, translate=translate, seed=seed)
    shift, a, up = keys.KEY_LEFTSHIFT, keys.KEY_A, keys.KEY_UP
    assert pressed(events) == [(shift, 1), (a, 1), (a, 0), (shift, 0), (up, 1), (up, 0)]
    assert sum(event.type == EV_SYN for event in events) == 6


def test_keys_that_come_while_lamps_are_set_are_not_taken_for_answers() -> None:
    machine = Machine()
    model = KeyboardModel()
    I8042(machine, model)
    events: list[Event] = []

    async def body(controller: Controller) -> None:
        keyboard = Ps2Keyboard(controller.ports[0], events.append)
        await keyboard.start()
        model.type("1c f0 1c")
        await keyboard.set_leds(0b010)
        assert model.leds == 0b100
        await keyboard.set_leds(0b101)
        assert model.leds == 0b011
        await settle()

    with_ports(machine, body)
    assert pressed(events) == [(keys.KEY_A, 1), (keys.KEY_A, 0)]


def test_a_byte_is_sent_again_when_the_device_asks_for_it() -> None:
    machine = Machine()
    model = KeyboardModel()
    I8042(machine, model)

    async def body(controller: Controller) -> None:
        port = controller.ports[0]
        model.resend = 2
        await port.command(0xED, 7)
        assert (model.log, model.leds) == ([0xED, 0xED, 0xED, 7], 7)
        model.resend = 3
        with pytest.raises(DeviceError, match="refuses 0xed with 0xfe"):
            await port.command(0xED, 7)
        model.refuse = 0xF2
        with pytest.raises(DeviceError, match="refuses 0xf2 with 0xfc"):
            await port.command(0xF2, replies=2)

    with_ports(machine, body)


def test_a_port_with_nobody_at_it_is_told_by_a_timeout() -> None:
    machine = Machine()
    I8042(machine, KeyboardModel())

    async def body(controller: Controller) -> None:
        begun = now()
        with pytest.raises(DeviceTimeout, match=r"PS/2 port 2: no answer.*acknowledgement of 0xff"):
            await Ps2Mouse(controller.ports[1], lambda event: None).start()
        assert now() - begun < 1e9

    with_ports(machine, body)


def test_a_keyboard_that_says_nothing_of_itself_is_a_keyboard() -> None:
    machine = Machine()
    I8042(machine, KeyboardModel(identity=b""))

    async def body(controller: Controller) -> None:
        keyboard = Ps2Keyboard(controller.ports[0], lambda event: None)
        await keyboard.start()
        assert keyboard.identity == b""

    with_ports(machine, body)


def test_something_else_at_the_port_is_no_keyboard() -> None:
    machine = Machine()
    I8042(machine, KeyboardModel(identity=b"\x00\x00"))

    async def body(controller: Controller) -> None:
        with pytest.raises(DeviceError, match="no keyboard: 00 00"):
            await Ps2Keyboard(controller.ports[0], lambda event: None).start()

    with_ports(machine, body)


@pytest.mark.parametrize("broken_interrupts", [False, True])
def test_answers_come_even_if_interrupts_are_lost(broken_interrupts: bool) -> None:
    machine = Machine()
    chip = I8042(machine, KeyboardModel())
    chip.broken_interrupts = broken_interrupts

    async def body(controller: Controller) -> None:
        assert await controller.ports[0].command(0xF2, replies=2) == b"\xab\x41"

    with_ports(machine, body)


def test_spurious_interrupts_do_nothing() -> None:
    machine = Machine()
    model = KeyboardModel()
    I8042(machine, model)
    events: list[Event] = []

    async def body(controller: Controller) -> None:
        await Ps2Keyboard(controller.ports[0], events.append).start()
        for _ in range(3):
            machine.lines[1].pulse()
            machine.lines[12].pulse()
            await settle()
        model.type("1c")
        await settle()

    with_ports(machine, body)
    assert pressed(events) == [(keys.KEY_A, 1)]


def test_bytes_with_parity_errors_are_counted_and_dropped() -> None:
    machine = Machine()
    model = KeyboardModel()
    chip = I8042(machine, model)
    events: list[Event] = []

    async def body(controller: Controller) -> None:
        await Ps2Keyboard(controller.ports[0], events.append).start()
        chip.parity_errors = 1
        model.type("32")
        await settle()
        model.type("1c")
        await settle()
        assert controller.dropped == 1

    with_ports(machine, body)
    assert pressed(events) == [(keys.KEY_A, 1)]


# Controllers


def start(machine: Machine) -> Controller:
    controller = Controller(machine)
    try:
        run(controller.start)
    finally:
        controller.close()
    assert machine.leaks() == []
    return controller


def test_no_controller_is_no_port() -> None:
    assert start(Machine()).ports == []


def test_a_controller_with_one_port_has_one() -> None:
    machine = Machine()
    I8042(machine, KeyboardModel(), second=False)
    assert [port.number for port in start(machine).ports] == [0]


def test_what_the_firmware_left_in_the_buffer_is_thrown_away() -> None:
    machine = Machine()
    chip = I8042(machine, KeyboardModel())
    chip.output.extend([(0x1C, False)] * 5)
    assert len(start(machine).ports) == 2


def test_the_configuration_is_what_the_ports_need() -> None:
    machine = Machine()
    chip = I8042(machine, KeyboardModel(), MouseModel())
    start(machine)
    assert chip.configuration == 0b0100_0011


def test_a_failed_self_test_is_an_error() -> None:
    machine = Machine()
    I8042(machine).self_test = 0xFC
    with pytest.raises(DeviceError, match="fails its self test: 0xfc"):
        start(machine)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("broken_hangs", "room for a byte to the controller, which was <status"),
        ("broken_silent", "no answer in time: self test"),
        ("broken_always_full", "buffer is never empty"),
    ],
)
def test_a_controller_that_does_not_answer_is_an_error(fault: str, message: str) -> None:
    machine = Machine()
    setattr(I8042(machine), fault, True)
    with pytest.raises(DeviceError, match=message):
        start(machine)


def test_a_port_that_does_not_work_is_left_out(warnings: list[str]) -> None:
    machine = Machine()
    chip = I8042(machine, KeyboardModel(), MouseModel())
    chip.port_tests[0] = 3
    assert [port.number for port in start(machine).ports] == [1]
    assert warnings == ["PS/2: port 1 does not work: data stuck low"]
    # The mouse's port interrupts, the other one is off.
    assert chip.configuration == 0b0101_0010


def test_an_interrupt_that_is_taken_leaves_nothing_behind() -> None:
    machine = Machine()
    I8042(machine, KeyboardModel(), MouseModel())
    other = machine.interrupt(12)
    with pytest.raises(OSError, match="has an owner"):
        run(Controller(machine).start)
    other.close()
    assert machine.leaks() == []


def test_a_controller_that_breaks_later_does_not_hold_others_up(warnings: list[str]) -> None:
    machine = Machine()
    chip = I8042(machine, KeyboardModel())

    async def body(controller: Controller) -> None:
        chip.broken_always_full = True
        machine.lines[1].pulse()
        await settle()
        assert warnings == ["PS/2: the controller's buffer is never empty"]
        # The zeros were nobody's.
        assert controller.ports[0].unclaimed == 64
        chip.broken_always_full = False

    with_ports(machine, body)


def test_a_controller_that_is_taken_away_says_nothing_more() -> None:
    machine = Machine()
    chip = I8042(machine, KeyboardModel())

    async def body(controller: Controller) -> None:
        chip.read = lambda offset, width: 0xFF  # type: ignore[method-assign]
        machine.lines[1].pulse()
        await settle()
        assert controller.ports[0].unclaimed == 0
        with pytest.raises(DeviceTimeout):
            await controller.ports[0].command(0xED, 0)

    with_ports(machine, body)


# The mouse


@pytest.mark.parametrize("best", [0, 3, 4])
def test_a_mouse_gives_the_best_packets_it_has(best: int) -> None:
    machine = Machine()
    model = MouseModel(best)
    I8042(machine, KeyboardModel(), model)
    events: list[Event] = []

    async def body(controller: Controller) -> None:
        mouse = Ps2Mouse(controller.ports[1], events.append)
        await mouse.start()
        assert mouse.kind == model.kind == best
        model.move(0x08, 5, 0, *([0x01] if best else []))
        await settle()

    with_ports(machine, body)
    wheel = [Event(EV_REL, REL_WHEEL, -1)] if best else []
    assert events == [Event(EV_REL, REL_X, 5), *wheel, Event(EV_SYN, 0, 0)]


def test_a_mouse_that_is_plugged_in_anew_is_noticed() -> None:
    machine = Machine()
    model = MouseModel(3)
    I8042(machine, KeyboardModel(), model)
    events: list[Event] = []

    async def body(controller: Controller) -> None:
        mouse = Ps2Mouse(controller.ports[1], events.append)
        await mouse.start()
        model.say(0xAA, 0x00)
        await mouse.plugged_in.wait()
        await mouse.start()
        model.move(0x08, 1, 0, 0)
        await settle()

    with_ports(machine, body)
    assert events == [Event(EV_REL, REL_X, 1), Event(EV_SYN, 0, 0)]


@pytest.mark.parametrize(
    ("answer", "message"), [(b"\xfc\x00", "fails its self test"), (b"\xaa\x05", "no mouse: 0x05")]
)
def test_a_mouse_that_is_none_is_an_error(answer: bytes, message: str) -> None:
    machine = Machine()
    model = MouseModel()
    model.self_test = answer
    I8042(machine, None, model)

    async def body(controller: Controller) -> None:
        with pytest.raises(DeviceError, match=message):
            await Ps2Mouse(controller.ports[1], lambda event: None).start()

    with_ports(machine, body)


def test_typematic_takes_the_nearest_there_is() -> None:
    assert typematic(250, 30.0) == 0x00
    assert typematic(1000, 2.0) == 0x7F
    assert typematic(500, 10.9) == 0x2B
    assert typematic(10_000, 0.1) == 0x7F

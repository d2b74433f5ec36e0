"""The machine's own console: what is printed is on the screen, what is typed reaches the program.

A service that starts with the machine if that has a frame buffer of the boot loader's, or
`ovum.devices` on its command line. It takes the best display there is, a PS/2 keyboard and mouse if
they are there, and does without what is not. `ovum.keyboard=de` chooses the layout.
"""

from __future__ import annotations

import _kernel

from ovum.drivers import manager
from ovum.drivers.display.boot import boot_framebuffer
from ovum.drivers.display.parser import Terminal
from ovum.drivers.display.textconsole import PixelSurface, TextConsole, VgaSurface
from ovum.drivers.display.vgatext import VgaText
from ovum.drivers.errors import DeviceError
from ovum.drivers.input.events import Event as InputEvent
from ovum.drivers.input.hub import Hub
from ovum.drivers.input.layouts import load
from ovum.drivers.input.terminal import Translator
from ovum.drivers.ps2.controller import Controller
from ovum.drivers.ps2.keyboard import Ps2Keyboard
from ovum.drivers.ps2.mouse import Ps2Mouse
from ovum.services.log import INFO, WARNING, log
from ovum.services.tasks import Event, Group, checkpoint, now, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.display.framebuffer import Framebuffer
    from ovum.drivers.display.textconsole import Surface
    from ovum.drivers.ps2.port import Port
    from ovum.drivers.virtio.input import VirtioInput
    from ovum.services.main import Machine

FRAME_S = 0.02
"""The shortest time between two pictures."""

SHARE = 3
"""Drawing takes at most one part in so many and one of the machine's time."""

PIECE = 1024
"""Bytes that are looked at before others have their turn."""

hub = Hub()
"""Events of all keyboards and mice."""


def options(command_line: str) -> dict[str, str]:
    """The kernel's words, as far as `--`; of `key` alone the value is ""."""
    words = f" {command_line} ".partition(" -- ")[0].split()
    return {key: value for key, _, value in (word.partition("=") for word in words)}


class Console:
    """One display, one terminal, the input devices."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._info = _kernel.boot_info()
        self._options = options(self._info["command_line"])
        self._grown = Event("screen")
        self._leds = Event("lamps")
        self.framebuffer: Framebuffer | None = None
        """What the console draws on, if it has pixels."""
        self.terminal: Terminal | None = None
        self.translator = Translator(load("us"))

    async def run(self) -> None:
        """For good; ends at once if there is neither a display nor an input device."""
        name = self._options.get("ovum.keyboard", "us")
        try:
            self.translator = Translator(load(name))
        except ValueError as error:
            log(WARNING, f"ovum.keyboard: {error}")
        hub.listen(self._typed)
        async with Group() as group:
            group.start(self._input)
            group.start(self._display)
            if "ovum.devices" in self._options:
                await manager.manager().start()
                for device in manager.find("input"):
                    group.start(self._relay, device, name=device.name)

    # The screen

    async def _display(self) -> None:
        """The boot loader's frame buffer, else an adapter whose mode can be set, else text."""
        devices = manager.manager()
        try:
            self.framebuffer = boot_framebuffer(devices.hardware, self._info.get("framebuffer"))
        except (DeviceError, OSError) as error:
            log(WARNING, f"display: not used: {error}")
        if self.framebuffer is None:
            await devices.start()
            self.framebuffer = self._set_mode()
        if self.framebuffer is not None:
            log(INFO, f"display: {self.framebuffer!r}")
            self.framebuffer.copy = _kernel.copy
            await self._mirror(PixelSurface(self.framebuffer))
            return
        try:
            text = VgaSurface(VgaText(devices.hardware))
        except (DeviceError, OSError) as error:
            log(INFO, f"display: none: {error}")
            return
        log(INFO, "display: VGA text")
        await self._mirror(text)

    @staticmethod
    def _set_mode() -> Framebuffer | None:
        for display in manager.find("display"):
            try:
                framebuffer: Framebuffer = display.set_mode(*display.preferred)
                return framebuffer
            except (DeviceError, OSError, ValueError) as error:
                log(WARNING, f"display: {error}")
        return None

    async def _mirror(self, surface: Surface) -> None:
        """Shows what the console has shown and will show."""
        terminal = self.terminal = Terminal(surface.columns, surface.rows)
        # Without a terminal, what a program writes has line feeds alone.
        linked = self._options.get("ovum.link") == "mux"
        terminal.grid.newline_mode = linked and "1" not in self._options.get("ovum.tty", "")
        if not linked:
            set_terminal_size(surface.columns, surface.rows)
        view = TextConsole(terminal.grid, surface)
        self._machine.events.screen_grown = self._grown.set
        position = 0
        while True:
            self._grown.clear()
            data, position = _kernel.read_screen(position)
            if data or not view.cells:
                begun = now()
                # In small steps: others must not wait for a picture.
                for at in range(0, len(data), PIECE):
                    terminal.feed(data[at : at + PIECE])
                    await checkpoint()
                for _ in view.steps():
                    await checkpoint()
                self.translator.application_cursor = terminal.grid.application_cursor
                # Over a link the host's terminal answers.
                if terminal.replies and not linked:
                    _kernel.type_keys(terminal.replies)
                terminal.replies.clear()
                await sleep(max(FRAME_S, SHARE * (now() - begun) / 1e9))
            await self._grown.wait()

    # Keyboard and mouse

    def _typed(self, device: str, event: InputEvent) -> None:
        leds = self.translator.keyboard.leds
        data = self.translator.feed(event)
        if data:
            _kernel.type_keys(data)
        if self.translator.keyboard.leds != leds:
            self._leds.set()

    async def _relay(self, device: VirtioInput) -> None:
        """The events of a device that has none of the controller's ports."""
        try:
            while True:
                for kind, code, value in await device.read_events():
                    hub.publish(device.name, InputEvent(kind, code, value, now()))
        except DeviceError as error:
            log(INFO, f"{device.name}: {error}")

    async def _input(self) -> None:
        controller = Controller(manager.manager().hardware)
        try:
            ports = await controller.start()
        except (DeviceError, OSError) as error:
            log(WARNING, f"PS/2: not used: {error}")
            return
        if not ports:
            log(INFO, "PS/2: no controller")
        try:
            async with Group() as group:
                for port in ports:
                    group.start(controller.listen, port)
                    group.start((self._keyboard, self._mouse)[port.number], port)
        finally:
            controller.close()

    async def _keyboard(self, port: Port) -> None:
        keyboard = Ps2Keyboard(port, lambda event: hub.publish("keyboard", event))
        try:
            await keyboard.start()
            log(INFO, f"PS/2 keyboard: {keyboard.identity.hex(' ') or 'it says nothing of itself'}")
            await keyboard.set_typematic(500, 25)
            while True:
                self._leds.clear()
                await keyboard.set_leds(self.translator.keyboard.leds)
                await self._leds.wait()
        except DeviceError as error:
            log(INFO, f"PS/2 keyboard: {error}")

    async def _mouse(self, port: Port) -> None:
        mouse = Ps2Mouse(port, lambda event: hub.publish("mouse", event))
        try:
            while True:
                await mouse.start()
                log(INFO, f"PS/2 mouse: kind {mouse.kind}")
                await mouse.plugged_in.wait()
        except DeviceError as error:
            log(INFO, f"PS/2 mouse: {error}")


def set_terminal_size(columns: int, rows: int) -> None:
    """The terminal is as large as the screen, and programs are told."""
    import fcntl
    import os
    import termios

    terminal = os.open("/dev/console", os.O_RDWR | os.O_NOCTTY)
    try:
        size = rows.to_bytes(2, "little") + columns.to_bytes(2, "little") + bytes(4)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    finally:
        os.close(terminal)


async def run(machine: Machine) -> None:
    """The service."""
    await Console(machine).run()

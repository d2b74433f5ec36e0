"""A person at the screen and the keyboard: what is printed is seen, what is typed arrives.

Pictures are QEMU's screendumps, read back by the glyphs of the font.
"""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from tests.host.drivers.pictures import read_ppm, read_text

from . import machine
from .conftest import HELLO
from .qmp import Controlled, controlled

WORDS = "ovum.devices"

UP = """\
import time
from ovum.services.log import dmesg
def found():
    return [line for line in dmesg().splitlines() if 'PS/2' in line or 'display: ' in line]
while True:
    text = str(found())
    if 'display: ' in text and (
        'no controller' in text or 'PS/2 keyboard: ' in text and 'PS/2 mouse: ' in text
    ):
        break
    time.sleep(0.02)
print(*found(), sep='\\n', flush=True)
"""
"""What a program does to know that the console is up, and what it has."""

NAMES = {"(": "shift-9", ")": "shift-0", "*": "shift-8", "\n": "ret", " ": "spc", ".": "dot",
         "_": "shift-minus", "↑": "up"}  # fmt: skip
"""What QEMU calls the keys of a US keyboard that make these."""


@pytest.fixture(scope="module")
def prompt_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that shows a prompt."""
    image = tmp_path_factory.mktemp("prompt") / "prompt.elf"
    machine.command("build", "-e", "PYTHONINSPECT=1", "-c", UP, "-o", image).expect()
    return image


class Watched:
    """A guest whose serial port is read, looking for words in any order."""

    def __init__(self, guest: Controlled) -> None:
        self.guest = guest
        self.seen = ""

    async def sees(self, *words: str) -> str:
        """Everything that was printed so far, once all these words are in it."""
        stdout = self.guest.process.stdout
        assert stdout is not None
        end = time.monotonic() + machine.LIMIT_S
        while not all(word in self.seen for word in words):
            missing = [word for word in words if word not in self.seen]
            try:
                data = await asyncio.wait_for(stdout.read(65536), end - time.monotonic())
            except TimeoutError:
                data = b""
            assert data, f"nothing more, and no {missing} in\n{self.seen}"
            self.seen += data.decode(errors="replace")
        return self.seen

    async def types(self, text: str) -> None:
        """Presses and releases keys of a US keyboard. The prompt answers to each with output: what
        is typed faster than that would be lost, since a controller keeps 16 bytes."""
        stdout = self.guest.process.stdout
        assert stdout is not None
        for character in text:
            for down in (True, False):
                await self.keys(NAMES.get(character, character), down)
            data = await asyncio.wait_for(stdout.read(65536), machine.LIMIT_S)
            assert data, f"the machine has ended after\n{self.seen}"
            self.seen += data.decode(errors="replace")

    async def keys(self, name: str, down: bool) -> None:
        names = name.split("-")
        for key in names if down else reversed(names):
            await self.sends(
                {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}
            )

    async def sends(self, *events: dict[str, object]) -> None:
        await self.guest.control.execute("input-send-event", {"events": list(events)})

    async def picture(self, folder: Path) -> str:
        """What can be read on the screen."""
        file = folder / "screen.ppm"
        await self.guest.control.execute("screendump", {"filename": str(file)})
        return read_text(*read_ppm(file.read_bytes()))

    async def shows(self, folder: Path, *words: str) -> str:
        """The screen's text, once all these words are in it. There is no event to wait for."""
        end = time.monotonic() + machine.LIMIT_S
        while True:
            text = await self.picture(folder)
            if all(word in text for word in words):
                return text
            assert time.monotonic() < end, f"no {words} on the screen:\n{text}"
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", ["pc", "q35"])
def test_the_prompt_is_used_at_screen_and_keyboard(
    kind: str, prompt_elf: Path, tmp_path: Path
) -> None:
    async def main() -> None:
        words = ("-M", kind, "-vga", "std", "-append", WORDS)
        async with controlled(prompt_elf, *words) as guest:
            watched = Watched(guest)
            await watched.sees("PS/2 keyboard: ab 41", "<frame buffer 1280x800, 32 bits>", ">>> ")
            await watched.types("print(6*7)\n")
            await watched.sees("42\r\n")
            await watched.shows(tmp_path, "PS/2 keyboard: ab 41", ">>> print(6*7)\n42\n>>>")
            # The prompt knows how wide the screen is.
            await watched.types("import os\n")
            await watched.types("os.get_terminal_size()\n")
            await watched.shows(tmp_path, "columns=160, lines=50")
            # Arrows: the line before comes back. Control-D ends the program, and the machine.
            await watched.types("↑↑↑")
            await watched.types("\n")
            await watched.shows(tmp_path, "columns=160", ">>> print(6*7)\n42\n>>>")
            await watched.keys("ctrl-d", True)
            assert await guest.end() == 0

    asyncio.run(main())


MOUSE = """\
import queue
from ovum.drivers.console import hub
events = queue.SimpleQueue()
hub.listen(lambda device, event: events.put((device, event)))
print('listening', flush=True)
while True:
    device, event = events.get()
    print(device, event.type, event.code, event.value, flush=True)
"""


def test_a_mouse_moves_clicks_and_turns_its_wheel(tmp_path: Path) -> None:
    image = tmp_path / "mouse.elf"
    machine.command("build", "-c", UP + MOUSE, "-o", image).expect()

    async def main() -> None:
        async with controlled(image, "-M", "pc", "-append", WORDS) as guest:
            watched = Watched(guest)
            await watched.sees("PS/2 mouse: kind 4", "listening")
            for axis, value, expected in (
                ("x", 7, "2 0 7"),
                ("x", -3, "2 0 -3"),
                ("y", 5, "2 1 5"),
            ):
                await watched.sends({"type": "rel", "data": {"axis": axis, "value": value}})
                await watched.sees(f"mouse {expected}\r\n")
            for button, code in (("left", 0x110), ("right", 0x111), ("middle", 0x112),
                                 ("side", 0x113), ("extra", 0x114)):  # fmt: skip
                for down in (True, False):
                    await watched.sends({"type": "btn", "data": {"down": down, "button": button}})
                    await watched.sees(f"mouse 1 {code} {int(down)}\r\n")
            for button, value in (("wheel-up", 1), ("wheel-down", -1)):
                await watched.sends({"type": "btn", "data": {"down": True, "button": button}})
                await watched.sees(f"mouse 2 8 {value}\r\n")
            await watched.keys("a", True)
            await watched.keys("a", False)
            await watched.sees("keyboard 1 30 1\r\n", "keyboard 1 30 0\r\n")

    asyncio.run(main())


@pytest.mark.parametrize(("layout", "typed"), [("de", "yäß"), ("fr", "w%)")])
def test_the_command_line_chooses_a_layout(layout: str, typed: str, tmp_path: Path) -> None:
    image = tmp_path / "input.elf"
    source = UP + "print('got ' + ascii(input('ready ')))"
    machine.command("build", "-c", source, "-o", image).expect()

    async def main() -> None:
        append = f"{WORDS} ovum.keyboard={layout}"
        async with controlled(image, "-M", "pc", "-append", append) as guest:
            watched = Watched(guest)
            await watched.sees("ready ")
            shift = "shift-" if layout == "fr" else ""
            for key in ("z", f"{shift}apostrophe", "minus", "ret"):
                await watched.keys(key, True)
                await watched.keys(key, False)
            await watched.sees(f"got {typed!a}\r\n")

    asyncio.run(main())


def _disc(folder: Path, image: Path) -> Path:
    tree = folder / "tree"
    (tree / "boot" / "grub").mkdir(parents=True)
    (tree / "boot" / "app.elf").hardlink_to(image)
    (tree / "boot" / "grub" / "grub.cfg").write_text(
        "insmod all_video\nset timeout=0\nmenuentry ovum {\n  multiboot2 /boot/app.elf\n}\n"
    )
    machine.require("mformat")
    machine.require("xorriso")
    made = folder / "ovum.iso"
    subprocess.run(
        [machine.require("grub-mkrescue"), "-o", made, tree], check=True, capture_output=True
    )
    return made


def test_what_grub_has_set_up_is_used_without_a_word(prompt_elf: Path, tmp_path: Path) -> None:
    """Its mode is GRUB's own choice (800x600 with 24 bits of QEMU's adapter)."""
    disc = _disc(tmp_path, prompt_elf)

    async def main() -> None:
        async with controlled(None, "-M", "pc", "-cpu", "max", "-cdrom", str(disc)) as guest:
            watched = Watched(guest)
            await watched.sees("display: <frame buffer ", ">>> ")
            await watched.types("print(6*7)\n")
            await watched.shows(tmp_path, ">>> print(6*7)\n42\n>>>")

    asyncio.run(main())


def test_vga_text_is_the_last_resort(prompt_elf: Path, tmp_path: Path) -> None:
    async def main() -> None:
        words = ("-M", "pc", "-vga", "cirrus", "-append", WORDS)
        async with controlled(prompt_elf, *words) as guest:
            watched = Watched(guest)
            await watched.sees("display: VGA text", ">>> ")
            await watched.types("print(6*7)\n")
            await watched.sees("42\r\n")
            file = tmp_path / "memory"
            end = time.monotonic() + machine.LIMIT_S
            text = ""
            while ">>> print(6*7)\n42\n>>>" not in text:
                assert time.monotonic() < end, text
                where = {"val": 0xB8000, "size": 4000, "filename": str(file)}
                await guest.control.execute("pmemsave", where)
                cells = file.read_bytes()[::2].decode("cp437")
                text = "\n".join(cells[at : at + 80].rstrip() for at in range(0, 2000, 80))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-M", "microvm"), ("PS/2: no controller", "display: none: there is no VGA")),
        (("-M", "q35,i8042=off"), ("PS/2: no controller", "display: <frame buffer")),
        (("-M", "pc", "-vga", "none"), ("PS/2 keyboard: ab 41", "display: none: there is no VGA")),
    ],
)
def test_a_machine_does_without_what_is_not_there(
    words: tuple[str, ...], expected: tuple[str, ...], prompt_elf: Path
) -> None:
    async def main() -> None:
        async with controlled(prompt_elf, *words, "-append", WORDS) as guest:
            watched = Watched(guest)
            seen = await watched.sees(*expected, ">>> ")
            assert "Traceback" not in seen
            await guest.write("print(6*7)\r")
            await watched.sees("42\r\n")

    asyncio.run(main())


def test_a_virtio_keyboard_reaches_the_prompt(prompt_elf: Path) -> None:
    """On a machine that has no other."""

    async def main() -> None:
        words = ("-M", "microvm,acpi=off", "-device", "virtio-keyboard-device", "-append", WORDS)
        async with controlled(prompt_elf, *words) as guest:
            watched = Watched(guest)
            await watched.sees(">>> ")
            await guest.write("from ovum.drivers import manager; manager.start()\r")
            await guest.write("print(manager.find('input')[0].name, 'is up')\r")
            await watched.sees("0xfeb00e00 is up")
            await watched.types("print(6*7)\n")
            await watched.sees("42\r\n")

    asyncio.run(main())


def test_a_program_may_end_before_the_console_is_up(hello_elf: Path) -> None:
    result = machine.qemu("-M", "pc", "-m", "256", "-kernel", hello_elf, "-append", "ovum.devices")
    assert HELLO in result.expect().out
    assert "Traceback" not in result.out


DRAWING = """\
import sys
import numpy as np
from PIL import Image, ImageDraw
from ovum.drivers import manager

manager.start()
(display,) = manager.find("display")
screen = display.set_mode(320, 200)
pixels = np.frombuffer(screen.view, np.uint8).reshape(screen.height, screen.width, 4)
y, x = np.mgrid[: screen.height, : screen.width]
pixels[..., 0], pixels[..., 1], pixels[..., 2] = x % 256, y % 256, (x ^ y) % 256
# The same memory to Pillow, whose colours are then blue, green, red.
size = screen.width, screen.height
image = Image.frombuffer("RGBX", size, screen.view, "raw", "RGBX", 0, 1)
image.readonly = 0
ImageDraw.Draw(image).rectangle((100, 50, 199, 99), fill=(10, 20, 30, 0))
screen.damage(0, 0, *size)
screen.commit()
# Not committed: it is not seen.
pixels[:] = 255
pixels[150:160, 10:20] = 1, 2, 3, 0
screen.commit([(10, 150, 10, 10)])
print("drawn", flush=True)
sys.stdin.readline()
"""


def expected_pixel(x: int, y: int) -> bytes:
    """Red, green and blue."""
    if 10 <= x < 20 and 150 <= y < 160:
        return bytes([3, 2, 1])
    if 100 <= x < 200 and 50 <= y < 100:
        return bytes([30, 20, 10])
    return bytes([(x ^ y) % 256, y % 256, x % 256])


def test_numpy_and_pillow_draw_into_the_frame_buffer(tmp_path: Path) -> None:
    image = tmp_path / "drawing.elf"
    versions = (Path(__file__).parent / "wheels" / "versions.txt").read_text().splitlines()
    wanted = [line for line in versions if line.startswith(("numpy==", "pillow=="))]
    packages = [word for line in wanted for word in ("--with", line)]
    machine.command("build", *packages, "-c", DRAWING, "-o", image, limit_s=250).expect()

    async def main() -> None:
        words = ("-M", "pc", "-vga", "std", "-cpu", "max,-avx2", "-m", "512")
        async with controlled(image, *words) as guest:
            await Watched(guest).sees("drawn")
            file = tmp_path / "screen.ppm"
            await guest.control.execute("screendump", {"filename": str(file)})
        pixels, width, height = read_ppm(file.read_bytes())
        assert (width, height) == (320, 200)
        for y in range(height):
            line = b"".join(expected_pixel(x, y) for x in range(width))
            assert pixels[3 * width * y : 3 * width * (y + 1)] == line, y

    asyncio.run(main())

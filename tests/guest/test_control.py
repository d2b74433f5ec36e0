"""QEMU's controls: power, pausing, screendumps."""

import asyncio
from pathlib import Path

import pytest

from . import machine
from .qmp import controlled

TALKER = """\
import sys, time
print('ready', flush=True)
for line in sys.stdin:
    before = time.monotonic()
    time.sleep(0.2)
    print('slept', time.monotonic() - before, 'at', before, time.time(), flush=True)
"""


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that sleeps and tells the time whenever a line is typed."""
    folder = tmp_path_factory.mktemp("talker")
    (folder / "main.py").write_text(TALKER)
    machine.command("build", folder / "main.py", "-o", folder / "talker.elf").expect()
    return folder / "talker.elf"


def _slept(line: str) -> tuple[float, float]:
    words = line.split()
    return float(words[words.index("slept") + 1]), float(words[words.index("at") + 1])


def test_a_guest_is_powered_off_from_outside(talker: Path) -> None:
    async def main() -> None:
        async with controlled(talker) as guest:
            await guest.read_until("ready\r\n")
            assert await guest.state() == "running"
            await guest.control.execute("quit")
            assert await guest.end() == 0

    asyncio.run(main())


def test_a_guest_that_ends_shuts_the_machine_down(talker: Path) -> None:
    async def main() -> None:
        async with controlled(talker, "-no-shutdown") as guest:
            await guest.read_until("ready\r\n")
            await guest.write("\x04")
            await guest.event("SHUTDOWN")
            assert await guest.state() == "shutdown"

    asyncio.run(main())


def test_a_reset_boots_again(talker: Path) -> None:
    async def main() -> None:
        async with controlled(talker) as guest:
            await guest.read_until("ready\r\n")
            await guest.control.execute("system_reset")
            await guest.read_until("ready\r\n")
            await guest.write("x\r")
            await guest.read_until("slept")

    asyncio.run(main())


def test_time_goes_on_after_a_pause(talker: Path) -> None:
    async def main() -> None:
        async with controlled(talker) as guest:
            await guest.read_until("ready\r\n")
            await guest.write("x\r")
            await guest.read_until("slept")
            _, first = _slept("slept" + await guest.read_until("\r\n"))
            # In the middle of a sleep: the echo shows that the line has been taken.
            await guest.write("y\r")
            await guest.read_until("y\r\n")
            await guest.control.execute("stop")
            assert await guest.state() == "paused"
            await asyncio.sleep(1)
            await guest.control.execute("cont")
            await guest.read_until("slept")
            slept, second = _slept("slept" + await guest.read_until("\r\n"))
            assert slept >= 0.2
            assert second > first
            await guest.write("z\r")
            await guest.read_until("slept")
            slept, third = _slept("slept" + await guest.read_until("\r\n"))
            assert 0.2 <= slept < 5
            assert third > second

    asyncio.run(main())


@pytest.mark.parametrize("name", ["pc", "q35"])
def test_the_screen_can_be_dumped(name: str, talker: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with controlled(talker, "-M", name, "-vga", "std") as guest:
            await guest.read_until("ready\r\n")
            picture = tmp_path / "screen.ppm"
            await guest.control.execute("screendump", {"filename": str(picture)})
            kind, size, depth = picture.read_bytes().split(b"\n", 3)[:3]
            assert (kind, depth) == (b"P6", b"255")
            width, height = map(int, size.split())
            assert picture.stat().st_size == len(kind + size + depth) + 3 + 3 * width * height
            await guest.control.execute(
                "screendump", {"filename": f"{picture}.png", "format": "png"}
            )
            assert (tmp_path / "screen.ppm.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"

    asyncio.run(main())

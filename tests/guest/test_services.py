"""The life of services: what is lazy, how a machine ends, the power button."""

import asyncio
import re
from pathlib import Path

import pytest

from . import machine
from .qmp import controlled

EXAMPLES = Path(__file__).parents[2] / "examples"

PSUTIL = "psutil==7.2.2"
"""A wheel with a native library."""

MOUNTED = """\
import os, sys
from ovum.services import vfs
class Told(vfs.MemoryFileSystem):
    async def sync(self):
        root = await self.root()
        for name, node in root.names.items():
            print(name, bytes(node.content), file=sys.stderr, flush=True)
    async def unmounted(self):
        print('unmounted', file=sys.stderr, flush=True)
os.mkdir('/mnt/told')
vfs.mount('/mnt/told', Told())
"""


def test_services_start_when_they_are_needed() -> None:
    source = (
        "import sys, _kernel, time\n"
        "time.sleep(0.1)\n"
        "print([name for name in sys.modules if name.startswith('ovum')])\n"
        "from ovum.services import vfs\n"
        "print(vfs.mounts())\n"
    )
    assert machine.code(source).expect().out == "[]\n[('/proc', 'proc', 'rw')]\n"


def test_services_load_no_library_when_they_start() -> None:
    # An application that holds the dynamic linker's lock may be waiting for them.
    source = (
        "import sys, time\n"
        "before = set(sys.modules)\n"
        "import ovum.services.main\n"
        "new = [sys.modules[name] for name in set(sys.modules) - before]\n"
        "print([m.__name__ for m in new if str(getattr(m, '__file__', '')).endswith('.so')])\n"
    )
    assert machine.code(source).expect().out == "[]\n"


def test_what_a_program_leaves_open_is_written_before_its_file_system_is_unmounted() -> None:
    source = (
        MOUNTED
        + "import atexit\n"
        + "file = open('/mnt/told/file', 'w')\n"
        + "file.write('left in a buffer, ')\n"
        + "atexit.register(lambda: file.write('and at exit'))\n"
    )
    lines = machine.code(source).expect().err.splitlines()
    written = "file b'left in a buffer, and at exit'"
    assert [line for line in lines if not line.startswith("ovum:")][:1] == [written], lines
    assert lines[-1] == "unmounted"


def test_an_uncaught_exception_loses_nothing_either() -> None:
    source = (
        MOUNTED + "file = open('/mnt/told/file', 'w')\nfile.write('kept')\nraise SystemExit(3)\n"
    )
    assert "file b'kept'\n" in machine.code(source).expect(3).err


def test_an_end_that_takes_too_long_is_named_and_left() -> None:
    source = (
        "import os\n"
        "from ovum.services import main, tasks\n"
        "main.END_S = 0.3\n"
        "main.services().services.at_end('the slow one', tasks.sleep_forever)\n"
    )
    err = machine.run("-v", "-c", source).expect().err
    assert "end of the machine: the slow one is not through after 0.1" in err


TELLS = """\
import atexit, signal, sys, time
{handler}
atexit.register(lambda: print('at exit', flush=True))
print('ready', flush=True)
{wait}
"""

HANDLES = "signal.signal(signal.SIGTERM, lambda *_: (print('term', flush=True), sys.exit(5)))"


@pytest.mark.parametrize("board", ["pc", "q35"])
@pytest.mark.parametrize(
    ("handler", "expected"), [("", ["at exit"]), (HANDLES, ["term", "at exit"])]
)
def test_the_power_button_ends_a_program_cleanly(
    tmp_path: Path, handler: str, expected: list[str], board: str
) -> None:
    program = tmp_path / "main.py"
    program.write_text(TELLS.format(handler=handler, wait="time.sleep(1000)"))
    machine.command("build", program, "-o", tmp_path / "waits.elf").expect()

    async def main() -> None:
        async with controlled(tmp_path / "waits.elf", "-machine", board) as guest:
            await guest.read_until("ready\r\n")
            await guest.control.execute("system_powerdown")
            for line in expected:
                await guest.read_until(f"{line}\r\n")
            assert await guest.end() == 0

    asyncio.run(main())


def test_a_wheel_is_imported_from_an_archive() -> None:
    """Its native library, too: the dynamic linker maps it from the mount."""
    source = (
        "import os, sys, zipfile\n"
        "packages = next(path for path in sys.path if path.endswith('site-packages'))\n"
        "with zipfile.ZipFile('/tmp/a.whl', 'w', zipfile.ZIP_DEFLATED) as wheel:\n"
        "    for folder, _, files in os.walk(f'{packages}/psutil'):\n"
        "        for name in files:\n"
        "            path = os.path.join(folder, name)\n"
        "            wheel.write(path, os.path.relpath(path, packages))\n"
        "from ovum.services import vfs\n"
        "from ovum.services.vfs.zip import ZipFileSystem\n"
        "vfs.mount('/mnt', ZipFileSystem('/tmp/a.whl'))\n"
        "sys.path.remove(packages)\n"
        "sys.path.insert(0, '/mnt')\n"
        "import psutil\n"
        "print(psutil.__file__, psutil._pslinux.cext.__file__.rpartition('/')[0])\n"
        "print(psutil.Process().pid == os.getpid(), psutil.cpu_count())\n"
    )
    result = machine.run("--with", PSUTIL, "-c", source)
    assert result.expect().out == "/mnt/psutil/__init__.py /mnt/psutil\nTrue 1\n"


def test_the_example_of_a_file_system() -> None:
    result = machine.run(EXAMPLES / "jsonfs.py").expect()
    assert sorted(result.out.splitlines()) == [
        "/mnt/name = ovum",
        "/mnt/sizes/0 = 30",
        "/mnt/sizes/1 = 8000",
        "/mnt/small = true",
    ]


def test_what_is_open_when_a_program_ends_is_stored_and_closed() -> None:
    source = (
        "import os, sys\n"
        "from ovum.services import vfs\n"
        "class Stored(vfs.MemoryFileSystem):\n"
        "    async def unmounted(self):\n"
        "        file = self.top.names['file']\n"
        "        print(bytes(file.content), file.opened, file=sys.stderr, flush=True)\n"
        "vfs.mount('/mnt', Stored())\n"
        "raw = os.open('/mnt/file', os.O_WRONLY | os.O_CREAT)\n"
        "os.write(raw, b'raw')\n"
        "file = open('/mnt/file', 'a')\n"
        "file.write(', buffered')\n"
    )
    # Nothing is said of the files that Python closes when the services have ended.
    assert machine.code(source).expect().err == "b'raw, buffered' 0\n"


def test_stages_of_the_start_are_logged_in_order_with_their_times() -> None:
    err = machine.run("-v", "-c", "from ovum.services import vfs; vfs.mounts()").expect().err
    # The host's time in brackets may come first.
    lines = re.findall(r"\[ *(\d+\.\d{6})\] ([^\[].*)", err)
    stamps = [float(stamp) for stamp, _ in lines]
    assert stamps == sorted(set(stamps)), err
    stages = ["clock", "ovum: booted", "memory", "entropy", "files", "starting /init"]
    stages += [r"services: up in [\d.]+ ms", r"services ended in [\d.]+ ms"]
    found = [stage for _, text in lines for stage in stages if re.match(stage, text)]
    assert found == stages, err


QUESTIONS = """\
import os, psutil
from ovum.services import vfs
vfs.mount('/mnt', vfs.MemoryFileSystem())
os.chdir('/mnt')
file = open('/mnt/file', 'w')
me = psutil.Process()
told = me.as_dict()
print(told['cwd'], told['status'], told['ionice'].ioclass.value, told['num_threads'] > 0)
print([name for name, value in told.items() if value is None])
print([file.path for file in told['open_files']], len(me.memory_maps(grouped=False)) > 10)
print(psutil.disk_io_counters(), psutil.sensors_battery(), psutil.cpu_count())
"""


def test_psutil_finds_what_it_asks_for() -> None:
    result = machine.run("--with", PSUTIL, "-c", QUESTIONS)
    assert result.expect().out == (
        "/mnt running 0 True\n['terminal']\n['/mnt/file'] True\nNone None 1\n"
    )

"""The base layer: ovum.baselayer, ovum.rootfs and ovum.stdlib together, as a guest finds it."""

import gzip
import io
import marshal
import stat
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from ovum import rootfs, stdlib
from ovum.baselayer import ensure_base
from ovum.cpio import PAGE, Entry, read_archive
from ovum.elf import Elf
from ovum.progress import Progress
from ovum.sysroot import Sysroot
from ovum.toolchain import ensure_kernel
from tests.host.conftest import Run

IMAGE_LIMIT = 30 << 20

Files = dict[str, Entry]


@pytest.fixture(scope="session")
def layer(sysroot: Sysroot, pyhost: Path) -> Path:
    return ensure_base(sysroot, pyhost, Progress())


@pytest.fixture(scope="session")
def files(layer: Path) -> Files:
    return {entry.name: entry for entry, _ in read_archive(layer.read_bytes())}


def content(files: Files, name: str) -> bytes:
    data = files[name].content
    assert isinstance(data, bytes)
    return data


def test_an_image_of_hello_world_is_small_enough(layer: Path) -> None:
    assert ensure_kernel(Progress()).stat().st_size + layer.stat().st_size < IMAGE_LIMIT


def test_it_is_made_once(layer: Path, sysroot: Sysroot, pyhost: Path) -> None:
    before = layer.stat().st_ino
    assert ensure_base(sysroot, pyhost, Progress()).stat().st_ino == before


def test_elf_files_can_be_mapped_in_place(layer: Path) -> None:
    found = 0
    for entry, offset in read_archive(layer.read_bytes()):
        if isinstance(entry.content, bytes) and entry.content[:4] == b"\x7fELF":
            assert offset % PAGE == 0, entry.name
            found += 1
    assert found > 50


def test_the_interpreter_is_where_init_leads(files: Files) -> None:
    assert content(files, "init") == b"usr/bin/python3.13"
    interpreter = files["usr/bin/python3.13"]
    assert stat.S_IMODE(interpreter.mode) == 0o755
    loader = Elf.parse(content(files, "usr/bin/python3.13")).interpreter()
    assert loader == "/lib64/ld-linux-x86-64.so.2"
    assert content(files, "lib64") == b"usr/lib64"
    assert "usr/lib64/ld-linux-x86-64.so.2" in files


def test_every_library_that_something_needs_is_there(files: Files) -> None:
    names = {name.rsplit("/", 1)[1] for name in files if name.startswith(rootfs.LIBRARIES + "/")}
    names.add("ld-linux-x86-64.so.2")
    for name, entry in files.items():
        if isinstance(entry.content, bytes) and entry.content[:4] == b"\x7fELF":
            missing = set(Elf.parse(entry.content).needed()) - names
            assert not missing, f"{name} needs {missing}"


def test_nothing_carries_symbols_that_are_not_needed(files: Files) -> None:
    for name, entry in files.items():
        if isinstance(entry.content, bytes) and entry.content[:4] == b"\x7fELF":
            elf = ELFFile(io.BytesIO(entry.content))
            assert elf.get_section_by_name(".symtab") is None, name
            assert elf.get_section_by_name(".debug_info") is None, name


def test_all_python_is_bytecode_that_is_never_checked(files: Files) -> None:
    assert not [name for name in files if name.endswith(".py")]
    plain = [name for name in files if name.endswith(".pyc")]
    assert f"{stdlib.LIBRARY}/os.pyc" in plain
    for name in plain:
        assert content(files, name)[4:8] == b"\x01\x00\x00\x00", name


def packed_index(pack: bytes) -> dict[str, tuple[int, int, bool]]:
    size = int.from_bytes(pack[:8], "little")
    index: dict[str, tuple[int, int, bool]] = marshal.loads(pack[8 : 8 + size])[0]
    return index


def test_the_packed_file_is_its_index_and_what_it_names(files: Files) -> None:
    pack = content(files, stdlib.PACK)
    places = sorted(set(packed_index(pack).values()))
    assert places[0][0] == 8 + int.from_bytes(pack[:8], "little")
    ends = [offset + size for offset, size, _ in places]
    assert [offset for offset, _, _ in places[1:]] == ends[:-1]
    assert ends[-1] == len(pack)


def test_plain_and_packed_modules_are_the_whole_library(files: Files, sysroot: Sysroot) -> None:
    prefix = stdlib.LIBRARY + "/"
    plain = {name.removeprefix(prefix)[:-1] for name in files if name.endswith(".pyc")}
    packed = packed_index(content(files, stdlib.PACK)).keys()
    assert plain & packed == set()
    assert plain | packed == stdlib.module_files(sysroot).keys()


@pytest.mark.parametrize("module", ["argparse", "email", "http/client", "logging", "typing"])
def test_modules_that_not_every_program_imports_are_packed(files: Files, module: str) -> None:
    assert (
        not {f"{stdlib.LIBRARY}/{module}{end}" for end in (".pyc", "/__init__.pyc")} & files.keys()
    )


@pytest.mark.parametrize("name", ["test", "idlelib", "tkinter", "ensurepip", "_testcapi", "_dbm"])
def test_what_an_image_has_no_use_for_is_left_out(files: Files, name: str) -> None:
    parts = {part.split(".")[0] for path in files for part in path.split("/")}
    assert name not in parts


def test_folders_that_programs_expect(files: Files) -> None:
    for name in ("tmp", "var/tmp", "dev/shm"):
        assert stat.S_IMODE(files[name].mode) == 0o1777, name
    for name in ("proc", "sys", "run", "root", "app", "etc", "dev"):
        assert stat.S_ISDIR(files[name].mode), name


def test_settings_and_data_that_libraries_read(files: Files) -> None:
    assert b"127.0.0.1 localhost" in content(files, "etc/hosts")
    assert b"\nhttp\t" in content(files, "etc/services")
    assert b"BEGIN CERTIFICATE" in content(files, "etc/ssl/certs/ca-certificates.crt")
    assert b"glibc-ld.so.cache" in content(files, "etc/ld.so.cache")
    assert b"libcrypto.so.3" in content(files, "etc/ld.so.cache")
    assert content(files, "usr/share/zoneinfo/Europe/Berlin")[:4] == b"TZif"


def test_every_terminal_that_is_promised_is_described(files: Files) -> None:
    for name in rootfs.TERMINALS:
        # The two formats of terminfo: 16 and 32 bits a number.
        assert content(files, f"usr/share/terminfo/{name[0]}/{name}")[:2] in (
            b"\x1a\x01",
            b"\x1e\x02",
        )


def test_the_licences_of_everything_are_there(files: Files, sysroot: Sysroot) -> None:
    texts = {name: entry for name, entry in files.items() if name.startswith("usr/share/doc/")}
    assert b"MIT License" in content(files, "usr/share/doc/ovum/LICENSE")
    for package in ("libc6", "libssl3t64", "python3.13", "libsqlite3-0", "libgcc-s1"):
        assert package in sysroot.packages
        place = f"usr/share/doc/{package}"
        if stat.S_ISLNK(files[place].mode):
            place = f"usr/share/doc/{content(files, place).decode()}"
        assert gzip.decompress(content(files, f"{place}/copyright.gz"))
    assert len(texts) > 20
    # What a text refers to instead of repeating it, and of a link (GPL is GPL-3) what it leads to.
    common = {name.rpartition("/")[2] for name in files if "/common-licenses/" in name}
    assert {"GPL-2.gz", "GPL-3.gz", "LGPL-2.1.gz", "Apache-2.0.gz"} <= common
    assert "CC-BY-SA-4.0.gz" not in common


def unpack(files: Files, root: Path) -> None:
    for entry in files.values():
        path = root / entry.name
        if stat.S_ISDIR(entry.mode):
            path.mkdir(exist_ok=True)
        elif isinstance(entry.content, bytes) and stat.S_ISLNK(entry.mode):
            path.symlink_to(entry.content.decode())
        elif isinstance(entry.content, bytes):
            path.write_bytes(entry.content)


def test_the_library_works_from_the_layer(files: Files, ours: Run, tmp_path: Path) -> None:
    unpack(files, tmp_path)
    code = "\n".join(
        [
            "import sys",
            "pack = sys.prefix + '/lib/python3.13/stdlib.pack/'",
            "import os, email.mime, asyncio, http.client, ssl, sqlite3, decimal, ctypes, zoneinfo",
            "print(os.__file__.startswith(sys.prefix), email.__file__.startswith(pack))",
            "print('h\\xe9'.encode('cp850'), 'x'.encode('shift_jis'))",
            "import importlib.util, pkgutil, runpy, traceback",
            "print(sorted(m.name for m in pkgutil.iter_modules(email.mime.__path__))[:3])",
            "loader = email.__spec__.loader",
            "print(importlib.util.find_spec('email.nothing'), loader.is_package('email'))",
            "print(importlib.util.find_spec('asyncio.tasks').origin.startswith(pack))",
        ]
    )
    done = ours("-c", code, PYTHONHOME=str(tmp_path / "usr"))
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "True True",
        "b'h\\x82' b'x'",
        "['application', 'audio', 'base']",
        "None True",
        "True",
    ]


def imported(files: Files, ours: Run, root: Path, *code: str) -> list[str]:
    unpack(files, root)
    # Not here, where the package is that the layer was made from.
    home = str(root / "usr")
    done = ours("-c", "import sys\n" + "\n".join(code), cwd=root, PYTHONHOME=home)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_bundle_is_there_as_a_whole_and_its_modules_are_like_others(
    files: Files, ours: Run, tmp_path: Path
) -> None:
    assert imported(
        files,
        ours,
        tmp_path,
        "import ovum.services.tasks, gc",
        "t = ovum.services.tasks",
        "print('ovum.services.tasks.loop' in sys.modules, gc.isenabled())",
        "print(t.loop is sys.modules['ovum.services.tasks.loop'], t.loop.Scheduler is t.Scheduler)",
        "s = t.loop.__spec__",
        "print(s.name, s.parent, t.__spec__.name, t.__spec__.parent, ovum.__spec__.name)",
        "print(t.loop.__file__.endswith('.pack/ovum/services/tasks/loop.py'), t.loop.__doc__[:14])",
        "print(t.loop.__package__, t.__package__, t.__path__ == s.loader.__class__(",
        "    t.__path__[0].rpartition('/')[0]).find_spec(t.__name__).submodule_search_locations)",
        "import importlib, pkgutil",
        "old = t.loop.Scheduler",
        "print(importlib.reload(t.loop).Scheduler is not old)",
        "del sys.modules['ovum.services.tasks.sync']",
        "from ovum.services.tasks.sync import Lock",
        "print(Lock is not t.Lock, s.loader.get_code('ovum.services.tasks.sync').co_filename[-7:])",
        "print('channel' in [m.name for m in pkgutil.iter_modules(t.__path__)])",
        "print(t.run.__module__)",
        "print(t.sleep.__name__, t.loop.__name__, t.Event.__module__)",
    )[1:] == [
        "True True",
        "ovum.services.tasks.loop ovum.services.tasks ovum.services.tasks ovum.services.tasks ovum",
        "True The scheduler:",
        "ovum.services.tasks ovum.services.tasks True",
        "True",
        "True sync.py",
        "True",
        "ovum.services.tasks.running",
        # A function by the name of the module that it is from.
        "sleep ovum.services.tasks.loop ovum.services.tasks.sync",
    ]


def test_threads_that_import_from_one_bundle_get_the_same_modules(
    files: Files, ours: Run, tmp_path: Path
) -> None:
    assert imported(
        files,
        ours,
        tmp_path,
        "import threading",
        "names = ['loop', 'sync', 'channel', 'scope', 'task', 'group', 'errors', 'current'] * 4",
        "sys.setswitchinterval(1e-5)",
        "barrier = threading.Barrier(len(names))",
        "found = []",
        "def get(name):",
        "    barrier.wait()",
        "    module = __import__(f'ovum.services.tasks.{name}', fromlist=['x'])",
        "    found.append(module is sys.modules[module.__name__] and module.__spec__.name)",
        "threads = [threading.Thread(target=get, args=(name,)) for name in names]",
        "[t.start() for t in threads]; [t.join() for t in threads]",
        "print(len(found), sorted(set(found)) == sorted(f'ovum.services.tasks.{n}'",
        "    for n in set(names)))",
    ) == ["32 True"]

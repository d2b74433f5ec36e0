"""The texts of /proc, from what a kernel might tell; some read by those who read Linux's."""

import os
import re
from collections.abc import Iterator

import pytest

from ovum.services.proc.cpuinfo import cpuinfo_text, flags
from ovum.services.proc.nodes import SlowText, Text
from ovum.services.proc.system import ProcFileSystem
from ovum.services.tasks import sleep
from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.node import Node
from ovum.services.vfs.testing import HostedSystem

TEXTS = {
    "statistics": (
        "page_size 4096\ntotal 60000\nfree 50000\npromised 1000\nreserve 500\nmapped 9000\n"
        "resident 3000\ncpu_ns 1500000000\nidle_ns 8500000000\nidle_count 77\n"
        "now_ns 10000000000\nwall_offset_ns 1700000000000000000\ntsc_khz 2445400\n"
        "threads 2\nfd_limit 1024\nheap_end 6295552\nstack 140737488340000\ncwd_handle 0\n"
    ),
    "threads": "1 R 0 1400000000 python3.13\n2 S 1 100000000 a name\n",
    "regions": (
        "4194304 4198400 5 0 0 17 /usr/bin/python3.13\n6291456 6295552 3 0 0 0 \n"
        "140737480000000 140737488347136 3 0 0 0 \n"
        "140737488350000 140737488354096 1 1 4096 9 /a b\n"
    ),
    "descriptors": "0 0 0 1000001 pipe \n1 1 0 5 tty \n5 32770 12 44 file /tmp/a file\n",
    "sockets": (
        "1000007 1 1 0 32 0 0 0 01002f72756e2f612062\n1000008 1 2 0 1 0 5 0 0100006100\n"
        "1000008 1 2 0 1 0 5 0 0100006100\n1000009 1 1 0 0 0 0 0 \n1000010 2 1 6 1 3 0 7 \n"
    ),
}


def cpuid(leaf: int, subleaf: int) -> tuple[int, int, int, int]:
    """A processor of 2015."""
    brand = b"A Processor (R) @ 2.40GHz".ljust(48, b"\0")
    if 0x80000002 <= leaf <= 0x80000004:
        part = brand[16 * (leaf - 0x80000002) :][:16]
        a, b, c, d = (int.from_bytes(part[k : k + 4], "little") for k in (0, 4, 8, 12))
        return a, b, c, d
    known = {
        0: (7, 0x756E6547, 0x6C65746E, 0x49656E69),
        1: (0x000406F1, 0x00000800, 1 << 0 | 1 << 19 | 1 << 28, 1 << 0 | 1 << 25 | 1 << 26),
        7: (0, 1 << 5, 0, 0),
        0x80000000: (0x80000008, 0, 0, 0),
        0x80000001: (0, 0, 1, 1 << 29),
        0x80000007: (0, 0, 0, 1 << 8),
    }
    return known.get(leaf, (0, 0, 0, 0))


async def _slow() -> str:
    await sleep(0.001)
    return "at last\n"


@pytest.fixture
def system() -> Iterator[HostedSystem]:
    """/proc, mounted at /proc."""
    with HostedSystem(MemoryFileSystem()) as calls:
        calls.mkdir("/proc")
        own: dict[str, Node] = {"tasks": Text(lambda: "none\n"), "slow": SlowText(_slow)}
        proc = ProcFileSystem(calls.vfs, TEXTS.__getitem__, cpuid, own)
        calls.mount("/proc", proc)
        yield calls


def read(system: HostedSystem, path: str) -> str:
    fd = system.open(path, os.O_RDONLY)
    text = system.read(fd, 1 << 16).decode()
    system.close(fd)
    return text


def test_maps(system: HostedSystem) -> None:
    lines = read(system, "/proc/self/maps").splitlines()
    assert lines[0] == f"{'400000-401000 r-xp 00000000 00:01 17':<73}/usr/bin/python3.13"
    assert lines[1].split() == ["600000-601000", "rw-p", "00000000", "00:01", "0", "[heap]"]
    assert lines[2].endswith("[stack]")
    assert lines[3].split(None, 5)[1:] == ["r--s", "00001000", "00:01", "9", "/a b"]


def test_stat_has_the_fields_of_linux(system: HostedSystem) -> None:
    text = read(system, "/proc/self/stat")
    with open("/proc/self/stat") as file:
        assert len(text.split()) == len(file.read().rpartition(")")[2].split()) + 2
    fields = text.rpartition(")")[2].split()
    assert fields[0] == "R"
    assert (fields[11], fields[17], fields[20]) == ("150", "2", str(9000 * 4096))
    assert read(system, "/proc/self/task/2/stat").startswith("2 (a name) S ")
    with pytest.raises(FileNotFoundError):
        system.stat("/proc/self/task/3")


def test_status_and_statm(system: HostedSystem) -> None:
    status = read(system, "/proc/self/status")
    assert re.search(r"^VmRSS:\s+12000 kB$", status, re.MULTILINE)
    assert read(system, "/proc/self/statm").split()[:2] == ["9000", "3000"]
    assert re.search(r"^Pss:\s+12000 kB$", read(system, "/proc/self/smaps_rollup"), re.MULTILINE)


def test_meminfo_and_stat(system: HostedSystem) -> None:
    text = read(system, "/proc/meminfo")
    assert re.search(r"^MemTotal:\s+240000 kB$", text, re.MULTILINE)
    assert re.search(r"^MemAvailable:\s+194000 kB$", text, re.MULTILINE)
    assert "btime 1700000000\n" in read(system, "/proc/stat")
    assert read(system, "/proc/stat").startswith("cpu  150 0 0 850 ")
    assert read(system, "/proc/uptime") == "10.00 8.50\n"


def test_load(system: HostedSystem) -> None:
    first, second, third, *rest = read(system, "/proc/loadavg").split()
    assert 0.02 <= float(first) <= 0.03 and float(second) <= float(first)
    assert third == "0.00" and rest == ["1/2", "2"]


def test_descriptors(system: HostedSystem) -> None:
    assert system.listdir("/proc/self/fd") == ["0", "1", "5"]
    assert system.readlink("/proc/self/fd/0") == "pipe:[1000001]"
    assert system.readlink("/proc/self/fd/5") == "/tmp/a file"
    assert (
        read(system, "/proc/self/fdinfo/5") == "pos:\t12\nflags:\t0100002\nmnt_id:\t1\nino:\t44\n"
    )
    with pytest.raises(FileNotFoundError):
        system.readlink("/proc/self/fd/7")


def test_local_sockets(system: HostedSystem) -> None:
    assert read(system, "/proc/net/unix").splitlines()[1:] == [
        "0000000000000000: 00000002 00000000 00010000 0001 01 1000007 /run/a b",
        "0000000000000000: 00000003 00000000 00000000 0002 03 1000008 @a@",
        "0000000000000000: 00000002 00000000 00000000 0001 01 1000009",
    ]


def test_without_a_network_its_tables_are_empty(system: HostedSystem) -> None:
    for name in system.listdir("/proc/net"):
        if name not in ("unix", "dev", "sockstat"):
            assert len(read(system, f"/proc/net/{name}").splitlines()) <= 1
    assert len(read(system, "/proc/net/tcp").split()) == 12


def test_processor() -> None:
    text = cpuinfo_text(cpuid, 2_445_400)
    rows = dict(line.split(":", 1) for line in text.strip().splitlines())
    values = {name.strip(): value.strip() for name, value in rows.items()}
    assert values["vendor_id"] == "GenuineIntel"
    assert (values["cpu family"], values["model"], values["stepping"]) == ("6", "79", "1")
    assert values["model name"] == "A Processor (R) @ 2.40GHz"
    assert (values["cpu MHz"], values["clflush size"]) == ("2445.400", "64")
    assert flags(cpuid) == [
        *("fpu", "sse", "sse2", "pni", "sse4_1", "avx", "avx2", "lm", "lahf_lm", "constant_tsc"),
    ]


def test_names_of_flags_are_those_of_this_linux() -> None:
    with open("/proc/cpuinfo") as file:
        line = next(line for line in file if line.startswith("flags"))
    known = set(line.split(":")[1].split())
    # Every name that both may have; Linux has some more, from leaves that are not looked at.
    from ovum.services.proc.cpuinfo import _FLAGS

    ours = {name for names in _FLAGS.values() for name in names.split()}
    assert {"fpu", "sse2", "syscall", "nx", "lm"} <= ours & known


def test_nothing_is_written(system: HostedSystem) -> None:
    for flags_ in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
        with pytest.raises(PermissionError):
            system.open("/proc/uptime", flags_)
    with pytest.raises(OSError):
        system.mkdir("/proc/new")
    with pytest.raises(OSError):
        system.unlink("/proc/uptime")
    with pytest.raises(OSError):
        system.rename("/proc/uptime", "/proc/other")


def test_everything_can_be_read(system: HostedSystem) -> None:
    seen: list[str] = []

    def walk(path: str) -> None:
        for name in system.listdir(path):
            inner = f"{path}/{name}"
            kind = system.lstat(inner).st_mode & 0o170000
            seen.append(inner)
            if kind == 0o040000:
                walk(inner)
            elif kind == 0o120000:
                system.readlink(inner)
            elif name not in ("cmdline", "environ"):
                read(system, inner)

    walk("/proc")
    assert len(seen) > 60


@pytest.mark.parametrize("name", ["/tmp/\udcff\udcfe", "/tmp/\\012line", "/tmp/a\x1cb\x85c"])
def test_names_that_are_no_text(name: str) -> None:
    texts = dict(TEXTS)
    texts["regions"] += f"140737488360000 140737488364096 1 1 4096 9 {name}\n"
    texts["descriptors"] += f"6 0 0 9 file {name}\n"
    with HostedSystem(MemoryFileSystem()) as system:
        system.mkdir("/proc")
        system.mount("/proc", ProcFileSystem(system.vfs, texts.__getitem__, cpuid, {}))
        for file in ("maps", "smaps"):
            fd = system.open(f"/proc/self/{file}", os.O_RDONLY)
            text = b"".join(iter(lambda: system.read(fd, 1 << 16), b""))  # noqa: B023
            system.close(fd)
            assert os.fsencode(name) in text
        assert system.readlink("/proc/self/fd/6") == name


def test_smaps_has_a_block_for_each_region(system: HostedSystem) -> None:
    lines = read(system, "/proc/self/smaps").splitlines()
    heads = [line for line in lines if not re.match(r"\w+: +\d+ kB$", line)]
    assert heads == read(system, "/proc/self/maps").splitlines()
    sizes = [int(line.split()[1]) for line in lines if line.startswith("Size:")]
    assert sizes == [4, 4, 8151, 4]
    assert len(lines) == len(heads) * (1 + len({line.split(":")[0] for line in lines[1:22]}))


def test_the_thread_that_asks_runs() -> None:
    texts = dict(TEXTS)
    texts["threads"] = texts["threads"].replace("1 R", "1 S")  # it waits for the answer
    with HostedSystem(MemoryFileSystem()) as system:
        system.mkdir("/proc")
        system.mount("/proc", ProcFileSystem(system.vfs, texts.__getitem__, cpuid, {}))
        # Stand-ins for requests are of thread 1.
        assert "State:\tR (running)" in read(system, "/proc/self/status")
        assert read(system, "/proc/self/stat").split()[2] == "R"
        assert "State:\tS (sleeping)" in read(system, "/proc/self/task/2/status")


def test_the_working_directory_on_a_mount(system: HostedSystem) -> None:
    system.mkdir("/here")
    fd = system.open("/here", os.O_PATH)
    texts = dict(TEXTS)
    handle = max(system.vfs.files)
    texts["statistics"] = texts["statistics"].replace("cwd_handle 0", f"cwd_handle {handle}")
    system.mkdir("/other")
    system.mount("/other", ProcFileSystem(system.vfs, texts.__getitem__, cpuid, {}))
    assert system.readlink("/other/self/cwd") == "/here"
    assert system.readlink("/proc/self/cwd") == os.getcwd()
    system.close(fd)


def test_a_text_may_take_its_time(system: HostedSystem) -> None:
    assert read(system, "/proc/ovum/slow") == "at last\n"
    with pytest.raises(OSError, match="Permission denied"):
        system.open("/proc/ovum/slow", os.O_WRONLY)

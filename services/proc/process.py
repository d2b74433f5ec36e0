"""/proc/self: the one process."""

from __future__ import annotations

import errno
import os
import stat
import sys

from ovum.services.proc.kernel import (
    TICK_NS,
    Region,
    Thread,
    descriptors,
    regions,
    statistics,
    threads,
)
from ovum.services.proc.nodes import Folder, Numbered, Text, To
from ovum.services.vfs.node import Attributes, Link, Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.proc.kernel import Inspect
    from ovum.services.vfs.tree import Entry
    from ovum.services.vfs.vfs import Vfs

_PROCESS = 1
_NO_LIMIT = "unlimited"


def process_folder(inspect: Inspect, vfs: Vfs, mount_texts: dict[str, Node]) -> Folder:
    """What /proc/1 has."""

    def numbers() -> list[int]:
        return [thread.number for thread in threads(inspect)]

    def main() -> Thread:
        return threads(inspect, vfs.caller)[0]

    return Folder(
        {
            "cgroup": Text(lambda: "0::/\n"),
            "cmdline": Text(lambda: _read("/ovum/argv")),
            "comm": Text(lambda: f"{main().name}\n"),
            "cwd": To(lambda: _working_directory(inspect, vfs)),
            "environ": Text(lambda: _read("/ovum/environ")),
            "exe": To(sys.executable),
            "fd": Numbered(
                lambda: descriptors(inspect), lambda number: _Descriptor(inspect, vfs, number)
            ),
            "fdinfo": Numbered(
                lambda: descriptors(inspect),
                lambda number: Text(lambda: fdinfo_text(inspect, number)),
            ),
            "io": Text(io_text),
            "limits": Text(lambda: limits_text(inspect)),
            "maps": Text(lambda: maps_text(inspect)),
            "oom_score": Text(lambda: "0\n"),
            "oom_score_adj": Text(lambda: "0\n"),
            "root": To("/"),
            "smaps": Text(lambda: smaps_text(inspect)),
            "smaps_rollup": Text(lambda: smaps_rollup_text(inspect)),
            "stat": Text(lambda: process_stat_text(inspect, main())),
            "statm": Text(lambda: statm_text(inspect)),
            "status": Text(lambda: status_text(inspect, main())),
            "task": Numbered(numbers, lambda number: _thread_folder(inspect, vfs, number)),
            **mount_texts,
        }
    )


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  # pathlib is not needed for anything else
        return file.read()


def _working_directory(inspect: Inspect, vfs: Vfs) -> str:
    # In a mount, getcwd() would have the kernel ask this very thread.
    opened = vfs.files.get(statistics(inspect)["cwd_handle"])
    if opened is not None:
        return vfs.path_of(opened.entry)
    return os.getcwd()  # noqa: PTH109  # as _read


def _thread(inspect: Inspect, vfs: Vfs, number: int) -> Thread:
    for thread in threads(inspect, vfs.caller):
        if thread.number == number:
            return thread
    raise refuse(errno.ESRCH)


def _thread_folder(inspect: Inspect, vfs: Vfs, number: int) -> Folder:
    def thread() -> Thread:
        return _thread(inspect, vfs, number)

    return Folder(
        {
            "comm": Text(lambda: f"{thread().name}\n"),
            "stat": Text(lambda: thread_stat_text(inspect, thread())),
            "status": Text(lambda: status_text(inspect, thread())),
        }
    )


# Texts


def _maps_lines(inspect: Inspect) -> list[tuple[Region, str]]:
    now = statistics(inspect)
    heap, stack = now["heap_end"], now["stack"]
    lines = []
    for region in regions(inspect):
        rights = "".join(
            letter if region.protection & bit else "-"
            for letter, bit in (("r", 1), ("w", 2), ("x", 4))
        )
        name = region.path
        if not name and region.start <= stack < region.end:
            name = "[stack]"
        elif not name and region.start < heap <= region.end:
            name = "[heap]"
        head = (
            f"{region.start:x}-{region.end:x} {rights}{'s' if region.shared else 'p'} "
            f"{region.offset:08x} 00:01 {region.inode}"
        )
        lines.append((region, f"{head:<73}{name}\n" if name else f"{head}\n"))
    return lines


def maps_text(inspect: Inspect) -> str:
    """The address space."""
    return "".join(line for _, line in _maps_lines(inspect))


_SMAPS_UNCOUNTED = (
    "Rss Pss Pss_Dirty Shared_Clean Shared_Dirty Private_Clean Private_Dirty Referenced Anonymous "
    "LazyFree AnonHugePages ShmemPmdMapped FilePmdMapped Shared_Hugetlb Private_Hugetlb Swap "
    "SwapPss Locked"
).split()


def smaps_text(inspect: Inspect) -> str:
    """The address space with sizes; what is in memory of each region is counted by nobody."""
    page = statistics(inspect)["page_size"] // 1024
    sizes = {"KernelPageSize": page, "MMUPageSize": page, **dict.fromkeys(_SMAPS_UNCOUNTED, 0)}
    rest = "".join(f"{name + ':':<16}{value:8} kB\n" for name, value in sizes.items())
    return "".join(
        f"{line}Size:           {(region.end - region.start) // 1024:8} kB\n{rest}"
        for region, line in _maps_lines(inspect)
    )


def _stat_text(now: dict[str, int], thread: Thread, cpu_ns: int) -> str:
    fields = [0] * 49
    fields[0] = 0  # ppid, the fourth field of proc_pid_stat(5)
    fields[1] = fields[2] = _PROCESS  # pgrp, session
    fields[4] = -1  # tpgid
    fields[5] = 4194304  # flags: PF_RANDOMIZE, as Linux has it
    fields[10] = cpu_ns // TICK_NS  # utime
    fields[14] = 20  # priority
    fields[16] = now["threads"]
    fields[19] = now["mapped"] * now["page_size"]  # vsize
    fields[20] = now["resident"]  # rss
    fields[21] = (1 << 64) - 1  # rsslim
    fields[24] = now["stack"]  # startstack
    fields[34] = 17  # exit_signal: SIGCHLD
    return f"{thread.number} ({thread.name}) {thread.state} {' '.join(map(str, fields))}\n"


def process_stat_text(inspect: Inspect, main: Thread) -> str:
    """/proc/self/stat."""
    now = statistics(inspect)
    return _stat_text(now, main, now["cpu_ns"])


def thread_stat_text(inspect: Inspect, thread: Thread) -> str:
    """/proc/self/task/*/stat."""
    return _stat_text(statistics(inspect), thread, thread.cpu_ns)


def statm_text(inspect: Inspect) -> str:
    """Sizes in pages."""
    now = statistics(inspect)
    return f"{now['mapped']} {now['resident']} 0 0 0 {now['mapped']} 0\n"


def status_text(inspect: Inspect, thread: Thread) -> str:
    """What stat has, for people."""
    now = statistics(inspect)
    mapped, resident = (now[name] * now["page_size"] // 1024 for name in ("mapped", "resident"))
    state = {"R": "R (running)", "S": "S (sleeping)"}[thread.state]
    return (
        f"Name:\t{thread.name}\nUmask:\t0022\nState:\t{state}\nTgid:\t{_PROCESS}\nNgid:\t0\n"
        f"Pid:\t{thread.number}\nPPid:\t0\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
        f"FDSize:\t{now['fd_limit']}\nGroups:\t \nVmPeak:\t{mapped:8} kB\nVmSize:\t{mapped:8} kB\n"
        f"VmHWM:\t{resident:8} kB\nVmRSS:\t{resident:8} kB\nVmSwap:\t       0 kB\n"
        f"Threads:\t{now['threads']}\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n"
        "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n"
    )


def smaps_rollup_text(inspect: Inspect) -> str:
    """Memory in use: all of it is private to the one process there is."""
    now = statistics(inspect)
    last = regions(inspect)[-1].end
    resident = now["resident"] * now["page_size"] // 1024
    values = {"Rss": resident, "Pss": resident, "Private_Dirty": resident, "Swap": 0, "SwapPss": 0}
    lines = [f"{name + ':':<16}{value:8} kB" for name, value in values.items()]
    return f"{0:x}-{last:x} ---p 00000000 00:00 0 [rollup]\n" + "\n".join(lines) + "\n"


def io_text() -> str:
    """What the kernel does not count."""
    names = ("rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes")
    return "".join(f"{name}: 0\n" for name in (*names, "cancelled_write_bytes"))


def limits_text(inspect: Inspect) -> str:
    """What setrlimit(2) would limit."""
    rows = {
        "Max cpu time": (_NO_LIMIT, "seconds"),
        "Max file size": (_NO_LIMIT, "bytes"),
        "Max data size": (_NO_LIMIT, "bytes"),
        "Max stack size": ("8388608", "bytes"),
        "Max core file size": ("0", "bytes"),
        "Max resident set": (_NO_LIMIT, "bytes"),
        "Max processes": (_NO_LIMIT, "processes"),
        "Max open files": (str(statistics(inspect)["fd_limit"]), "files"),
        "Max address space": (_NO_LIMIT, "bytes"),
    }
    head = f"{'Limit':<26}{'Soft Limit':<21}{'Hard Limit':<21}Units\n"
    return head + "".join(
        f"{name:<26}{value:<21}{value:<21}{unit}\n" for name, (value, unit) in rows.items()
    )


def fdinfo_text(inspect: Inspect, number: int) -> str:
    """Position and flags of a descriptor."""
    found = descriptors(inspect).get(number)
    if found is None:
        raise refuse(errno.ENOENT)
    return f"pos:\t{found.position}\nflags:\t0{found.flags:o}\nmnt_id:\t1\nino:\t{found.inode}\n"


class _Descriptor(Link):
    """/proc/self/fd/N: a link to a path, or to what has none (proc_pid_fd(5))."""

    def __init__(self, inspect: Inspect, vfs: Vfs, number: int) -> None:
        self._inspect = inspect
        self._vfs = vfs
        self._number = number

    async def attributes(self) -> Attributes:
        return Attributes(stat.S_IFLNK | 0o700, (1 << 32) + self._number)

    async def read_link(self) -> str:
        found = descriptors(self._inspect).get(self._number)
        if found is None:
            raise refuse(errno.ENOENT)
        if found.path:
            return found.path
        opened = self._vfs.files.get(found.inode) if found.kind == "hosted" else None
        if opened is not None:
            return self._vfs.path_of(opened.entry)
        if found.kind.startswith("/"):
            return found.kind
        return f"{found.kind}:[{found.inode}]"

    async def follow(self) -> Node | Entry | None:
        found = descriptors(self._inspect).get(self._number)
        if found is None:
            raise refuse(errno.ENOENT)
        if found.path:
            return None  # it is opened anew, by its path
        opened = self._vfs.files.get(found.inode) if found.kind == "hosted" else None
        return opened.entry if opened is not None else _Opened(self._number)


class _Opened(Node):
    """What a descriptor without a path is open on, if the kernel serves it: this opening only."""

    def __init__(self, number: int) -> None:
        self.descriptor = self._number = number
        self.kind = stat.S_IFMT(os.fstat(number).st_mode)

    async def attributes(self) -> Attributes:
        info = os.fstat(self._number)
        found = Attributes(info.st_mode, info.st_ino, info.st_size)
        found.links, found.device = info.st_nlink, info.st_rdev
        found.accessed, found.modified = info.st_atime_ns, info.st_mtime_ns
        found.changed = info.st_ctime_ns
        return found

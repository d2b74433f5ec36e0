"""What /proc tells of the machine."""

from __future__ import annotations

import os

from ovum.services.proc.cpuinfo import cpuinfo_text
from ovum.services.proc.kernel import TICK_NS, statistics, threads
from ovum.services.proc.nodes import Folder, Text, To

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.services.proc.kernel import Inspect
    from ovum.services.vfs.node import Node

_LOAD_S = (60, 300, 900)
"""The periods of the three load averages."""


def machine_nodes(
    inspect: Inspect, cpuid: Callable[[int, int], tuple[int, int, int, int]]
) -> dict[str, Node]:
    """What is in /proc beside the process's folder."""
    load = Load(inspect)
    boot_id = uuid()
    return {
        "cpuinfo": Text(lambda: cpuinfo_text(cpuid, statistics(inspect)["tsc_khz"])),
        "diskstats": Text(lambda: ""),  # there are no disks
        "loadavg": Text(load.text),
        "meminfo": Text(lambda: meminfo_text(inspect)),
        "mounts": To("self/mounts"),
        "net": To("self/net"),
        "self": To("1"),
        "stat": Text(lambda: machine_stat_text(inspect)),
        "swaps": Text(lambda: "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
        "sys": Folder(
            {
                "fs": Folder({"file-max": Text(lambda: f"{statistics(inspect)['fd_limit']}\n")}),
                "kernel": Folder(
                    {
                        "hostname": Text(lambda: f"{os.uname().nodename}\n"),
                        "osrelease": Text(lambda: f"{os.uname().release}\n"),
                        "ostype": Text(lambda: f"{os.uname().sysname}\n"),
                        "pid_max": Text(lambda: "32768\n"),
                        "random": Folder(
                            {
                                "boot_id": Text(lambda: boot_id),
                                "entropy_avail": Text(lambda: "256\n"),
                                "uuid": Text(uuid),
                            }
                        ),
                        "version": Text(lambda: f"{os.uname().version}\n"),
                    }
                ),
                "vm": Folder(
                    {
                        "max_map_count": Text(lambda: "65530\n"),
                        # Memory that is promised is there: jemalloc then gives back what it can.
                        "overcommit_memory": Text(lambda: "2\n"),
                    }
                ),
            }
        ),
        "uptime": Text(lambda: uptime_text(inspect)),
        "version": Text(version_text),
        "vmstat": Text(
            lambda: f"nr_free_pages {statistics(inspect)['free']}\npswpin 0\npswpout 0\n"
        ),
    }


def uuid() -> str:
    """A random UUID (RFC 9562, version 4), with a newline."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(parts) + "\n"


def version_text() -> str:
    """uname(2), in a sentence."""
    names = os.uname()
    return f"{names.sysname} version {names.release} {names.version}\n"


def meminfo_text(inspect: Inspect) -> str:
    """Memory, in KiB."""
    now = statistics(inspect)
    page = now["page_size"] // 1024
    available = max(0, now["free"] - now["promised"] - now["reserve"])
    values = {
        "MemTotal": now["total"],
        "MemFree": now["free"],
        "MemAvailable": available,
        **dict.fromkeys(("Buffers", "Cached", "SwapCached", "Active", "Inactive"), 0),
        **dict.fromkeys(("SwapTotal", "SwapFree", "Shmem", "Slab", "SReclaimable"), 0),
        "Committed_AS": now["promised"],
    }
    return "".join(f"{name + ':':<16}{value * page:8} kB\n" for name, value in values.items())


def machine_stat_text(inspect: Inspect) -> str:
    """What the processor has done since the machine was started."""
    now = statistics(inspect)
    busy, idle = now["cpu_ns"] // TICK_NS, now["idle_ns"] // TICK_NS
    running = sum(thread.state == "R" for thread in threads(inspect))
    times = f"{busy} 0 0 {idle} 0 0 0 0 0 0"
    return (
        f"cpu  {times}\ncpu0 {times}\nintr 0\nctxt 0\nbtime {now['wall_offset_ns'] // 10**9}\n"
        f"processes 1\nprocs_running {running}\nprocs_blocked 0\nsoftirq 0\n"
    )


def uptime_text(inspect: Inspect) -> str:
    """Seconds since the start, and how many of them nothing was to be done."""
    now = statistics(inspect)
    return f"{now['now_ns'] / 1e9:.2f} {now['idle_ns'] / 1e9:.2f}\n"


class Load:
    """The load averages: which share of the time the processor was busy, the older the less it
    counts. They are brought up to date when they are read."""

    def __init__(self, inspect: Inspect) -> None:
        self._inspect = inspect
        self._at = self._idle = 0
        self._loads = [0.0] * len(_LOAD_S)

    def text(self) -> str:
        """/proc/loadavg."""
        now = statistics(self._inspect)
        passed = (now["now_ns"] - self._at) / 1e9
        if passed > 0:
            busy = 1 - min(1.0, (now["idle_ns"] - self._idle) / 1e9 / passed)
            for k, period in enumerate(_LOAD_S):
                kept = 2.718281828459045 ** (-passed / period)
                self._loads[k] = self._loads[k] * kept + busy * (1 - kept)
            self._at, self._idle = now["now_ns"], now["idle_ns"]
        there = threads(self._inspect)
        running = sum(thread.state == "R" for thread in there)
        averages = " ".join(f"{load:.2f}" for load in self._loads)
        return f"{averages} {running}/{len(there)} {max(thread.number for thread in there)}\n"

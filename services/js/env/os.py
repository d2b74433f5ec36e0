"""What `os` tells of the machine."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context


def memory() -> list[int]:
    """Bytes in all, and those that are available (/proc/meminfo)."""
    found = {}
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        found[name] = int(value.split()[0]) * 1024
    return [found["MemTotal"], found.get("MemAvailable", found["MemFree"])]


def processors() -> list[dict[str, Any]]:
    """Name and speed in MHz of each (/proc/cpuinfo)."""
    found: list[dict[str, Any]] = []
    for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "processor":
            found.append({"model": "unknown", "speed": 0})
        elif name.strip() == "model name":
            found[-1]["model"] = value.strip()
        elif name.strip() == "cpu MHz":
            found[-1]["speed"] = int(float(value))
    return found


def user() -> dict[str, Any]:
    """Who runs the program, as far as it is known."""
    home = os.path.expanduser("~")
    name = os.environ.get("USER") or os.environ.get("LOGNAME") or "root"
    return {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "username": name,
        "homedir": home,
        "shell": os.environ.get("SHELL"),
    }


def interfaces() -> dict[str, list[dict[str, Any]]]:
    """The addresses of IPv4 that interfaces have."""
    import fcntl
    import socket
    import struct

    get_address, get_mask = 0x8915, 0x891B  # SIOCGIFADDR, SIOCGIFNETMASK
    found: dict[str, list[dict[str, Any]]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                address = fcntl.ioctl(asked, get_address, request)[20:24]
                mask = fcntl.ioctl(asked, get_mask, request)[20:24]
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
                    # It has none, or is gone.
                    continue
                raise
            bits = int.from_bytes(mask, "big").bit_count()
            text = socket.inet_ntoa(address)
            found[name] = [
                {
                    "address": text,
                    "netmask": socket.inet_ntoa(mask),
                    "family": "IPv4",
                    "internal": text.startswith("127."),
                    "cidr": f"{text}/{bits}",
                }
            ]
    return found


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""

    def names() -> dict[str, str]:
        told = os.uname()
        return {
            "machine": told.machine,
            "node": told.nodename,
            "release": told.release,
            "version": told.version,
        }

    def uptime() -> float:
        return float(Path("/proc/uptime").read_text("ascii").split()[0])

    return {
        "errors": lambda: {name: number for number, name in errno.errorcode.items()},
        "home": lambda: os.path.expanduser("~"),
        "interfaces": interfaces,
        "load": lambda: list(os.getloadavg()),
        "memory": memory,
        "names": names,
        "processors": processors,
        "signals": lambda: {one.name: int(one) for one in signal.Signals},
        "temporary": lambda: os.environ.get("TMPDIR", "/tmp").rstrip("/") or "/",
        "uptime": uptime,
        "user": user,
    }

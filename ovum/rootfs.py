"""The file system of an image, except for Python's library: interpreter, libraries, settings.

Everything is taken from the sysroot; what an installed Debian would have made at installation is
made here.
"""

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.cpio import Entry, directory, regular, symlink
from ovum.elf import Elf, LibraryIndex
from ovum.net.clients.texts import HOSTS, MARK, WAITING
from ovum.paths import REPO
from ovum.tzif import slim

if TYPE_CHECKING:
    from ovum.sysroot import Sysroot

INTERPRETER: Final = "usr/bin/python3.13"
PYHOST: Final = "usr/lib/ovum/pyhost.so"
"""What the interpreter runs under; see pyhost/main.c."""

LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"
LOCALE: Final = "usr/lib/locale/C.utf8"
"""The one that images have, and name in LANG; glibc itself knows only C and POSIX."""

HOME: Final = "root"
APP: Final = "app"
"""Where the program is."""

ALWAYS: Final = (
    # glibc loads it by name when a thread ends, for the unwinder.
    "libgcc_s.so.1",
    # Empty since glibc 2.34, but wheels built before ask for them.
    *("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"),
)
"""Libraries that an image has although nothing in it asks for them."""

IN_EVERY_IMAGE: Final = frozenset({*ALWAYS, "ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6"})
"""What even a stripped image has: the above, and what the interpreter itself is linked with."""

TERMINALS: Final = (
    *("ansi", "dumb", "linux", "rxvt", "rxvt-unicode-256color", "screen", "screen-256color"),
    *("tmux", "tmux-256color", "vt100", "vt102", "vt220", "xterm", "xterm-256color", "xterm-color"),
)
"""Terminal types that a guest knows; see `ovum.terminal` for what becomes of others."""

_NOT_IN_IMAGES: Final = ("-dev", "linux-libc", "libdb5", "libcrypt", "media-types", "readline-co")
"""Packages of the sysroot of which no file gets into an image."""

_FOLDERS: Final = {
    **dict.fromkeys((APP, "dev", "etc", "mnt", "ovum", "proc", "run", "sys", "usr", "var"), 0o755),
    "proc/1": 0o555,
    **dict.fromkeys(("sys/devices", "sys/devices/system", "sys/devices/system/cpu"), 0o555),
    **dict.fromkeys(("sys/class", "sys/class/power_supply"), 0o555),
    **dict.fromkeys(("dev/shm", "tmp", "var/tmp"), 0o1777),
    HOME: 0o700,
}

_SETTINGS: Final = {
    # Everything runs as root, but files may be given to others: Debian's user for nobody's files.
    "etc/passwd": (
        "root:x:0:0:root:/root:/usr/bin/python3.13\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hostname": "ovum\n",
    # glibc does not know `localhost` by itself.
    "etc/hosts": MARK + HOSTS,
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/ld.so.preload": f"/{PYHOST}\n",
}

_UNCHANGING: Final = {
    **{f"sys/devices/system/cpu/{name}": "0\n" for name in ("online", "possible", "present")},
}
"""/sys: nothing of it ever changes."""

_LINKS: Final = {
    "dev/fd": "/proc/self/fd",
    **{f"dev/{name}": f"/proc/self/fd/{k}" for k, name in enumerate(("stdin", "stdout", "stderr"))},
    # Until services/proc/ takes over, for the dynamic linker.
    "proc/self": "1",
    "proc/1/exe": f"/{INTERPRETER}",
    # Until there are name servers: whoever looks for them there waits for DHCP's answer.
    "etc/resolv.conf": WAITING,
}

_COMMON_LICENCE: Final = re.compile(rb"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])")

_ZONE_EXTRAS: Final = frozenset({"localtime", "posixrules", "leapseconds", "tzdata.zi"})


def skeleton() -> Iterator[Entry]:
    """Folders, links and settings that depend on nothing."""
    for name, permissions in _FOLDERS.items():
        yield directory(name, permissions)
    for name in ("bin", "lib", "lib64", "sbin"):
        yield symlink(name, f"usr/{name}")
        yield directory(f"usr/{name}")
    yield symlink("init", INTERPRETER)
    for name in ("python3", "python"):
        yield symlink(f"usr/bin/{name}", "python3.13")
    for name, text in _SETTINGS.items():
        yield regular(name, text.encode())
    for name, text in _UNCHANGING.items():
        yield regular(name, text.encode(), 0o444)
    for name, target in _LINKS.items():
        yield symlink(name, target)


def library_index(sysroot: "Sysroot") -> LibraryIndex:
    """Where the libraries of an image come from."""
    return LibraryIndex(sysroot.root / LIBRARIES)


def native_entries(
    sysroot: "Sysroot", pyhost: Path, extensions: Iterable[Path], work: Path
) -> Iterator[Entry]:
    """The interpreter, the dynamic linker and all libraries that these extension modules need."""
    interpreter = sysroot.interpreter
    loader = Elf.parse(interpreter.read_bytes()).interpreter()
    libraries, missing = library_index(sysroot).closure([interpreter, *extensions])
    if missing:
        name, user = next(iter(missing.items()))
        raise FileNotFoundError(f"{user} needs the library {name}, which the sysroot has not")
    present = [path for path in libraries if path.name != "ld-linux-x86-64.so.2"]
    present += [sysroot.root / LIBRARIES / name for name in ALWAYS]
    yield regular(INTERPRETER, interpreter, 0o755)
    yield regular(PYHOST, pyhost)
    if loader is not None:
        # The folder of the path is a link (usr-merge), which an archive cannot have files below.
        name = "usr" + loader if not loader.startswith("/usr/") else loader[1:]
        yield regular(name, sysroot.root / loader.lstrip("/"), 0o755)
    entries = {f"{LIBRARIES}/{path.name}": path for path in present}
    for name, path in entries.items():
        yield regular(name, path)
    yield regular("etc/ld.so.cache", _linker_cache(sysroot, entries, work))


def _linker_cache(sysroot: "Sysroot", entries: dict[str, Path], work: Path) -> bytes:
    """What `ldconfig` makes for these libraries.

    It saves the dynamic linker a search through the folders for better CPUs at every start.
    """
    stage = work / "ldconfig"
    for name, path in entries.items():
        target = stage / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Copied: ldconfig changes its root to the stage, where the sysroot is not to be seen.
        shutil.copyfile(path, target)
    (stage / "etc").mkdir()
    (stage / "etc" / "ld.so.conf").write_text(f"/{LIBRARIES}\n")
    ldconfig = sysroot.root / "usr/sbin/ldconfig"
    subprocess.run([ldconfig, "-X", "-r", stage], check=True, capture_output=True)
    return (stage / "etc" / "ld.so.cache").read_bytes()


def data_entries(
    sysroot: "Sysroot", *, certificates: bool = True, zones: bool = True
) -> Iterator[Entry]:
    """What libraries read: the locale, names of services, certificates for TLS, time zones."""
    root = sysroot.root
    for path in sorted((root / LOCALE).rglob("*")):
        if path.is_file():
            yield regular(path.relative_to(root).as_posix(), path)
    for name in ("etc/services", "etc/protocols"):
        yield regular(name, root / name)
    if certificates:
        name = "etc/ssl/certs/ca-certificates.crt"
        yield regular(name, root / name)
        yield symlink("usr/lib/ssl/cert.pem", f"/{name}")
        yield symlink("usr/lib/ssl/certs", "/etc/ssl/certs")
    if zones:
        yield from _zones(root / "usr/share/zoneinfo")


def terminal_entries(sysroot: "Sysroot") -> Iterator[Entry]:
    """The terminal descriptions, which a guest needs when its program is on a terminal."""
    for name in TERMINALS:
        path = f"usr/share/terminfo/{name[0]}/{name}"
        yield regular(path, sysroot.root / path)


def _zones(base: Path) -> Iterator[Entry]:
    for path in sorted(base.rglob("*")):
        name = path.relative_to(base).as_posix()
        # Tables for programs that let a user choose, and leap seconds, which nothing here reads.
        if path.name in _ZONE_EXTRAS or path.suffix in (".tab", ".list"):
            continue
        if path.is_symlink():
            yield symlink(f"usr/share/zoneinfo/{name}", str(path.readlink()))
        elif path.is_file():
            yield regular(f"usr/share/zoneinfo/{name}", slim(path.read_bytes()))


def licence_entries(sysroot: "Sysroot", doc: str = "usr/share/doc") -> Iterator[Entry]:
    """The licence texts of everything in an image, compressed; one text is carried once."""
    yield regular(f"{doc}/ovum/LICENSE", REPO / "LICENSE")
    seen: dict[bytes, str] = {}
    referred: set[str] = set()
    for package in sorted(sysroot.packages):
        if any(part in package for part in _NOT_IN_IMAGES):
            continue
        text = (sysroot.root / doc / package / "copyright").read_bytes()
        if text in seen:
            yield symlink(f"{doc}/{package}", seen[text])
        else:
            seen[text] = package
            referred.update(name.decode() for name in _COMMON_LICENCE.findall(text))
            # No time stamp, so that the same text gives the same bytes.
            yield regular(f"{doc}/{package}/copyright.gz", gzip.compress(text, 9, mtime=0))
    # Where the texts above refer to the GPL and its like, this is the place they name.
    common = sysroot.root / "usr/share/common-licenses"
    for name in sorted({(common / name).resolve().name for name in referred}):
        packed = gzip.compress((common / name).read_bytes(), 9, mtime=0)
        yield regular(f"usr/share/common-licenses/{name}.gz", packed)

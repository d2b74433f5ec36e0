"""`ovum doctor`: what of this host ovum needs, what there is, and what to do about the rest."""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ovum.paths import cache_dir
from ovum.qemu import PACKAGE, PROGRAM, QemuError, choose_accel

GOOD: Final = "ok"
NOTE: Final = "note"
OPTIONAL: Final = "not there"
MISSING: Final = "MISSING"

ROOM: Final = 2 << 30
"""Bytes that the sysroot, the packages and the images of a few programs take."""

TOOLS: Final = (
    ("gcc", "gcc", "to build the kernel and the interpreter"),
    ("ld", "binutils", "to build the kernel and the interpreter"),
    ("make", "make", "to build the kernel"),
    ("apt-get", "apt", "to fetch Debian's CPython"),
    ("dpkg-deb", "dpkg", "to unpack Debian's CPython"),
)
"""Programs that nothing goes without: name, Debian's package, what for."""

EXTRAS: Final = (
    ("GRUB", "/usr/bin/grub-mkimage", "grub-common", "ovum pack: discs and disks"),
    ("GRUB for BIOS", "/usr/lib/grub/i386-pc/kernel.img", "grub-pc-bin", "ovum pack: the same"),
    (
        "GRUB for UEFI",
        "/usr/lib/grub/x86_64-efi/kernel.img",
        "grub-efi-amd64-bin",
        "ovum pack: the same",
    ),
    ("xorriso", "/usr/bin/xorriso", "xorriso", "ovum pack: discs"),
    ("OVMF", "/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf", "to try what UEFI boots in QEMU"),
)
"""Files that some things need: name, path, Debian's package, what for."""

HELP: Final = """\
usage: ovum doctor

Checks what this host has of what ovum needs, and says what to do. Exit status 1 if something is
missing without which no program can be run.

examples:
  ovum doctor
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    state: str
    what: str
    says: str
    package: str | None = None
    """Debian's package that would help."""


def examine(root: Path = Path("/")) -> Iterator[Finding]:
    """Looks at everything. root: where the files of EXTRAS are looked for."""
    version = sys.version.split()[0]
    yield Finding(GOOD, "Python", f"{version}, {sys.executable}")
    yield _qemu()
    yield _kvm()
    for name, package, use in TOOLS:
        found = shutil.which(name)
        if found is None:
            yield Finding(MISSING, name, use, package)
        else:
            yield Finding(GOOD, name, found)
    for name, path, package, use in EXTRAS:
        file = root / path[1:]
        state = GOOD if file.exists() else OPTIONAL
        says = str(file) if file.exists() else use
        yield Finding(state, name, says, None if file.exists() else package)
    yield from _cache(cache_dir())


def _qemu() -> Finding:
    found = shutil.which(PROGRAM)
    if found is None:
        return Finding(MISSING, "QEMU", "nothing runs without it", PACKAGE)
    done = subprocess.run([found, "--version"], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        why = done.stderr.strip() or f"status {done.returncode}"
        return Finding(MISSING, "QEMU", f"{found} does not start: {why}", PACKAGE)
    return Finding(GOOD, "QEMU", f"{lines[0].removeprefix('QEMU emulator version ')}, {found}")


def _kvm() -> Finding:
    try:
        choose_accel("kvm")
    except QemuError as error:
        why = str(error).removeprefix("KVM cannot be used: ")
        return Finding(NOTE, "KVM", f"not used, programs are emulated and 10 times slower: {why}")
    return Finding(GOOD, "KVM", "programs run on the processor itself")


def _cache(cache: Path) -> Iterator[Finding]:
    there = cache
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    state = GOOD if free >= ROOM else NOTE
    advice = "" if free >= ROOM else f"; {ROOM >> 30} GiB would be better: OVUM_CACHE moves it"
    yield Finding(state, "room", f"{free / (1 << 30):.1f} GiB free for {cache}{advice}")
    if not cache.exists():
        yield Finding(NOTE, "cache", "empty: the first start fetches Debian's CPython (80 MiB)")
        return
    size = sum(file.lstat().st_size for file in cache.rglob("*") if not file.is_dir())
    says = f"{size / (1 << 20):.0f} MiB in {cache}; deleting it costs time, nothing else"
    yield Finding(GOOD, "cache", says)


def main(words: Sequence[str]) -> int:
    """Runs the command."""
    from ovum.options import UsageError

    if words and words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if words:
        raise UsageError(f"ovum doctor takes no {words[0]!r}")
    return tell(list(examine()))


def tell(findings: Sequence[Finding]) -> int:
    """Prints them, and what to install; returns the exit status."""
    wide = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.state:9} {finding.what:{wide}}  {finding.says}")
    packages = dict.fromkeys(finding.package for finding in findings if finding.package)
    if packages:
        print(f"\nwhat is not there comes with\n  apt-get install {' '.join(map(str, packages))}")
    return int(any(finding.state == MISSING for finding in findings))

"""QEMU's command line, and what has to be known about the host to write it.

`qemu_argv` is pure: what it depends on is in its argument.
"""

import dataclasses
import os
import re
import shutil
from pathlib import Path
from typing import Final

from ovum.network import Network
from ovum.volume import Volume

PROGRAM: Final = "qemu-system-x86_64"
PACKAGE: Final = "qemu-system-x86"

MACHINES: Final = ("microvm", "pc", "q35")
DEFAULT_MACHINE: Final = "microvm"

EXIT_PORT: Final = 0xF4

TCG_CPU: Final = "max,-avx2,-la57,-smap,-erms,-fsrm"
"""Everything the emulator knows, but for what it does wrong and what slows it down. AVX2: before
QEMU 9.1 a gather whose index is in xmm4 or ymm4 reads from somewhere else (QEMU's issue 2474), and
no flag hides the gathers alone; NumPy's argsort gave wrong orders, Polars and libavif have more of
them. `rep movsb` runs byte by byte (erms, fsrm: without them glibc copies with vectors); five-level
page tables and smap are work for the emulator and nothing else. cx16 stays, although QEMU 7.2
computes wrong flags when an interrupt follows a cmpxchg16b: our kernel never uses that, and NumPy
does not start without the flag, which is part of the level x86-64-v2 that it is compiled for."""

_MACHINE_OPTIONS: Final = {
    # Without ACPI tables the firmware is qboot, which is through in a few milliseconds.
    "microvm": "microvm,acpi=off,pic=on,pit=on,rtc=on,isa-serial=on",
}

_SIZE = re.compile(r"(\d+)([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS: Final = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class QemuError(Exception):
    """QEMU is missing, or cannot be asked for this; the message says what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class QemuConfig:
    """One machine and what it starts."""

    image: str
    """The application image, for `-kernel`."""
    link_fd: int
    """A connected socket for the serial port."""
    append: str = ""
    """The kernel's command line."""
    initrd: str | None = None
    """One more file of archives."""
    memory_mib: int = 256
    machine: str = DEFAULT_MACHINE
    """A machine type, with options of the caller's own after a comma."""
    accel: str = "tcg"
    cpu: str | None = None
    """For `-cpu`; None is what suits the accelerator."""
    program: str = PROGRAM
    volumes: tuple[Volume, ...] = ()
    """Folders that are shared with it."""
    network: Network = Network("none")  # noqa: RUF009 (it is frozen)
    more: tuple[str, ...] = ()
    """Words of the caller's own, which come last."""


def qemu_argv(config: QemuConfig) -> list[str]:
    """The command that runs this machine."""
    cpu = config.cpu or ("host" if config.accel == "kvm" else TCG_CPU)
    argv = [config.program]
    argv += ["-nodefaults", "-no-user-config", "-no-reboot"]
    argv += ["-display", "none", "-monitor", "none"]
    argv += ["-machine", _MACHINE_OPTIONS.get(config.machine, config.machine)]
    argv += ["-accel", config.accel, "-cpu", cpu, "-smp", "1", "-m", f"{config.memory_mib}M"]
    # The first serial port, 0x3f8 and IRQ 4 on every machine type.
    argv += ["-chardev", f"socket,id=link,fd={config.link_fd}", "-serial", "chardev:link"]
    argv += ["-device", f"isa-debug-exit,iobase={EXIT_PORT:#x},iosize=4"]
    argv += ["-kernel", config.image]
    if config.initrd is not None:
        argv += ["-initrd", config.initrd]
    bus = "device" if config.machine.partition(",")[0] == "microvm" else "pci"
    argv += config.network.qemu_words(bus)
    words = [config.append] if config.append else []
    words += config.network.kernel_words()
    for number, volume in enumerate(config.volumes):
        words.append(volume.kernel_word(number))
        argv += volume.qemu_words(number, bus)
    if words:
        argv += ["-append", " ".join(words)]
    argv += config.more
    return argv


def find_qemu() -> str:
    """The path of the emulator. Raises QemuError."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise QemuError(
            f"{PROGRAM} is missing: install the Debian package {PACKAGE} "
            f"(apt-get install {PACKAGE})"
        )
    return found


def choose_accel(
    wanted: str, device: Path = Path("/dev/kvm"), cpuinfo: Path = Path("/proc/cpuinfo")
) -> str:
    """`kvm` or `tcg`. `auto` takes KVM where it can run a guest.

    Some cloud machines have a /dev/kvm although the CPU lets nobody run a guest in ring 0, so the
    CPU's flags must name virtualisation, too.
    """
    if wanted == "tcg":
        return "tcg"
    reason = None
    if not device.exists():
        reason = f"there is no {device}"
    elif not os.access(device, os.R_OK | os.W_OK):
        reason = f"this user may not open {device}; is it in the group kvm?"
    elif not {"vmx", "svm"} & _cpu_flags(cpuinfo):
        reason = "this CPU shows no virtualisation (neither vmx nor svm in /proc/cpuinfo)"
    if reason is None:
        return "kvm"
    if wanted == "kvm":
        raise QemuError(f"KVM cannot be used: {reason}")
    return "tcg"


def _cpu_flags(cpuinfo: Path) -> set[str]:
    match = re.search(r"^flags\s*:(.*)$", _read(cpuinfo), re.MULTILINE)
    return set(match[1].split()) if match else set()


def host_tsc_khz(cpuinfo: Path = Path("/proc/cpuinfo")) -> int | None:
    """The rate of the host's time stamp counter, or None where the host does not say.

    TCG passes this counter to the guest, which cannot measure its rate well against an emulated
    timer on a busy host.
    """
    text = _read(cpuinfo)
    match = re.search(r"^bogomips\s*:\s*([0-9.]+)", text, re.MULTILINE)
    if match is None or "constant_tsc" not in text:
        return None
    # Linux calculates bogomips as twice the counter's rate in MHz.
    return int(float(match[1]) * 500)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        # A host without this file says nothing, and nothing is what the callers make of it.
        return ""


def parse_memory(text: str) -> int:
    """MiB of a size such as `256`, `256M` or `3G`. Raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a size: {text!r} (write 256M or 3G)")
    size = int(match[1]) * _UNITS[match[2].upper()]
    if size < 1 << 20 or size % (1 << 20):
        raise ValueError(f"memory is given in whole MiB, not {text!r}")
    return size >> 20

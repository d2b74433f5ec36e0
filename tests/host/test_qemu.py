"""ovum.qemu: the command line word by word, and what it reads from the host."""

from pathlib import Path

import pytest

from ovum.qemu import (
    QemuConfig,
    QemuError,
    choose_accel,
    find_qemu,
    host_tsc_khz,
    parse_memory,
    qemu_argv,
)

CPUINFO = """\
processor\t: 0
flags\t\t: fpu tsc msr constant_tsc nonstop_tsc {flags}
bogomips\t: 4890.80
"""


def cpuinfo(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(CPUINFO.format(flags=flags))
    return path


def test_the_default_machine_word_by_word() -> None:
    config = QemuConfig(image="app.elf", link_fd=5, append="ovum.link=mux", initrd="/dev/fd/6")
    assert qemu_argv(config) == [
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot"),
        *("-display", "none", "-monitor", "none"),
        *("-machine", "microvm,acpi=off,pic=on,pit=on,rtc=on,isa-serial=on"),
        *("-accel", "tcg", "-cpu", "max,-avx2,-la57,-smap,-erms,-fsrm", "-smp", "1"),
        *("-m", "256M", "-chardev", "socket,id=link,fd=5", "-serial", "chardev:link"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        *("-kernel", "app.elf", "-initrd", "/dev/fd/6", "-append", "ovum.link=mux"),
    ]


def test_kvm_runs_on_the_hosts_own_cpu() -> None:
    argv = qemu_argv(QemuConfig(image="app.elf", link_fd=5, accel="kvm"))
    assert argv[argv.index("-cpu") + 1] == "host"
    assert argv[argv.index("-accel") + 1] == "kvm"


def test_what_the_user_says_is_taken_as_it_is() -> None:
    argv = qemu_argv(
        QemuConfig(image="i", link_fd=5, machine="q35,hpet=off", cpu="qemu64", memory_mib=40)
    )
    assert argv[argv.index("-machine") + 1] == "q35,hpet=off"
    assert argv[argv.index("-cpu") + 1] == "qemu64"
    assert argv[argv.index("-m") + 1] == "40M"
    assert "-append" not in argv and "-initrd" not in argv


def test_kvm_needs_a_cpu_that_can(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    device.touch()
    assert choose_accel("auto", device, cpuinfo(tmp_path, "svm")) == "kvm"
    assert choose_accel("auto", device, cpuinfo(tmp_path, "vmx")) == "kvm"
    assert choose_accel("auto", device, cpuinfo(tmp_path, "vmxnot")) == "tcg"
    assert choose_accel("tcg", device, cpuinfo(tmp_path, "svm")) == "tcg"


def test_without_the_device_there_is_no_kvm(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    assert choose_accel("auto", device, cpuinfo(tmp_path, "svm")) == "tcg"
    with pytest.raises(QemuError, match="there is no"):
        choose_accel("kvm", device, cpuinfo(tmp_path, "svm"))


def test_asking_for_kvm_in_vain_says_why(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    device.touch()
    with pytest.raises(QemuError, match="vmx nor svm"):
        choose_accel("kvm", device, cpuinfo(tmp_path, ""))


def test_the_rate_of_the_clock_is_half_of_bogomips(tmp_path: Path) -> None:
    assert host_tsc_khz(cpuinfo(tmp_path, "")) == 2_445_400


def test_a_clock_that_is_not_constant_has_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("flags : tsc\nbogomips : 4890.80\n")
    assert host_tsc_khz(path) is None
    assert host_tsc_khz(tmp_path / "missing") is None


def test_a_missing_qemu_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QemuError, match="apt-get install qemu-system-x86"):
        find_qemu()


@pytest.mark.parametrize(
    ("text", "mib"),
    [("256", 256), ("40M", 40), ("3G", 3072), ("1g", 1024), ("2048K", 2), ("64MiB", 64)],
)
def test_sizes_of_memory(text: str, mib: int) -> None:
    assert parse_memory(text) == mib


@pytest.mark.parametrize("text", ["", "lots", "-5", "1.5G", "0", "1000K", "M"])
def test_what_is_no_size_of_memory(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|MiB"):
        parse_memory(text)

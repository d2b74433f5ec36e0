"""An image boots without the command: plain QEMU, and GRUB from a compact disc."""

import subprocess
from pathlib import Path

import pytest

from . import machine
from .conftest import HELLO

OUTPUT = f"{HELLO}\r\n".encode()
"""A plain serial terminal: the carriage return is the terminal's."""


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("name", ["pc", "q35", "microvm"])
def test_plain_qemu_boots_an_image_and_powers_off(name: str, cpu: str, hello_elf: Path) -> None:
    result = machine.qemu("-M", name, "-cpu", cpu, "-m", "256", "-kernel", hello_elf)
    assert result.expect().stdout == OUTPUT


def test_the_shortest_command_boots_an_image(hello_elf: Path) -> None:
    result = machine.qemu("-m", "256", "-kernel", hello_elf)
    assert result.expect().stdout == OUTPUT


def test_words_after_two_dashes_are_arguments(hello_program: Path, tmp_path: Path) -> None:
    image = tmp_path / "words.elf"
    machine.command("build", "-c", "import sys; print(sys.argv)", "-o", image).expect()
    result = machine.qemu("-m", "256", "-kernel", image, "-append", "ovum.log=1 -- a b")
    assert result.expect().out == "['-c', 'a', 'b']\r\n"


def test_the_log_goes_to_a_plain_terminal_when_asked_for(hello_elf: Path) -> None:
    result = machine.qemu(
        *("-M", "q35", "-m", "256", "-kernel", hello_elf, "-append", "ovum.log=3 no.such=word")
    ).expect()
    for words in ("booted through pvh", "starting /init", "no.such=word", HELLO):
        assert words in result.out


def test_qemus_exit_port_carries_the_status(tmp_path: Path) -> None:
    """isa-debug-exit makes (value << 1) | 1 of what is written."""
    image = tmp_path / "status.elf"
    machine.command("build", "-c", "raise SystemExit(7)", "-o", image).expect()
    result = machine.qemu(
        *("-m", "256", "-kernel", image, "-append", "ovum.exit=0xf4"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
    )
    assert result.status == 7 << 1 | 1


def test_a_panic_powers_a_plain_machine_off(tmp_path: Path) -> None:
    image = tmp_path / "panic.elf"
    source = machine.PANIC.format(memset=machine.kernel_symbol("memset"))
    machine.command("build", "-c", source, "-o", image).expect()
    result = machine.qemu("-m", "256", "-kernel", image)
    assert "ovum: kernel panic: page fault at ffffd07fffff0000 (write)" in result.out
    assert 'File "<string>", line 6 in provoke' in result.out


@pytest.fixture(scope="module")
def disc(hello_elf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bootable disc with GRUB and the image that QEMU boots directly, too."""
    folder = tmp_path_factory.mktemp("disc")
    tree = folder / "tree"
    (tree / "boot" / "grub").mkdir(parents=True)
    (tree / "boot" / "app.elf").hardlink_to(hello_elf)
    (tree / "boot" / "grub" / "grub.cfg").write_text(
        "set timeout=0\nmenuentry ovum {\n  multiboot2 /boot/app.elf ovum.log=3 from=grub\n}\n"
    )
    machine.require("mformat")
    machine.require("xorriso")
    made = folder / "ovum.iso"
    subprocess.run(
        [machine.require("grub-mkrescue"), "-o", made, tree], check=True, capture_output=True
    )
    return made


@pytest.mark.parametrize("name", ["pc", "q35"])
def test_grub_boots_the_same_image_from_a_disc(name: str, disc: Path) -> None:
    result = machine.qemu("-M", name, "-cpu", "max", "-m", "256", "-cdrom", disc).expect()
    assert "booted through multiboot2" in result.out
    assert "from=grub" in result.out
    assert OUTPUT in result.stdout  # among what the console on the screen logs

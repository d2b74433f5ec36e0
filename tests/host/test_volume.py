"""ovum.volume: what --volume says, to QEMU and to the machine."""

from pathlib import Path

import pytest

from ovum.drivers.volumes import volumes_of
from ovum.options import UsageError, parse_run
from ovum.qemu import QemuConfig, qemu_argv
from ovum.volume import Volume


def test_a_volume_is_a_folder_a_path_and_perhaps_read_only(tmp_path: Path) -> None:
    assert Volume.parse(f"{tmp_path}:/data") == Volume(tmp_path, "/data")
    assert Volume.parse(f"{tmp_path}:/data:ro") == Volume(tmp_path, "/data", readonly=True)


@pytest.mark.parametrize("text", ["", "/tmp", "/tmp:", "/tmp:data", "/tmp:/", ":/data", "/tmp:ro"])
def test_what_is_no_volume_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not FOLDER:/PATH"):
        Volume.parse(text)


def test_the_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        parse_run(["--volume", f"{tmp_path}/missing:/data", "prog.py"])


@pytest.mark.parametrize(("kind", "bus"), [("microvm", "device"), ("q35,hpet=off", "pci")])
def test_qemu_shares_it_and_the_machine_is_told(tmp_path: Path, kind: str, bus: str) -> None:
    folder = tmp_path / "a, b"
    folder.mkdir()
    volumes = tuple(Volume.parse(f"{folder}:/my data{flag}") for flag in ("", ":ro"))
    argv = qemu_argv(
        QemuConfig(image="i", link_fd=5, machine=kind, append="ovum.log=3", volumes=volumes)
    )
    path = str(folder).replace(",", ",,")
    shared = f"local,id=volume0,path={path},security_model=none,multidevs=remap"
    at = argv.index("-fsdev")
    assert argv[at : at + 4] == [
        *("-fsdev", shared),
        *("-device", f"virtio-9p-{bus},fsdev=volume0,mount_tag=volume0"),
    ]
    assert f"{shared.replace('volume0', 'volume1')},readonly=on" in argv
    line = argv[argv.index("-append") + 1]
    assert line == "ovum.log=3 ovum.volume=volume0:/my%20data ovum.volume=volume1:/my%20data:ro"
    assert list(volumes_of(line)) == [
        ("volume0", "/my data", False),
        ("volume1", "/my data", True),
    ]


def test_words_of_the_program_are_no_volumes() -> None:
    line = "ovum.volume=a:/%C3%A9%25 -- ovum.volume=b:/b"
    assert list(volumes_of(line)) == [("a", "/é%", False)]


@pytest.mark.parametrize("path", ["/%", "/%2", "/%zz"])
def test_a_path_that_is_quoted_wrongly_is_told(path: str) -> None:
    with pytest.raises(ValueError, match=r"fromhex|quoted"):
        list(volumes_of(f"ovum.volume=a:{path}"))

"""Formats of `ovum pack`: what others read in them, and that they are always the same."""

import gzip
import hashlib
import io
import json
import os
import shlex
import subprocess
import tarfile
import uuid
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ovum.pack import grub
from ovum.pack.formats import FORMATS, files, pack, summary
from ovum.pack.payload import PackError, Payload
from ovum.progress import Progress
from tests.host.packing import image, payload

WORDS = ("ovum.log=3", "from=test")
SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")


def packed(folder: Path, *formats: str, network: str = "user") -> dict[str, Path]:
    """These formats of the small image, by name."""
    work = folder / "work"
    work.mkdir(parents=True)
    wanted = files(formats, folder / "app") if len(formats) > 1 else None
    wanted = wanted or {formats[0]: folder / f"app{FORMATS[formats[0]].suffix}"}
    pack(payload(work, WORDS, network), wanted, work, Progress(silent=True))
    return wanted


@pytest.fixture(scope="module")
def all_formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return packed(tmp_path_factory.mktemp("packed"), *FORMATS)


def test_the_same_inputs_give_the_same_bytes(
    all_formats: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr(os, "umask", lambda _: 0o77)
    again = packed(tmp_path, *FORMATS)
    for name, path in all_formats.items():
        if name == "libvirt":
            # It names the image's folder, and nothing else differs.
            text = again[name].read_text().replace(str(tmp_path), str(path.parent))
            assert text == path.read_text()
        else:
            assert again[name].read_bytes() == path.read_bytes(), name
    assert (tmp_path / "app.elf").read_bytes() == (path.parent / "app.elf").read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {
        *("app.iso", "app.img", "app.qcow2", "app.elf", "app.json", "app.tar", "app.xml", "work")
    }


def test_other_words_are_another_medium(tmp_path: Path) -> None:
    made = image(tmp_path)
    one, two = Payload.of(made, ["a"]), Payload.of(made, ["b"])
    assert one.identity == Payload.of(made, ["a"]).identity != two.identity
    assert one.guid("disk") not in (one.guid("efi"), two.guid("disk"))
    assert (one.guid("x").version, one.guid("x").variant) == (8, uuid.RFC_4122)


# The disc


def xorriso(disc: Path, *words: str) -> str:
    argv = ["xorriso", "-no_rc", "-indev", str(disc), *words]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_disc_has_every_way_in(all_formats: dict[str, Path]) -> None:
    disc = all_formats["iso"]
    report = xorriso(disc, "-report_el_torito", "plain", "-report_system_area", "plain")
    boots = [line.split() for line in report.splitlines() if line.startswith("El Torito boot img")]
    assert [line[6:8] for line in boots] == [["BIOS", "y"], ["UEFI", "y"]]
    assert "grub2-mbr" in report and "protective-msdos-label" in report
    # The type of an EFI system partition, as the bytes are in the table.
    assert "28732ac11ff8d211ba4b00a0c93ec93b" in report
    guids = [line.split()[-1] for line in report.splitlines() if "GPT partition GUID" in line]
    assert len(set(guids)) == len(guids) >= 2


def test_the_disc_has_what_grub_starts(all_formats: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "disc"
    xorriso(all_formats["iso"], "-osirrox", "on", "-extract", "/", str(folder))
    expected = payload(tmp_path, WORDS)
    data = expected.image.read_bytes()
    assert (folder / grub.KERNEL).read_bytes() == expected.kernel
    assert (folder / grub.ARCHIVES).read_bytes() == data[len(expected.kernel) :]
    assert (folder / grub.marker(expected)).read_bytes() == b"ovum\n"
    assert "'ovum.log=3' 'from=test'" in (folder / grub.CONFIGURATION).read_text()
    listing = xorriso(all_formats["iso"], "-lsl", "/boot", "--")
    assert "-r--r--r--    1 0        0 " in listing and "Jan  2  1980" in listing


# Firecracker

VM_CONFIG = {
    "boot-source": {"kernel_image_path": str, "boot_args": str},
    "drives": list,
    "machine-config": {"vcpu_count": int, "mem_size_mib": int},
    "network-interfaces": list,
}
"""Firecracker's docs/getting-started.md and swagger/firecracker.yaml: unknown keys are errors."""


def check_shape(value: object, shape: object) -> None:
    if isinstance(shape, dict):
        assert isinstance(value, dict) and value.keys() == shape.keys()
        for key, below in shape.items():
            check_shape(value[key], below)
    else:
        assert type(value) is shape


def test_firecrackers_configuration(all_formats: dict[str, Path]) -> None:
    file = all_formats["firecracker"]
    settings = json.loads(file.read_text())
    check_shape(settings, VM_CONFIG)
    assert settings["boot-source"] == {
        "kernel_image_path": "app.elf",
        "boot_args": "ovum.log=3 from=test",
    }
    assert settings["machine-config"] == {"vcpu_count": 1, "mem_size_mib": 128}
    assert settings["network-interfaces"] == []
    elf = file.with_name("app.elf")
    assert elf.read_bytes()[:4] == b"\x7fELF" and os.access(elf, os.X_OK)


def test_firecracker_with_a_network(tmp_path: Path) -> None:
    made = packed(tmp_path, "firecracker", network="tap:tap7,192.0.2.5/24,hostname=egg")
    settings = json.loads(made["firecracker"].read_text())
    (card,) = settings["network-interfaces"]
    assert (card["iface_id"], card["host_dev_name"]) == ("eth0", "tap7")
    assert card["guest_mac"].startswith("52:54:00:")
    words = settings["boot-source"]["boot_args"].split()
    assert words[2:] == ["ovum.net=192.0.2.5/24,hostname=egg", "ovum.hostname=egg"]


# libvirt


@pytest.mark.parametrize("network", ["user", "none", "tap:tap7"])
def test_the_domain_is_what_libvirts_schema_says(network: str, tmp_path: Path) -> None:
    domain = packed(tmp_path, "libvirt", network=network)["libvirt"]
    done = subprocess.run(
        ["xmllint", "--noout", "--relaxng", SCHEMA, domain], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    root = ElementTree.parse(domain).getroot()
    assert root.findtext("name") == "app"
    assert root.findtext("os/kernel") == str((tmp_path / "app.elf").resolve())
    assert root.findtext("os/cmdline") == "ovum.log=3 from=test"
    assert (tmp_path / "app.elf").read_bytes() == (tmp_path / "work" / "app.elf").read_bytes()
    cards = root.findall("devices/interface")
    assert [card.get("type") for card in cards] == {
        "user": ["network"],
        "none": [],
        "tap:tap7": ["ethernet"],
    }[network]


def test_the_schema_finds_mistakes(all_formats: dict[str, Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xml"
    wrong.write_text(all_formats["libvirt"].read_text().replace("<vcpu>", "<vcpu a='b'>"))
    argv = ["xmllint", "--noout", "--relaxng", str(SCHEMA), str(wrong)]
    assert subprocess.run(argv, capture_output=True).returncode


def test_a_domain_and_its_image_are_two_files(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"the image beside it is \.elf"):
        pack(payload(tmp_path), {"libvirt": tmp_path / "x.elf"}, tmp_path, Progress(silent=True))


# KubeVirt


def blobs(archive: Path) -> dict[str, bytes]:
    """The files of an OCI archive."""
    with tarfile.open(archive) as tar:
        found = {}
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
        return found


def test_the_container_image_is_what_oci_says(all_formats: dict[str, Path]) -> None:
    found = blobs(all_formats["containerdisk"])
    assert json.loads(found.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads(found.pop("index.json"))
    for name, content in found.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"

    def blob(descriptor: dict[str, Any]) -> bytes:
        content = found.pop(f"blobs/{descriptor['digest'].replace(':', '/')}")
        assert len(content) == descriptor["size"]
        return content

    assert (index["schemaVersion"], len(index["manifests"])) == (2, 1)
    reference = index["manifests"][0]
    manifest = json.loads(blob(reference))
    assert manifest["mediaType"] == reference["mediaType"]
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    config = json.loads(blob(manifest["config"]))
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    plain = gzip.decompress(blob(layer))
    assert config["rootfs"] == {
        "type": "layers",
        "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"],
    }
    assert not found
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        folder, disk = tar.getmembers()
        assert (folder.name, folder.isdir()) == ("disk", True)
        assert (disk.name, disk.uid, disk.gid, disk.mode) == ("disk/app.qcow2", 107, 107, 0o440)
        file = tar.extractfile(disk)
        assert file is not None and file.read() == all_formats["qcow2"].read_bytes()


# All of them


def test_the_summary_has_commands_that_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    made = packed(folder, *FORMATS)
    lines = list(summary(made, 128))
    assert len(lines) == 2 * len(FORMATS)
    for line, command, path in zip(lines[::2], lines[1::2], made.values(), strict=True):
        assert line.startswith(f"{path}") and " MiB, " in line
        named = [word for word in shlex.split(command) if str(folder) in word]
        assert len(named) == 1
        assert Path(named[0].rpartition("=")[2].removeprefix("oci-archive:")).is_file()


@pytest.mark.parametrize(
    ("missing", "formats", "message"),
    [
        ("grub-mkimage", ["iso"], "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin"),
        ("grub-mkimage", ["qcow2"], "grub-mkimage is missing"),
        ("xorriso", ["iso"], "apt-get install xorriso"),
    ],
)
def test_what_is_missing_is_named(
    missing: str,
    formats: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in {"grub-mkimage", "xorriso"} - {missing}:
        (tools / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(PackError, match=message):
        packed(tmp_path / "out", *formats)
    assert not list((tmp_path / "out").glob("app*"))


def test_missing_modules_of_grub_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grub, "FOLDERS", (tmp_path,))
    (tmp_path / "i386-pc").mkdir()
    (tmp_path / "i386-pc" / "kernel.img").write_bytes(b"")
    with pytest.raises(PackError, match=r"x86_64-efi are missing: install .* grub-efi-amd64-bin"):
        packed(tmp_path / "out", "raw")


def test_a_failing_tool_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    tool = tools / "xorriso"
    tool.write_text("#!/bin/sh\necho 'xorriso : FAILURE : no room' >&2\nexit 5\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    with pytest.raises(PackError, match="xorriso failed: xorriso : FAILURE : no room"):
        packed(tmp_path / "out", "iso")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"work"}

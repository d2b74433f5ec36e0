"""The files that are kept up to date, and those that are left alone."""

from pathlib import Path

import pytest

from ovum.net.clients import system
from ovum.net.clients.texts import HOSTS, MARK, WAITING


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(system, "log", lambda _level, text: said.append(text))
    return said


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


def test_the_link_of_an_image_becomes_a_file(tmp_path: Path, etc: Path) -> None:
    machine = system.MachineSystem(str(tmp_path))
    (etc / "resolv.conf").symlink_to(WAITING)
    for text in (f"{MARK}nameserver 192.0.2.1\n", f"{MARK}nameserver 192.0.2.2\n"):
        machine.write_resolv_conf(text)
        assert (etc / "resolv.conf").read_text() == text
        assert not (etc / "resolv.conf").is_symlink()
    assert [path.name for path in etc.iterdir()] == ["resolv.conf"]


def test_a_reader_keeps_what_it_has_opened(tmp_path: Path, etc: Path) -> None:
    machine = system.MachineSystem(str(tmp_path))
    (etc / "hosts").write_text(MARK + HOSTS)
    with (etc / "hosts").open() as reader:
        machine.write_hosts(MARK)
        assert reader.read() == MARK + HOSTS
    assert (etc / "hosts").read_text() == MARK


def test_a_file_that_is_not_there_is_made(tmp_path: Path, etc: Path) -> None:
    system.MachineSystem(str(tmp_path)).write_resolv_conf(MARK)
    assert (etc / "resolv.conf").read_text() == MARK


@pytest.mark.parametrize("text", ["", "nameserver 1.1.1.1\n", f"# mine\n{MARK}", "\xff\xfe"])
def test_a_file_of_the_programs_stays(tmp_path: Path, etc: Path, text: str) -> None:
    machine = system.MachineSystem(str(tmp_path))
    (etc / "resolv.conf").write_text(text, encoding="latin-1")
    machine.write_resolv_conf(MARK)
    assert (etc / "resolv.conf").read_text(encoding="latin-1") == text


def test_a_link_of_the_programs_stays(tmp_path: Path, etc: Path) -> None:
    machine = system.MachineSystem(str(tmp_path))
    (etc / "resolv.conf").symlink_to("somewhere")
    machine.write_resolv_conf(MARK)
    assert (etc / "resolv.conf").readlink() == Path("somewhere")


def test_what_cannot_be_written_is_told_once(tmp_path: Path, notes: list[str]) -> None:
    machine = system.MachineSystem(str(tmp_path))
    machine.write_hosts(MARK)
    machine.write_hosts(MARK)
    (note,) = notes
    assert f"{tmp_path}/etc/hosts stays as it is" in note

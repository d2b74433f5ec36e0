"""ovum.apt: which mirror the host's configuration names, and what a missing tool says."""

from pathlib import Path

import pytest

from ovum import apt
from ovum.apt import Apt, AptError, debian_mirror


def configure(etc: Path, name: str, text: str) -> None:
    path = etc / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_deb822_file_names_the_mirror(tmp_path: Path) -> None:
    configure(
        tmp_path,
        "sources.list.d/debian.sources",
        "Types: deb\n# a comment\nURIs: http://security.test/debian-security\n"
        "Suites: stable-security\nComponents: main\n\n"
        "Types: deb deb-src\nURIs: http://mirror.test/debian/\nSuites: stable\n"
        "Components: main contrib\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    )
    assert debian_mirror(tmp_path, {}) == "http://mirror.test/debian"


def test_a_one_line_file_names_the_mirror(tmp_path: Path) -> None:
    configure(
        tmp_path,
        "sources.list",
        "# deb http://old.test/debian stable main\n"
        "deb [arch=amd64 signed-by=/k.gpg] https://mirror.test/debian stable contrib main # us\n",
    )
    assert debian_mirror(tmp_path, {}) == "https://mirror.test/debian"


def test_foreign_and_disabled_archives_are_passed_over(tmp_path: Path) -> None:
    configure(tmp_path, "sources.list.d/a.list", "deb https://cloud.test/apt stable main\n")
    configure(
        tmp_path,
        "sources.list.d/b.sources",
        "Enabled: no\nTypes: deb\nURIs: http://off.test/debian\nSuites: x\nComponents: main\n",
    )
    with pytest.raises(AptError, match="OVUM_DEBIAN_MIRROR"):
        debian_mirror(tmp_path, {})


def test_a_mirror_on_the_network_is_preferred_to_one_on_disk(tmp_path: Path) -> None:
    configure(
        tmp_path,
        "sources.list",
        "deb file:/media/debian stable main\ndeb http://mirror.test/debian stable main\n",
    )
    assert debian_mirror(tmp_path, {}) == "http://mirror.test/debian"


def test_the_variable_overrides_the_configuration(tmp_path: Path) -> None:
    configure(tmp_path, "sources.list", "deb http://mirror.test/debian stable main\n")
    environment = {apt.MIRROR_VARIABLE: "http://mine.test/debian/"}
    assert debian_mirror(tmp_path, environment) == "http://mine.test/debian"


def test_without_apt_the_message_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AptError, match="apt-get is missing"):
        Apt(tmp_path, "stable", "http://mirror.test/debian")


def test_without_debian_keys_the_message_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "KEYRING", tmp_path / "no.gpg")
    with pytest.raises(AptError, match="debian-archive-keyring"):
        Apt(tmp_path, "stable", "http://mirror.test/debian")


def test_a_mirror_that_does_not_answer_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "RETRIES", 0)
    # Nothing listens on the discard port of this machine.
    with pytest.raises(AptError, match=r"apt-get update failed(.|\n)*OVUM_DEBIAN_MIRROR"):
        Apt(tmp_path, "stable", "http://127.0.0.1:9/debian").update()


def test_an_unsigned_archive_is_refused(tmp_path: Path) -> None:
    release = tmp_path / "mirror" / "dists" / "stable" / "Release"
    release.parent.mkdir(parents=True)
    release.write_text("Suite: stable\nComponents: main\nArchitectures: amd64\n")
    with pytest.raises(AptError, match="not signed"):
        Apt(tmp_path / "state", "stable", f"file:{tmp_path}/mirror").update()

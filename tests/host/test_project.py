"""ovum.project: a program's own words about running it."""

from pathlib import Path

import pytest

from ovum.project import Project, ProjectError, project_file, read_project


def written(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_the_table_says_network_and_ports(tmp_path: Path) -> None:
    path = written(tmp_path, '[tool.ovum]\nnet = "none"\npublish = ["8080:80", "53/udp"]\n')
    assert read_project(path) == Project("none", ("8080:80", "53/udp"))


def test_no_file_or_no_table_says_nothing(tmp_path: Path) -> None:
    assert read_project(tmp_path / "pyproject.toml") == Project()
    assert read_project(written(tmp_path, '[project]\nname = "x"\n')) == Project()
    assert read_project(written(tmp_path, '[project]\nname = "ovum"\n')) == Project()
    # Somebody else's mistakes are not ours to tell.
    assert read_project(written(tmp_path, "[[[")) == Project()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.ovum", "pyproject.toml: "),
        ("[tool]\novum = 1", "is no table"),
        ("[tool.ovum]\nnett = 1", "unknown key: nett"),
        ("[tool.ovum]\nnet = 1", "net is a text"),
        ("[tool.ovum]\npublish = 8080", "publish is a list of texts"),
        ("[tool.ovum]\npublish = [8080]", "publish is a list of texts"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        read_project(written(tmp_path, text))


def test_it_is_beside_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "app.py").touch()
    assert project_file("web") == folder / "pyproject.toml"
    assert project_file("web/app.py") == folder / "pyproject.toml"
    for target in (None, "-"):
        assert project_file(target) == tmp_path / "pyproject.toml"

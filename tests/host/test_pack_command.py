"""The command `ovum pack`: its words, what it writes where, and what it says of mistakes."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ovum.cli import main
from ovum.image import read_start
from ovum.options import UsageError
from ovum.pack.formats import FORMATS, files, format_of
from ovum.pack.options import EPILOG, parse_pack
from ovum.pack.payload import PackError, Payload
from ovum.paths import REPO
from tests.host.packing import image


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_words_are_read(here: Path) -> None:
    options = parse_pack(
        [
            *("-m", "web", "--with", "flask", "-e", "A=B", "--format", "iso,raw", "-o", "out/web"),
            *("--format", "iso", "--append", "ovum.log=3 a=b", "--append", "c", "--memory", "1G"),
            *("--net", "tap:tap0", "--", "--port", "80"),
        ]
    )
    assert (options.formats, options.words) == (["iso", "raw"], ["ovum.log=3", "a=b", "c"])
    assert options.output == Path("out/web")
    image = options.image
    assert (image.module, image.packages, image.environ) == ("web", ["flask"], {"A": "B"})
    assert (image.arguments, image.memory_mib) == (["--port", "80"], 1024)
    assert image.net is not None and image.net.tap == "tap0"


def test_a_file_says_its_format() -> None:
    for name, known in FORMATS.items():
        assert format_of(Path(f"x{known.suffix}")) == name
        assert files([name], Path("x.y")) == {name: Path("x.y")}
    assert files(["iso", "raw"], Path("a/x.1")) == {
        "iso": Path("a/x.1.iso"),
        "raw": Path("a/x.1.img"),
    }
    with pytest.raises(PackError, match="--format is missing"):
        format_of(Path("x.exe"))
    with pytest.raises(UsageError, match="--format vhd: there are iso, raw"):
        parse_pack(["x", "-o", "y", "--format", "iso,vhd"])


@pytest.mark.parametrize("word", ["it's", 'a="b"', "back\\slash", "ä", "tab\tbed"])
def test_words_that_do_not_survive_are_refused(word: str, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot be passed on"):
        Payload.of(image(tmp_path), ["fine", word])


def test_a_long_command_line_is_refused(tmp_path: Path) -> None:
    made = image(tmp_path)
    assert len(Payload.of(made, ["x" * 1023, "y" * 1023]).words) == 2047
    with pytest.raises(PackError, match="2048 characters, of which 2047"):
        Payload.of(made, ["x" * 1023, "y" * 1024])


def test_an_image_is_packed_as_it_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = image(here)
    assert main(["pack", "app.elf", "-o", "fire.json"]) == 0
    assert Path("fire.elf").read_bytes() == made.read_bytes()
    assert {path.name for path in here.iterdir()} == {"app.elf", "fire.elf", "fire.json"}
    said = capsys.readouterr()
    assert "fire.json and fire.elf: " in said.err
    assert "firecracker --no-api --config-file fire.json" in said.err
    assert said.out == ""


def test_an_image_gets_more_arguments_and_settings(here: Path) -> None:
    image(here)
    words = ["pack", "app.elf", "-o", "more.json"]
    assert main([*words, "-e", "C=D", "--memory", "64M", "--", "--port", "80"]) == 0
    argv, environ, cwd = read_start(Path("more.elf"))
    assert argv == ["/usr/bin/python3.13", "/app/prog.py", "--port", "80"]
    assert (environ["A"], environ["C"], cwd) == ("B", "D", "/app")
    assert json.loads(Path("more.json").read_text())["machine-config"]["mem_size_mib"] == 64


def test_the_programs_table_names_the_network(here: Path) -> None:
    image(here)
    Path("pyproject.toml").write_text('[tool.ovum]\nnet = "user,hostname=egg"\n')
    assert main(["pack", "app.elf", "-o", "a.json"]) == 0
    assert "ovum.hostname=egg" in Path("a.json").read_text()
    assert main(["pack", "app.elf", "-o", "a.json", "--net", "none"]) == 0
    assert "ovum.hostname" not in Path("a.json").read_text()
    Path("pyproject.toml").write_text('[tool.ovum]\nnet = "avian carriers"\n')
    assert main(["pack", "app.elf", "-o", "a.json"]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["app.elf"], "required: -o"),
        (["app.elf", "-o", "x"], "--format is missing, and -o x does not say either"),
        (["app.elf", "-o", "no/such/x.iso"], "there is no folder no/such"),
        (["missing.py", "-o", "x.iso"], "there is no missing.py"),
        (["app.elf", "-o", "x.iso", "--with", "numpy"], "finished image"),
        (["app.elf", "-o", "x.iso", "--append", "it's"], "cannot be passed on"),
        (["app.elf", "-o", "x.iso", "--memory", "lots"], "not a size"),
        (["app.elf", "-o", "x.elf", "--format", "libvirt"], "beside it is .elf"),
        (["cut.elf", "-o", "x.iso"], "cut.elf is cut off"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = image(here).read_bytes()
    (here / "cut.elf").write_bytes(data[:-1])
    assert main(["pack", *words]) == 2
    complaints = [line for line in capsys.readouterr().err.splitlines() if " (0." not in line]
    assert len(complaints) == 1 and message in complaints[0], complaints
    assert {path.name for path in here.iterdir()} == {"app.elf", "cut.elf"}


def _documented() -> list[str]:
    """Every `ovum pack` of the help and the documentation, as one line."""
    texts = [EPILOG, (REPO / "docs/shipping.md").read_text(), (REPO / "README.md").read_text()]
    lines = "\n".join(texts).replace("\\\n", " ").splitlines()
    starts = (line.strip().removeprefix("./dev ") for line in lines)
    return [line for line in starts if line.startswith("ovum pack ")]


@pytest.mark.parametrize("line", _documented())
def test_what_is_documented_is_understood(line: str) -> None:
    words = shlex.split(re.split(r"   |  #", line)[0])
    options = parse_pack(words[2:])
    assert options.formats or format_of(options.output)


def test_help_has_examples_and_every_format() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ovum", "pack", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "ovum pack app.elf --format" in done.stdout
    for name in FORMATS:
        assert f"\n  {name} " in done.stdout

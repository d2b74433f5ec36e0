"""ovum.options: where ovum's words end and the program's begin, and what each means."""

from pathlib import Path

import pytest

from ovum.options import UsageError, parse_build, parse_run, split_target


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ([], None, [])),
        ("prog.py", ([], "prog.py", [])),
        ("prog.py -v --memory 1", ([], "prog.py", ["-v", "--memory", "1"])),
        ("-v prog.py -v", (["-v"], "prog.py", ["-v"])),
        ("--memory 1G prog.py", (["--memory", "1G"], "prog.py", [])),
        ("--memory=1G prog.py", (["--memory=1G"], "prog.py", [])),
        ("-e A=B -r req.txt p a", (["-e", "A=B", "-r", "req.txt"], "p", ["a"])),
        ("-eA=B p a", (["-eA=B"], "p", ["a"])),
        ("-m http.server -v 80", (["-m", "http.server"], None, ["-v", "80"])),
        ("-mhttp.server -v 80", (["-mhttp.server"], None, ["-v", "80"])),
        ("-v -c print(1) -c", (["-v", "-c", "print(1)"], None, ["-c"])),
        ("- a", ([], "-", ["a"])),
        ("-v -- -odd.py -v", (["-v"], "-odd.py", ["-v"])),
    ],
)
def test_ovums_words_end_where_the_program_begins(
    words: str, expected: tuple[list[str], str | None, list[str]]
) -> None:
    assert split_target(words.split()) == expected


def test_everything_at_once() -> None:
    options = parse_run(
        [
            *("-r", "a.txt", "-r", "b.txt", "--with", "numpy==2", "--with", "rich"),
            *("--add", "/etc/hostname:/x", "-e", "A=B=C", "-e", "D=", "--memory", "1G"),
            *("--timeout", "2.5", "--accel", "tcg", "--machine", "q35", "--cpu", "qemu64"),
            *("-v", "--strip", "--include", "json", "prog.py", "a"),
        ]
    )
    assert options.requirements == [Path("a.txt"), Path("b.txt")]
    assert options.packages == ["numpy==2", "rich"]
    assert [(str(one.host), one.guest) for one in options.additions] == [("/etc/hostname", "x")]
    assert options.environ == {"A": "B=C", "D": ""}
    assert (options.memory_mib, options.timeout_s) == (1024, 2.5)
    assert (options.accel, options.machine, options.cpu) == ("tcg", "q35", "qemu64")
    assert options.verbose and options.strip and options.includes == ["json"]
    assert (options.target, options.arguments) == ("prog.py", ["a"])


def test_words_for_qemu_are_split_as_a_shell_does() -> None:
    words = ["--qemu", "-device edu", "--qemu", "-nodefaults", "--qemu=-name 'a b'", "p", "--qemu"]
    options = parse_run(words)
    assert options.qemu == ["-device", "edu", "-nodefaults", "-name", "a b"]
    assert (options.target, options.arguments) == ("p", ["--qemu"])
    assert parse_run(["p"]).qemu == []
    with pytest.raises(UsageError, match="--qemu"):
        parse_run(["--qemu", "-name 'a"])


def test_options_of_one_run_are_not_another_ones() -> None:
    parse_run(["--with", "numpy", "-e", "A=B", "p"])
    options = parse_run(["p"])
    assert (options.packages, options.environ) == ([], {})


def test_build_takes_its_options_on_both_sides_of_the_target() -> None:
    options = parse_build(["--strip", "prog.py", "-o", "app.elf", "--", "-v", "--", "x"])
    assert (options.target, options.output) == ("prog.py", Path("app.elf"))
    assert options.strip and options.arguments == ["-v", "--", "x"]
    assert parse_build(["-m", "web", "-o", "x"]).module == "web"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--memroy", "1G", "p"], "--memroy"),
        (["--memory", "lots", "p"], "not a size"),
        (["--timeout", "-1", "p"], "not a number of seconds"),
        (["--timeout", "inf", "p"], "not a number of seconds"),
        (["--accel", "warp", "p"], "invalid choice"),
        (["-e", "A", "p"], "KEY=VALUE"),
        (["-e", "=A", "p"], "KEY=VALUE"),
        (["--include", "json", "p"], "--include goes with --strip"),
        (["-r"], "expected one argument"),
        (["--tim", "3", "p"], "--tim"),
    ],
)
def test_mistakes_are_told(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_run(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["prog.py"], "-o/--output"),
        (["prog.py", "-c", "1", "-o", "x"], "not two"),
        (["prog.py", "a", "-o", "x"], "unrecognized arguments: a"),
        (["--timeout", "3", "prog.py", "-o", "x"], "unrecognized|not allowed"),
    ],
)
def test_mistakes_of_a_build_are_told(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_build(words)

"""ovum.bytecode: what the sysroot's Python makes of a file, and of one that is not Python."""

from pathlib import Path

from ovum.bytecode import Failure, Unit, compile_units
from ovum.sysroot import Sysroot
from tests.host.conftest import Run

UNCHECKED_HASH = b"\x01\x00\x00\x00"


def unit(folder: Path, name: str, source: str) -> Unit:
    path = folder / f"{name}.py"
    path.write_text(source)
    return Unit(path, folder / "out" / f"{name}.pyc", f"/app/{name}.py")


def test_bytecode_is_never_checked_against_its_source(sysroot: Sysroot, tmp_path: Path) -> None:
    one = unit(tmp_path, "one", "x = 1\n")
    assert compile_units(sysroot, [one]) == []
    assert one.output.read_bytes()[4:8] == UNCHECKED_HASH


def test_the_code_names_its_place_in_the_image(
    sysroot: Sysroot, debians: Run, tmp_path: Path
) -> None:
    one = unit(tmp_path, "one", "raise ValueError\n")
    compile_units(sysroot, [one])
    done = debians(str(one.output))
    assert 'File "/app/one.py", line 1' in done.stderr


def test_newer_grammar_than_the_hosts_is_understood(sysroot: Sysroot, tmp_path: Path) -> None:
    source = 'type Pair[T] = tuple[T, T]\nprint(f"{"nested"}")\n'
    assert compile_units(sysroot, [unit(tmp_path, "new", source)]) == []


def test_files_that_are_not_python_are_named_and_the_others_made(
    sysroot: Sysroot, tmp_path: Path
) -> None:
    units = [unit(tmp_path, f"good{number}", f"x = {number}\n") for number in range(40)]
    units.insert(7, unit(tmp_path, "bad", "def (\n"))
    failures = compile_units(sysroot, units)
    assert [failure.shown for failure in failures] == ["/app/bad.py"]
    assert isinstance(failures[0], Failure) and "SyntaxError" in failures[0].reason
    assert sum(one.output.exists() for one in units) == 40


def test_nothing_to_do_needs_no_sysroot(sysroot: Sysroot) -> None:
    assert compile_units(sysroot, []) == []


def test_code_without_columns_is_smaller(sysroot: Sysroot, tmp_path: Path) -> None:
    with_columns = unit(tmp_path, "a", "x = [1, 2, 3]\ny = x[0] + x[1] * x[2]\n" * 20)
    without = Unit(with_columns.source, tmp_path / "b.pyc", with_columns.shown)
    compile_units(sysroot, [with_columns])
    compile_units(sysroot, [without], columns=False)
    assert without.output.stat().st_size < with_columns.output.stat().st_size


def test_the_same_source_gives_the_same_bytes(sysroot: Sysroot, tmp_path: Path) -> None:
    source = "names = {'a', 'b', 'c'}\nok = 'x' in {'x', 'y', 'z'}\n"
    made = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        one = unit(tmp_path / folder, "same", source)
        compile_units(sysroot, [one])
        made.append(one.output.read_bytes())
    assert made[0] == made[1]

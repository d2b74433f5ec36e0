"""The short ways to JSON and files; and what a small program has to import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ovum.paths import REPO
from ovum.services.js.plain import loads, quoted


@pytest.mark.parametrize(
    "value",
    [
        None, True, 5, -2.5, 1e300, "", 'a"\\\n\x01é😀\u2028', [], {}, [[], {"a": {"": [1, None]}}],
        {"1": "2", "$": [0]}, 2**70,
    ],
)  # fmt: skip
def test_json_is_read_as_the_library_reads_it(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        found = loads(text)
        assert found == value
        assert type(found) is type(value)


def test_strings_are_quoted_for_both_languages() -> None:
    for text in ("a", "it's", 'a"b\\c\n\0', "é😀", "\ud800"):
        assert json.loads(quoted(text)) == text
        assert quoted(text).isascii()


def test_a_small_program_needs_no_large_modules() -> None:
    # They would take longer, in an emulated machine, than all else that it does.
    program = """
import sys
before = set(sys.modules)
from ovum.services.js.context import Context
with Context(environment=None) as context:
    context.evaluate("console.log('hi')")
    context.run()
print(*sorted(set(sys.modules) - before))
"""
    packages = Path(sys.executable).parent.parent / "lib"
    site = next(packages.glob("python3*/site-packages"))
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-I",
            "-c",
            f"import sys; sys.path[:0] = {[str(REPO), str(site)]}\n{program}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said, names = done.stdout.splitlines()
    assert said == "hi"
    large = {"asyncio", "contextlib", "enum", "importlib", "inspect", "json", "logging", "pathlib"}
    large |= {"re", "signal", "socket", "ssl", "traceback", "typing", "urllib", "warnings"}
    assert large.intersection(names.split()) == set()

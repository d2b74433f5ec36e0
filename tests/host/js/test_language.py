"""The language, as a ratchet: which cases of two suites pass is kept in language/passes.txt.

A case of that list that fails, and one that passes and is not in it, fail the test; after a change
that is meant, `python -m tests.host.js.test_language` writes the list anew.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from ovum.services import js

FOLDER = Path(__file__).parent / "language"
PASSES = FOLDER / "passes.txt"

HELPERS = """
globalThis.global = globalThis;
globalThis.__createIterableObject = function (values, methods = {}) {
    values.length++;
    const iterator = {
        next() { return {value: values.shift(), done: values.length <= 0} },
        return: methods.return,
        throw: methods.throw,
    };
    return {[Symbol.iterator]: () => iterator};
};
globalThis.asyncTestPassed = () => { globalThis.passed = true };
"""


def cases() -> Iterator[tuple[str, str]]:
    """Names, and programs that set the global `passed`."""
    table = json.loads((FOLDER / "compat-table.json").read_text())["cases"]
    for name, lines in table.items():
        body = "\n".join(lines)
        yield name, f"if ((function () {{\n{body}\n}})()) passed = true"
    name, lines = "", []
    for line in [*(FOLDER / "newer.js").read_text().splitlines(), "//# "]:
        if not line.startswith("//# "):
            lines.append(line)
            continue
        if name:
            body = "\n".join(lines)
            yield f"newer / {name}", f"(async () => {{\n{body}\n}})().then((x) => passed = x)"
        name, lines = line.removeprefix("//# "), []


def passes(program: str) -> bool:
    """Whether a case does what it is to do, in a context of its own."""
    with js.Context(time_limit=20) as context:
        context.evaluate(HELPERS)
        try:
            context.evaluate(program)
            context.run()
        except js.JSError:
            return False
        return context.get_global("passed") is True


def outcome() -> tuple[list[str], int]:
    """The names of the cases that pass, and how many there are."""
    results = {name: passes(program) for name, program in cases()}
    return [name for name, passed in results.items() if passed], len(results)


def test_the_cases_that_pass_are_those_of_the_list() -> None:
    found, count = outcome()
    known = PASSES.read_text().splitlines()
    print(f"{len(found)} of {count} cases of the language pass")
    assert sorted(set(known) - set(found)) == []
    assert sorted(set(found) - set(known)) == []


if __name__ == "__main__":
    passing, total = outcome()
    PASSES.write_text("".join(f"{name}\n" for name in passing))
    print(f"{len(passing)} of {total}")

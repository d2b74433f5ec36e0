"""URL by the cases of web-platform-tests: those that fail are listed, no more and no fewer do."""

import json
from pathlib import Path

import pytest

from ovum.services import js

DATA = Path(__file__).parent / "data"
LISTED: dict[str, list[str]] = json.loads((DATA / "url_failures.json").read_text("utf-8"))


@pytest.mark.parametrize("kind", ["urltestdata", "setters_tests", "toascii"])
def test_the_cases_that_fail_are_those_listed(kind: str) -> None:
    with js.Context(environment=("language",)) as context:
        run = context.evaluate((DATA / "web_platform.js").read_text("utf-8"), "web_platform.js")
        count, failures = run(kind, (DATA / f"{kind}.json").read_text("utf-8"))
    print(f"{kind}: {count - len(failures)} of {count}")
    assert sorted(failures) == sorted(LISTED[kind])

"""docs/network-conformance.md names tests that are there."""

from __future__ import annotations

import re

from ovum.paths import REPO
from tests.host.net.tcp.script import FOLDER, cases

PAGE = REPO / "docs/network-conformance.md"
TESTS = REPO / "tests/host/net"


def test_named_files_and_functions_exist() -> None:
    missing = []
    file = ""
    for path, name in re.findall(r"`([\w/]+\.py)?(?:::(test_\w+…?))?`", PAGE.read_text()):
        file = path or file
        if not (path or name) or file.startswith("net/"):
            continue
        place = (REPO if file.startswith("tests/") else TESTS) / file
        if not place.is_file():
            missing.append(file)
        elif name:
            found = re.findall(r"def (test_\w+)", place.read_text())
            if not any(f.startswith(name[:-1]) if name[-1] == "…" else f == name for f in found):
                missing.append(f"{file}::{name}")
    assert not missing


def test_named_script_cases_exist() -> None:
    known = {name for _, name, _ in cases()}
    files = {file.stem for file in FOLDER.glob("*.txt")}
    missing = []
    for text in re.findall(r"\*([^*\n|]+)\*", PAGE.read_text()):
        file, colon, name = text.partition(": ")
        if file not in files:
            name = text
        elif not colon:
            continue
        name = name.strip()
        if name.endswith("…"):
            stem = name.rstrip("… :")
            if not any(case.startswith(stem) for case in known):
                missing.append(text)
        elif name not in known:
            missing.append(text)
    assert not missing

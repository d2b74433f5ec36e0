"""What the kernel refuses is documented."""

import re

from ovum.paths import REPO

_REFUSED = re.compile(r"REFUSE\((\d+), (\w+), (E\w+)\)")


def test_every_refused_call_is_explained_with_its_error() -> None:
    table = (REPO / "microkernel/sys/table.h").read_text()
    rows = [
        line.split("|")[1:3]
        for line in (REPO / "docs/linux.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    documented = {
        (name, error.strip()) for calls, error in rows for name in re.findall(r"`(\w+)`", calls)
    }
    refused = {(name, error) for _, name, error in _REFUSED.findall(table)}
    assert len(refused) > 30
    assert refused <= documented, refused - documented

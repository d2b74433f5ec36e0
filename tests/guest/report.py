"""Reads what the checks in the guest printed: a line for each, and a last one with their number."""

import dataclasses
import json
import re

_LINE = re.compile(r"TEST (\w+) (ok|fail)(?: (.*))?")
_LAST = re.compile(r"TESTS (\d+) done")


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """One run of the checks."""

    passed: dict[str, str]
    """How long each took that passed."""
    failed: dict[str, str]
    """Why the others did not."""
    complete: bool
    """Whether the last line came, with the right number."""
    rest: str
    """What was printed besides."""

    def verdict(self, name: str) -> str | None:
        """What is wrong with this check, or None."""
        if name in self.passed:
            return None
        if name in self.failed:
            return self.failed[name]
        return f"the guest said nothing of this check; what else it said:\n{self.rest}"


def parse(output: str, errors: str) -> Report:
    """Makes a report of standard output and standard error."""
    passed: dict[str, str] = {}
    failed: dict[str, str] = {}
    rest: list[str] = []
    announced = None
    for line in output.splitlines():
        if match := _LINE.fullmatch(line):
            name, verdict, detail = match.groups()
            if name in passed or name in failed:
                rest.append(f"twice: {line}")
            elif verdict == "ok":
                passed[name] = detail or ""
            else:
                failed[name] = json.loads(detail)
        elif match := _LAST.fullmatch(line):
            announced = int(match[1])
        else:
            rest.append(line)
    complete = announced == len(passed) + len(failed)
    return Report(passed, failed, complete, "\n".join([*rest, errors]))

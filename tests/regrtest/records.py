"""What was found out about test modules, from the records that `inside` writes."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final, Self

GOOD: Final = frozenset({"pass", "xfail"})
"""The outcomes of a test that did what it should; the others are fail, error, skip, hang, crash."""

_MARK: Final = b"\x1e"


@dataclasses.dataclass(slots=True)
class Case:
    """One test."""

    outcome: str
    detail: str = ""
    """The end of the traceback, or why it was skipped."""
    seconds: float = 0.0
    refused: list[str] = dataclasses.field(default_factory=list)
    """What it asked for and Linux was told to refuse."""


@dataclasses.dataclass(slots=True)
class Module:
    """One module, after one run or several that continued one another."""

    name: str
    tests: dict[str, Case] = dataclasses.field(default_factory=dict)
    fixtures: dict[str, Case] = dataclasses.field(default_factory=dict)
    """The setUpClass, setUpModule, … that failed, and took their tests along."""
    skipped: str | None = None
    """Why the module as a whole is not run."""
    error: str | None = None
    """What ended it before its end, outside of a test."""
    refused: list[str] = dataclasses.field(default_factory=list)
    """As in a test, of what came last in the module: its import, if it went no further."""
    seconds: float = 0.0

    def good(self) -> set[str]:
        """The tests that passed."""
        return {name for name, test in self.tests.items() if test.outcome in GOOD}

    def dump(self) -> dict[str, Any]:
        """For a JSON file."""
        return dataclasses.asdict(self)

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Self:
        """What `dump` made."""
        module = cls(**stored)
        module.tests = {name: Case(**test) for name, test in stored["tests"].items()}
        module.fixtures = {name: Case(**test) for name, test in stored["fixtures"].items()}
        return module


class Reader:
    """Follows the records of one interpreter, and knows what it is at."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self._modules = modules
        self.module: Module | None = None
        """The module that has begun and is not over."""
        self.test: str | None = None
        """The test that has begun and is not over."""
        self._refused: set[str] = set()
        """What has been refused since the last test."""
        self.complete = False
        """Whether the plan has been worked off."""

    def feed(self, line: bytes) -> Module | None:
        """Takes a line of the output; returns the module that it completes."""
        if not line.startswith(_MARK):
            return None
        record = json.loads(line[1:])
        if "module" in record:
            name = record["module"]
            self.module = self._modules.setdefault(name, Module(name))
        elif "done" in record:
            self.complete = True
        elif self.module is not None:
            if "start" in record:
                self.test = record["start"]
                self._refused.clear()
            elif "refused" in record:
                self._refused.add(record["refused"])
            elif "end" in record:
                self._end(record.pop("end"), record)
            elif "fixture" in record:
                name = record.pop("fixture")
                self.module.fixtures[name] = Case("error", **record, refused=self._take())
            elif "over" in record:
                return self._over(record)
        return None

    def _take(self) -> list[str]:
        taken = sorted(self._refused)
        self._refused.clear()
        return taken

    def _end(self, name: str, record: Mapping[str, Any]) -> None:
        assert self.module is not None
        self.test = None
        known = self.module.tests.get(name)
        # Two tests of one name: the worse one counts.
        if known is None or known.outcome in GOOD:
            self.module.tests[name] = Case(**record, refused=self._take())

    def _over(self, record: Mapping[str, Any]) -> Module | None:
        assert self.module is not None
        over, self.module = self.module, None
        over.skipped = record["skipped"]
        over.error = over.error or record["error"]
        over.refused = self._take()
        over.seconds += record["seconds"]
        return over

    def broken_off(self, outcome: str, detail: str) -> Module | None:
        """Notes that the interpreter ended here; returns the module that has to be continued."""
        module, test = self.module, self.test
        self.module = self.test = None
        if module is None:
            return None
        if test is None:
            module.error = f"{outcome} outside of a test\n{detail}"
            module.refused = self._take()
        else:
            module.tests[test] = Case(outcome, detail, refused=self._take())
        return module

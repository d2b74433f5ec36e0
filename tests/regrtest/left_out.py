"""Reads left-out.toml: what is not run, and why."""

import dataclasses
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

FILE: Final = Path(__file__).with_name("left-out.toml")


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """Modules and tests, or whole classes of tests, with the reason for each."""

    modules: dict[str, str]
    tests: dict[str, str]

    @classmethod
    def read(cls, file: Path = FILE) -> Self:
        """What the file says. A reason is a section, its keys `modules` and `tests` lists."""
        modules: dict[str, str] = {}
        tests: dict[str, str] = {}
        for section in tomllib.loads(file.read_text()).values():
            for names, found in (("modules", modules), ("tests", tests)):
                for name in section.get(names, []):
                    if f"test.{name}" in found:
                        raise ValueError(f"{file.name} has {name} twice")
                    found[f"test.{name}"] = section["reason"]
        return cls(modules, tests)

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """Those of these tests that are left out, by themselves or with their class."""
        found = {}
        for name in names:
            reason = self.tests.get(name) or self.tests.get(name.rpartition(".")[0])
            if reason is not None:
                found[name] = reason
        return found

    def why(self, module: str) -> str | None:
        """The reason for leaving out this module; a package takes its modules along."""
        for name, reason in self.modules.items():
            if module == name or module.startswith(f"{name}."):
                return reason
        return None

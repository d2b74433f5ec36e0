"""What a program's own `pyproject.toml` says about running it: its table `[tool.ovum]`.

    [tool.ovum]
    net = "user,hostname=egg"
    publish = ["8080:80", "5353:53/udp"]

The words are those of the options with these names, which have precedence.
"""

import dataclasses
from pathlib import Path

NAME = "pyproject.toml"


class ProjectError(Exception):
    """A table that cannot be understood; the message says where and why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """The table."""

    net: str | None = None
    publish: tuple[str, ...] = ()


def project_file(target: str | None) -> Path:
    """Where the table may be: beside the program, or here."""
    here = Path.cwd()
    if target is None or target == "-":
        return here / NAME
    path = here / target
    return (path if path.is_dir() else path.parent) / NAME


def read_project(path: Path) -> Project:
    """The table in a file; an empty one if there is none. Raises ProjectError."""
    try:
        text = path.read_text(errors="surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return Project()
    # Most have none, and the parser takes longer to import than all else here.
    if "ovum" not in text:
        return Project()
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get("ovum", {})
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{path}: {error}") from error
    return _project(table, f"{path}: [tool.ovum]")


def _project(table: object, where: str) -> Project:
    if not isinstance(table, dict):
        raise ProjectError(f"{where} is no table")
    unknown = sorted(set(table) - {"net", "publish"})
    if unknown:
        raise ProjectError(f"{where} has an unknown key: {unknown[0]}")
    net, publish = table.get("net"), table.get("publish", [])
    if not isinstance(net, str | None):
        raise ProjectError(f'{where}: net is a text, such as "user"')
    if not isinstance(publish, list) or not all(isinstance(one, str) for one in publish):
        raise ProjectError(f'{where}: publish is a list of texts, such as ["8080:80"]')
    return Project(net, tuple(publish))

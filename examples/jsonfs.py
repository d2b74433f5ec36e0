"""A file system of one's own: a JSON document as a folder, objects and lists as directories.

Run it in a machine: `ovum run examples/jsonfs.py`.
"""

import itertools
import json
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ovum.services import vfs


class Value(vfs.Node):
    """A number, a text, true, false or null: a file with its text."""

    def __init__(self, value: object, inodes: Iterator[int]) -> None:
        self.text = f"{value if isinstance(value, str) else json.dumps(value)}\n".encode()
        self.info = vfs.Attributes(stat.S_IFREG | 0o444, next(inodes), len(self.text))

    async def attributes(self) -> vfs.Attributes:
        return self.info

    async def read(self, offset: int, size: int) -> bytes:
        return self.text[offset : offset + size]


class Members(vfs.Directory):
    """An object or a list: a directory of its members."""

    def __init__(self, members: dict[str, Any], inodes: Iterator[int]) -> None:
        self.info = vfs.Attributes(stat.S_IFDIR | 0o555, next(inodes))
        self.nodes = {name: node_for(value, inodes) for name, value in members.items()}

    async def attributes(self) -> vfs.Attributes:
        return self.info

    async def lookup(self, name: str) -> vfs.Node:
        if name not in self.nodes:
            raise FileNotFoundError(2, "no such member", name)
        return self.nodes[name]

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        return [(name, node.kind, node.info.inode) for name, node in self.nodes.items()]


def node_for(value: object, inodes: Iterator[int]) -> Value | Members:
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    return Members(value, inodes) if isinstance(value, dict) else Value(value, inodes)


class JsonFileSystem(vfs.FileSystem):
    name = "json"
    readonly = stable = True

    def __init__(self, text: str) -> None:
        self.top = node_for(json.loads(text), itertools.count(1))

    async def root(self) -> vfs.Node:
        return self.top


if __name__ == "__main__":
    vfs.mount("/mnt", JsonFileSystem('{"name": "ovum", "sizes": [30, 8000], "small": true}'))
    for folder, _, files in os.walk("/mnt"):
        for name in files:
            path = Path(folder, name)
            print(path, "=", path.read_text().strip())

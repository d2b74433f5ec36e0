"""The cases: programs of a few system calls each, on a tree that is the same at the beginning.

A step is a tuple: the name of an operation of `execute`, and its arguments. Paths are relative to
the tree. Nearly all cases are products: every call with every kind of path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

Step = tuple[Any, ...]

TREE: list[Step] = [
    ("file", "file", b"hello, world\n"),
    ("file", "empty", b""),
    ("directory", "dir"),
    ("file", "dir/inner", b"inside"),
    ("directory", "dir/sub"),
    ("directory", "emptydir"),
    ("link", "link", "file"),
    ("link", "dirlink", "dir"),
    ("link", "dangling", "nowhere"),
    ("link", "loop", "loop"),
    ("link", "dir/up", "../file"),
]
"""What there is when a case begins."""

LINKS = frozenset(step[1] for step in TREE if step[0] == "link")
"""Names that only file systems with symbolic links have."""

PATHS = (
    *("missing", "file", "empty", "dir", "emptydir", "link", "dirlink", "dangling", "loop"),
    *("missing/x", "file/x", "dir/inner", "dir/missing", "dirlink/inner", "dirlink/missing"),
    *("dangling/x", "loop/x", "dir/up", "dir/", "emptydir/", "file/", "link/", "dirlink/"),
    *("dangling/", "missing/", ".", "", "dir/.", "dir/..", "dir/../file", "./file", "dir//inner"),
    *(
        "n" * 255,
        "n" * 256,
        "dir/" + "é" * 128,
        "ü",
        "a b",
        "dir/sub/../inner",
        "file/..",
        "file/.",
    ),
)
"""Every kind of path."""

_FLAGS = {
    "reading": os.O_RDONLY,
    "writing": os.O_WRONLY,
    "creating": os.O_RDWR | os.O_CREAT,
    "creating anew": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "truncating": os.O_WRONLY | os.O_TRUNC,
    "creating or truncating": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    "appending": os.O_WRONLY | os.O_APPEND,
    "listing": os.O_RDONLY | os.O_DIRECTORY,
    "writing a directory": os.O_RDWR | os.O_DIRECTORY,
    "not following": os.O_RDONLY | os.O_NOFOLLOW,
    "creating, not following": os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW,
    "naming": os.O_PATH,
    "naming, not following": os.O_PATH | os.O_NOFOLLOW,
}

_ON_PATHS: dict[str, Step] = {
    "stat": ("stat",),
    "lstat": ("lstat",),
    "listdir": ("listdir",),
    "readlink": ("readlink",),
    "unlink": ("unlink",),
    "rmdir": ("rmdir",),
    "mkdir": ("mkdir",),
    "truncate to 3": ("truncate", 3),
    "truncate to 20": ("truncate", 20),
    "truncate to -1": ("truncate", -1),
    "chmod": ("chmod", 0o640),
    "utime": ("utime", (1_000_000_001, 2_000_000_002)),
    "access to read": ("access", os.R_OK),
    "access to write": ("access", os.W_OK),
    "access to be": ("access", os.F_OK),
    "statvfs": ("statvfs",),
    "symlink": ("symlink", "file"),
}

_TWO = (
    *("missing", "file", "empty", "dir", "emptydir", "link", "dirlink", "dangling", "dir/inner"),
    *("dir/sub", "dir/new", "dir/sub/deep", "file/x", "missing/x", "emptydir/", "file/", "new/"),
    *("dirlink/inner", ".", "", "dir/.", "loop"),
)
"""Kinds of paths for calls that take two."""


def _products() -> Iterator[tuple[str, list[Step]]]:
    for name, (call, *arguments) in _ON_PATHS.items():
        for path in PATHS:
            yield f"{name}: {path}", [(call, path, *arguments)]
    for name, flags in _FLAGS.items():
        for path in PATHS:
            yield f"open for {name}: {path}", [("open", path, flags)]
    for call in ("rename", "link"):
        for old, new in product(_TWO, _TWO):
            # Which of two wrong paths is told of depends on the version of Linux.
            if new or "/" not in old:
                yield f"{call}: {old} to {new}", [(call, old, new)]


_RW = os.O_RDWR | os.O_CREAT

_PROGRAMS: dict[str, list[Step]] = {
    "what is written is read": [
        ("fd", "f", "new", _RW), ("write", "f", b"abcdef"), ("seek", "f", 2, os.SEEK_SET),
        ("read", "f", 3), ("read", "f", 10), ("read", "f", 10), ("close", "f"),
    ],
    "writing in the middle": [
        ("fd", "f", "file", os.O_RDWR), ("pwrite", "f", b"HE", 0), ("pwrite", "f", b"!", 5),
        ("pread", "f", 100, 0), ("read", "f", 4), ("close", "f"), ("stat", "file"),
    ],
    "writing past the end leaves zeros": [
        ("fd", "f", "file", os.O_RDWR), ("pwrite", "f", b"end", 20), ("pread", "f", 100, 0),
        ("close", "f"), ("stat", "file"),
    ],
    "seeking past the end": [
        ("fd", "f", "file", os.O_RDWR), ("seek", "f", 100, os.SEEK_SET), ("read", "f", 5),
        ("write", "f", b"x"), ("fstat", "f"), ("seek", "f", 0, os.SEEK_CUR), ("close", "f"),
    ],
    "seeking": [
        ("fd", "f", "file", os.O_RDONLY), ("seek", "f", -3, os.SEEK_END), ("read", "f", 10),
        ("seek", "f", -100, os.SEEK_END), ("seek", "f", -1, os.SEEK_SET),
        ("seek", "f", 5, os.SEEK_CUR), ("seek", "f", 1, 77), ("close", "f"),
    ],
    "data and holes": [
        ("fd", "f", "file", os.O_RDONLY), ("seek", "f", 0, os.SEEK_DATA),
        ("seek", "f", 0, os.SEEK_HOLE), ("seek", "f", 13, os.SEEK_DATA),
        ("seek", "f", 100, os.SEEK_HOLE), ("close", "f"),
    ],
    "appending": [
        ("fd", "f", "file", os.O_RDWR | os.O_APPEND), ("write", "f", b"A"),
        ("seek", "f", 0, os.SEEK_SET), ("write", "f", b"B"), ("seek", "f", 0, os.SEEK_CUR),
        ("pread", "f", 100, 0), ("close", "f"),
    ],
    "two descriptors of one file": [
        ("fd", "f", "file", os.O_RDWR), ("fd", "g", "file", os.O_RDONLY),
        ("write", "f", b"HELLO"), ("read", "g", 7), ("truncate", "file", 2), ("read", "g", 7),
        ("fstat", "g"), ("close", "f"), ("close", "g"),
    ],
    "a descriptor for reading does not write": [
        ("fd", "f", "file", os.O_RDONLY), ("write", "f", b"x"), ("ftruncate", "f", 1),
        ("pwrite", "f", b"x", 0), ("close", "f"),
    ],
    "a descriptor for writing does not read": [
        ("fd", "f", "file", os.O_WRONLY), ("read", "f", 5), ("pread", "f", 5, 0),
        ("write", "f", b"x"), ("close", "f"),
    ],
    "a descriptor for naming does neither": [
        ("fd", "f", "file", os.O_PATH), ("read", "f", 5), ("write", "f", b"x"), ("fstat", "f"),
        ("seek", "f", 0, os.SEEK_SET), ("close", "f"),
    ],
    "a directory is not read": [
        ("fd", "d", "dir", os.O_RDONLY), ("read", "d", 5), ("fstat", "d"), ("ftruncate", "d", 0),
        ("listdir_fd", "d"), ("close", "d"),
    ],
    "negative offsets": [
        ("fd", "f", "file", os.O_RDWR), ("pread", "f", 5, -1), ("pwrite", "f", b"x", -1),
        ("ftruncate", "f", -1), ("close", "f"),
    ],
    "truncating what is open": [
        ("fd", "f", "file", os.O_RDWR), ("read", "f", 5), ("ftruncate", "f", 3), ("read", "f", 5),
        ("ftruncate", "f", 8), ("pread", "f", 20, 0), ("write", "f", b"x"), ("fstat", "f"),
        ("close", "f"),
    ],
    "opening to truncate what is open": [
        ("fd", "f", "file", os.O_RDONLY), ("fd", "g", "file", os.O_WRONLY | os.O_TRUNC),
        ("read", "f", 5), ("write", "g", b"new"), ("read", "f", 5), ("close", "f"), ("close", "g"),
    ],
    "an unlinked file lives while it is open": [
        ("fd", "f", "file", os.O_RDWR), ("unlink", "file"), ("stat", "file"), ("fstat", "f"),
        ("write", "f", b"J"), ("pread", "f", 5, 0), ("close", "f"),
    ],
    "a new file of the same name is another": [
        ("fd", "f", "file", os.O_RDONLY), ("unlink", "file"), ("fd", "g", "file", _RW),
        ("write", "g", b"second"), ("read", "f", 5), ("close", "f"), ("close", "g"),
    ],
    "renaming what is open": [
        ("fd", "f", "file", os.O_RDWR), ("rename", "file", "dir/moved"), ("write", "f", b"J"),
        ("stat", "dir/moved"), ("stat", "file"), ("close", "f"),
    ],
    "renaming over what is open": [
        ("fd", "f", "file", os.O_RDONLY), ("rename", "dir/inner", "file"), ("read", "f", 20),
        ("fstat", "f"), ("close", "f"),
    ],
    "renaming a directory takes what is in it": [
        ("fd", "f", "dir/inner", os.O_RDONLY), ("rename", "dir", "moved"), ("stat", "moved/inner"),
        ("stat", "dir"), ("stat", "moved/up"), ("read", "f", 20), ("close", "f"),
    ],
    "renaming a directory into another": [
        ("rename", "emptydir", "dir/sub/e"), ("mkdir", "dir/sub/e/f"), ("listdir", "dir/sub/e"),
        ("rmdir", "dir/sub/e"),
    ],
    "renaming to and fro": [
        ("rename", "file", "a"), ("rename", "a", "b"), ("rename", "b", "file"), ("stat", "file"),
        ("stat", "a"), ("stat", "b"),
    ],
    "hard links": [
        ("link", "file", "second"), ("stat", "second"), ("stat", "file"),
        ("same", "file", "second"),
        ("truncate", "second", 4), ("stat", "file"), ("unlink", "file"), ("stat", "second"),
    ],
    "renaming one name of a file to another": [
        ("link", "file", "second"), ("rename", "file", "second"), ("stat", "file"),
        ("stat", "second"),
    ],
    "links in links": [
        ("symlink", "second", "link"), ("stat", "second"), ("readlink", "second"),
        ("truncate", "second", 2), ("stat", "file"), ("unlink", "second"), ("lstat", "link"),
    ],
    "creating through a dangling link": [
        ("fd", "f", "dangling", _RW), ("write", "f", b"x"), ("close", "f"), ("stat", "nowhere"),
    ],
    "a chain of links that is too long": [
        *(("symlink", f"c{n}", f"c{n + 1}") for n in range(45)), ("stat", "c10"), ("stat", "c0"),
    ],
    "an unlinked directory": [
        ("fd", "d", "emptydir", os.O_RDONLY), ("rmdir", "emptydir"), ("listdir_fd", "d"),
        ("stat_at", "d", "x"), ("mkdir_at", "d", "x"), ("fstat", "d"), ("close", "d"),
    ],
    "paths relative to a directory": [
        ("fd", "d", "dir", os.O_RDONLY), ("stat_at", "d", "inner"), ("stat_at", "d", "../file"),
        ("stat_at", "d", "missing"), ("mkdir_at", "d", "made"), ("unlink_at", "d", "inner"),
        ("stat_at", "d", "."), ("stat_at", "d", ""), ("close", "d"), ("listdir", "dir"),
    ],
    "paths relative to a file": [
        ("fd", "f", "file", os.O_RDONLY), ("stat_at", "f", "x"), ("mkdir_at", "f", "x"),
        ("close", "f"),
    ],
    "relative to a directory that moves": [
        ("fd", "d", "dir", os.O_RDONLY), ("rename", "dir", "emptydir"), ("stat_at", "d", "inner"),
        ("stat_at", "d", "../file"), ("close", "d"),
    ],
    "relative to a directory for naming": [
        ("fd", "d", "dir", os.O_PATH), ("stat_at", "d", "inner"), ("listdir_fd", "d"),
        ("close", "d"),
    ],
    "modes": [
        ("fd", "f", "new", _RW, 0o666), ("close", "f"), ("stat", "new"), ("chmod", "new", 0o4751),
        ("stat", "new"), ("mkdir", "newdir"), ("stat", "newdir"), ("chmod", "newdir", 0o1770),
        ("stat", "newdir"),
    ],
    "the mode of an open file": [
        ("fd", "f", "file", os.O_RDONLY), ("chmod", "file", 0o400), ("fstat", "f"), ("close", "f"),
    ],
    "times that are set": [
        ("utime", "file", (1_500_000_000_123_456_789, 1_600_000_000_987_654_321)),
        ("times", "file"), ("utime", "dir", (1, 2)), ("times", "dir"),
    ],
    "times that move": [
        ("utime", "file", (1, 2)), ("fd", "f", "file", os.O_WRONLY), ("write", "f", b"x"),
        ("close", "f"), ("modified_since", "file", 1_000_000_000_000),
        ("utime", "dir", (1, 2)), ("mkdir", "dir/new"),
        ("modified_since", "dir", 1_000_000_000_000),
    ],
    "a listing": [
        *(("mkdir", f"emptydir/{n:04}" + "n" * (n % 40)) for n in range(120)),
        ("listdir", "emptydir"),
    ],
    "links of directories": [
        ("mkdir", "dir/sub/a"), ("mkdir", "dir/sub/b"), ("rmdir", "dir/sub"),
        ("rmdir", "dir/sub/a"),
        ("rmdir", "dir/sub/b"), ("rmdir", "dir/sub"), ("listdir", "dir"),
    ],
    "space": [
        ("fd", "f", "new", _RW), ("allocate", "f", 0, 100), ("fstat", "f"), ("pread", "f", 200, 0),
        ("allocate", "f", 50, 10), ("fstat", "f"), ("allocate", "f", 0, 0),
        ("allocate", "f", -1, 5), ("close", "f"),
    ],
    "names are bytes": [
        ("fd", "f", "\udcff\udcfe", _RW), ("close", "f"), ("listdir", "."),
        ("stat", "\udcff\udcfe"), ("unlink", "\udcff\udcfe"),
    ],
    "much content": [
        ("fd", "f", "new", _RW), ("write", "f", bytes(range(256)) * 1500), ("fstat", "f"),
        ("pread", "f", 20, 383_990), ("pwrite", "f", b"X" * 5000, 100_000),
        ("pread", "f", 8, 99_996),
        ("pread", "f", 8, 104_996), ("ftruncate", "f", 70_000), ("fstat", "f"), ("close", "f"),
    ],
    "synchronising": [
        ("fd", "f", "file", os.O_RDWR), ("write", "f", b"x"), ("fsync", "f"), ("close", "f"),
        ("fd", "d", "dir", os.O_RDONLY), ("fsync", "d"), ("close", "d"),
    ],
    "locks": [
        ("fd", "f", "file", os.O_RDWR), ("fd", "g", "file", os.O_RDWR), ("flock", "f", "shared"),
        ("flock", "g", "shared"), ("flock", "g", "exclusive"), ("flock", "f", "unlock"),
        ("flock", "g", "exclusive"), ("flock", "f", "shared"), ("close", "g"),
        ("flock", "f", "exclusive"), ("close", "f"),
    ],
    "devices": [
        ("mknod", "pipe", "fifo"), ("lstat", "pipe"), ("mknod", "pipe", "fifo"), ("unlink", "pipe"),
        ("mknod", "file", "fifo"), ("mknod", "missing/x", "fifo"), ("mknod", "plain", "file"),
        ("stat", "plain"),
    ],
}  # fmt: skip


def all_cases() -> dict[str, list[Step]]:
    """Every case by its name."""
    return {**dict(_products()), **_PROGRAMS}

"""Runs cases through the functions of `os`, or of something that looks like it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .cases import LINKS, TREE, Step

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "device",
    stat.S_IFSOCK: "socket",
}
LOCKS = {"shared": fcntl.LOCK_SH, "exclusive": fcntl.LOCK_EX, "unlock": fcntl.LOCK_UN}
MADE = {"fifo": stat.S_IFIFO, "file": stat.S_IFREG}

Answers = list[str]

TOGETHER = 20
"""So many cases that change nothing share a look at the tree."""


def _tells_of_change(answer: str) -> bool:
    """Whether it is a line of `Runner._changes`, not what a step gave."""
    return answer.startswith(("- ", "+ ", "~ "))


class Runner:
    """Runs cases in one place.

    calls: `os`, or a `HostedSystem`. base: the directory of the tree, which exists. features: what
    the file system has, of "symlink", "link", "node", "mode", "bytes". renew: has the tree in the
    directory anew, where that is not for the runner to make. readonly: nothing can be changed.
    """

    def __init__(
        self,
        calls: Any,
        base: str,
        features: frozenset[str],
        *,
        renew: Callable[[], None] | None = None,
        readonly: bool = False,
    ) -> None:
        self._renew = renew
        self._readonly = readonly
        self.calls = calls
        self.base = base
        self.features = features
        self._open: dict[str, int] = {}
        self._before: dict[str, str] = {}

    # The tree

    def build(self) -> None:
        """Makes the tree, and remembers how it looks."""
        self._make()
        self._before = self.snapshot()

    def _make(self) -> None:
        if self._renew is not None:
            self._renew()
        else:
            self._build()

    def _build(self) -> None:
        calls = self.calls
        if "mode" in self.features:
            calls.chmod(self.base, 0o755)
        for kind, path, *content in TREE:
            full = self._full(path)
            if kind == "directory":
                calls.mkdir(full, 0o755)
            elif kind == "file":
                fd = calls.open(full, os.O_WRONLY | os.O_CREAT, 0o644)
                calls.write(fd, content[0])
                calls.close(fd)
            elif "symlink" in self.features:
                calls.symlink(content[0], full)

    def _clear(self, path: str) -> None:
        calls = self.calls
        for name in calls.listdir(path):
            inner = f"{path}/{name}"
            if stat.S_ISDIR(calls.lstat(inner).st_mode):
                self._clear(inner)
                calls.rmdir(inner)
            else:
                calls.unlink(inner)

    def snapshot(self) -> dict[str, str]:
        """Everything in the tree: by its path, what it is."""
        return {".": self._told(self.calls.stat(self.base)), **dict(self._walk(""))}

    def _walk(self, path: str) -> Iterator[tuple[str, str]]:
        calls = self.calls
        for name in sorted(calls.listdir(self._full(path) if path else self.base)):
            inner = f"{path}/{name}" if path else name
            full = self._full(inner)
            info = calls.lstat(full)
            kind = KINDS[stat.S_IFMT(info.st_mode)]
            told = self._told(info)
            if kind == "link":
                told += f" to {calls.readlink(full)}"
            elif kind == "file":
                fd = calls.open(full, os.O_RDONLY)
                content = calls.read(fd, 1 << 20)
                calls.close(fd)
                told += f" {content[:40]!r}"
            yield inner, told
            if kind == "directory":
                yield from self._walk(inner)

    # Cases

    def applies(self, steps: list[Step]) -> bool:
        """Whether the file system has what the case is about."""
        if self._readonly and len(steps) > 1:
            return False
        for call, *arguments in steps:
            if call in ("symlink", "link", "mknod", "same") and (
                _NEEDED[call] not in self.features
            ):
                return False
            if call in ("chmod", "utime", "times", "modified_since") and (
                "mode" not in self.features
            ):
                return False
            for text in arguments:
                if not isinstance(text, str):
                    continue
                if "symlink" not in self.features and any(
                    text == link or text.startswith(link + "/") for link in LINKS
                ):
                    return False
                if "bytes" not in self.features and "\udcff" in text:
                    return False
        return True

    def run(self, steps: list[Step]) -> Answers:
        """The answers of all steps, and what has changed in the tree."""
        return self._answers(steps) + self._changes()

    def judge(self, cases: Mapping[str, list[Step]], linux: Mapping[str, Answers]) -> list[str]:
        """Runs cases, and returns a line for each that does not end as on Linux.

        A look at the tree takes longer than most cases. After those that change nothing on Linux
        there is one for many; if one of them has changed something, each is run again by itself.
        """
        wrong: list[str] = []
        together: dict[str, list[Step]] = {}

        def one_by_one(answers: Answers) -> None:
            before = len(wrong)
            for case, steps in together.items():
                alone = self.run(steps)
                if not self.agrees(alone, linux[case]):
                    wrong.append(f"{case}: {alone}, and Linux {linux[case]}")
            if len(wrong) == before:
                wrong.append(f"{', '.join(together)}, one after the other: {answers}")

        for case, steps in cases.items():
            together[case] = steps
            answers = self._answers(steps)
            changing = not self._readonly and any(map(_tells_of_change, linux[case]))
            if not changing and len(together) < TOGETHER and self.agrees(answers, linux[case]):
                continue
            answers += self._changes()
            if not self.agrees(answers, linux[case]):
                one_by_one(answers)
            together.clear()
        if changes := self._changes():
            one_by_one(changes)
        return wrong

    def _answers(self, steps: list[Step]) -> Answers:
        answers = []
        try:
            for call, *arguments in steps:
                do: Callable[..., Any] = getattr(self, f"step_{call}")
                try:
                    answers.append(str(do(*arguments)))
                except OSError as error:
                    answers.append(errno.errorcode.get(error.errno or 0, repr(error)))
        finally:
            for fd in self._open.values():
                with contextlib.suppress(OSError):
                    self.calls.close(fd)
            self._open.clear()
        return answers

    def _changes(self) -> Answers:
        """What has changed in the tree, which is then made anew."""
        after = self.snapshot()
        changes = [f"- {path}" for path in self._before if path not in after]
        for path, told in after.items():
            if path not in self._before:
                changes.append(f"+ {path}: {told}")
            elif told != self._before[path]:
                changes.append(f"~ {path}: {told}")
        if changes:
            if self._renew is None:
                self._clear(self.base)
            self._make()
        return sorted(changes)

    def agrees(self, answers: Answers, linux: Answers) -> bool:
        """Whether these are the right answers. What is readonly refuses what would change it."""
        if answers == linux:
            return True
        return self._readonly and answers in (["EROFS"], ["False"])

    def _full(self, path: str) -> str:
        return f"{self.base}/{path}" if path else ""

    def _told(self, info: os.stat_result) -> str:
        kind = KINDS[stat.S_IFMT(info.st_mode)]
        told = kind
        if kind != "link" and "mode" in self.features:
            told += f" {stat.S_IMODE(info.st_mode):o}"
        if kind == "file":
            told += f" {info.st_size}"
            if "link" in self.features:
                told += f" x{info.st_nlink}"
        return told

    # Steps

    def step_stat(self, path: str) -> str:
        return self._told(self.calls.stat(self._full(path)))

    def step_lstat(self, path: str) -> str:
        return self._told(self.calls.lstat(self._full(path)))

    def step_listdir(self, path: str) -> str:
        return " ".join(sorted(map(ascii, self.calls.listdir(self._full(path)))))

    def step_readlink(self, path: str) -> str:
        return f"to {self.calls.readlink(self._full(path))}"

    def step_unlink(self, path: str) -> None:
        self.calls.unlink(self._full(path))

    def step_rmdir(self, path: str) -> None:
        self.calls.rmdir(self._full(path))

    def step_mkdir(self, path: str) -> None:
        self.calls.mkdir(self._full(path), 0o755)

    def step_truncate(self, path: str, size: int) -> None:
        self.calls.truncate(self._full(path), size)

    def step_chmod(self, path: str, mode: int) -> None:
        self.calls.chmod(self._full(path), mode)

    def step_utime(self, path: str, ns: tuple[int, int]) -> None:
        self.calls.utime(self._full(path), ns=ns)

    def step_times(self, path: str) -> str:
        info = self.calls.stat(self._full(path))
        return f"{info.st_atime_ns} {info.st_mtime_ns}"

    def step_modified_since(self, path: str, when: int) -> bool:
        info = self.calls.stat(self._full(path))
        return bool(info.st_mtime_ns > when and info.st_ctime_ns > when)

    def step_access(self, path: str, mode: int) -> bool:
        return bool(self.calls.access(self._full(path), mode))

    def step_statvfs(self, path: str) -> str:
        return f"names of {self.calls.statvfs(self._full(path)).f_namemax}"

    def step_symlink(self, path: str, target: str) -> None:
        self.calls.symlink(target, self._full(path))

    def step_rename(self, old: str, new: str) -> None:
        self.calls.rename(self._full(old), self._full(new))

    def step_link(self, old: str, new: str) -> None:
        self.calls.link(self._full(old), self._full(new), follow_symlinks=False)

    def step_same(self, one: str, other: str) -> bool:
        first, second = (self.calls.stat(self._full(path)) for path in (one, other))
        return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)

    def step_mknod(self, path: str, kind: str) -> None:
        self.calls.mknod(self._full(path), 0o600 | MADE[kind])

    def step_open(self, path: str, flags: int) -> str:
        fd = self.calls.open(self._full(path), flags, 0o644)
        try:
            return self._told(self.calls.fstat(fd))
        finally:
            self.calls.close(fd)

    # Steps with descriptors

    def step_fd(self, name: str, path: str, flags: int, mode: int = 0o644) -> None:
        self._open[name] = self.calls.open(self._full(path), flags, mode)

    def step_close(self, name: str) -> None:
        self.calls.close(self._open.pop(name))

    def step_read(self, name: str, size: int) -> bytes:
        read: bytes = self.calls.read(self._open[name], size)
        return read

    def step_pread(self, name: str, size: int, offset: int) -> bytes:
        read: bytes = self.calls.pread(self._open[name], size, offset)
        return read

    def step_write(self, name: str, data: bytes) -> int:
        written: int = self.calls.write(self._open[name], data)
        return written

    def step_pwrite(self, name: str, data: bytes, offset: int) -> int:
        written: int = self.calls.pwrite(self._open[name], data, offset)
        return written

    def step_seek(self, name: str, offset: int, whence: int) -> int:
        position: int = self.calls.lseek(self._open[name], offset, whence)
        return position

    def step_ftruncate(self, name: str, size: int) -> None:
        self.calls.ftruncate(self._open[name], size)

    def step_fstat(self, name: str) -> str:
        return self._told(self.calls.fstat(self._open[name]))

    def step_fsync(self, name: str) -> None:
        self.calls.fsync(self._open[name])

    def step_allocate(self, name: str, offset: int, length: int) -> None:
        self.calls.posix_fallocate(self._open[name], offset, length)

    def step_listdir_fd(self, name: str) -> str:
        return " ".join(sorted(self.calls.listdir(self._open[name])))

    def step_stat_at(self, name: str, path: str) -> str:
        return self._told(self.calls.stat(path, dir_fd=self._open[name]))

    def step_mkdir_at(self, name: str, path: str) -> None:
        self.calls.mkdir(path, 0o755, dir_fd=self._open[name])

    def step_unlink_at(self, name: str, path: str) -> None:
        self.calls.unlink(path, dir_fd=self._open[name])

    def step_flock(self, name: str, kind: str) -> None:
        flock = fcntl.flock if self.calls is os else self.calls.flock
        flock(self._open[name], LOCKS[kind] | fcntl.LOCK_NB)


_NEEDED = {"symlink": "symlink", "link": "link", "mknod": "node", "same": "link"}

"""What all of the kernel's requests have in common: where their paths and handles lead."""

from __future__ import annotations

import errno

from ovum.services.vfs.node import refuse
from ovum.services.vfs.operations import NOFOLLOW
from ovum.services.vfs.tree import Redirect, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.events import Request
    from ovum.services.vfs.tree import Entry, Mount, Place
    from ovum.services.vfs.vfs import OpenFile, Vfs


def name_of(path: bytes) -> str:
    """A path as text, as `os.fsdecode` has it."""
    return path.decode("utf-8", "surrogateescape")


class Calls:
    """The groundwork of a server of requests."""

    def __init__(self, vfs: Vfs) -> None:
        self.vfs = vfs
        self._visited: dict[int, list[Mount]] = {}
        """For the requests that are under way: mounts that their paths have led into."""

    def _opened(self, request: Request) -> OpenFile:
        """The open file that a request is about."""
        opened = self.vfs.files.get(request.base)
        if opened is None:
            raise refuse(errno.EIO)  # the end of the machine has closed it
        return opened

    def _base(self, number: int, handle: int) -> Entry:
        if handle:
            return self.vfs.files[handle].entry
        mount = self.vfs.by_number.get(number)
        if mount is None:
            raise refuse(errno.ENOENT)
        return mount.root

    def _visits(self, request: Request) -> list[Mount]:
        return self._visited.setdefault(request.number, [])

    async def _leave(self, request: Request) -> None:
        """The request is answered: it uses no mount any more."""
        for mount in self._visited.pop(request.number, ()):
            await self.vfs.leave(mount)

    async def _resolve(self, request: Request, *, follow: bool, name_only: bool = False) -> Place:
        return await resolve(
            self._base(request.mount, request.base),
            name_of(request.path),
            follow=follow,
            name_only=name_only,
            visited=self._visits(request),
        )

    async def _place(self, request: Request) -> Place:
        """The place of a name that is to be made or taken away."""
        return await self._resolve(request, follow=False, name_only=True)

    async def _second(self, request: Request) -> Place:
        base = self._base(request.mount2, request.base2)
        visited = self._visits(request)
        if base.mount.number != request.mount:
            visited.append(base.mount)
            base.mount.uses += 1
        path = name_of(request.path2)
        try:
            return await resolve(base, path, follow=False, name_only=True, visited=visited)
        except Redirect as redirect:
            redirect.second = True
            raise

    async def _entry(self, request: Request, flags: int) -> Entry:
        """The existing entry that a request is about."""
        if not request.path:
            return self._base(request.mount, request.base)
        return (await self._resolve(request, follow=not flags & NOFOLLOW)).found()

    def _writable(self, mount: Mount) -> None:
        if mount.readonly:
            raise refuse(errno.EROFS)

    def _new(self, place: Place, *, directory: bool = False) -> Entry:
        """The directory in which a new name is to be made."""
        if place.entry is not None:
            raise refuse(errno.EEXIST)
        if place.slash and not directory:
            raise refuse(errno.ENOENT)
        above = place.directory
        if above.removed:
            raise refuse(errno.ENOENT)
        self._writable(above.mount)
        return above

"""Takes the place of the library's multiprocessing.resource_tracker in an image.

CPython's tracker is a second process, which removes the semaphores and shared memory of a program
that died. In a machine with one program they end with it, so there is nothing to track; without
this module, `multiprocessing.shared_memory` would fail where it starts that process.
"""

import errno

__all__ = ["ensure_running", "register", "unregister"]


class ResourceTracker:
    """What the package calls of CPython's class."""

    def ensure_running(self) -> None:
        """Does nothing: the tracker would not outlive the program."""

    def register(self, name: str, rtype: str) -> None:
        """Does nothing: the resource ends with the machine."""

    def unregister(self, name: str, rtype: str) -> None:
        """Does nothing."""

    def getfd(self) -> int:
        """The pipe to the tracker, for a new process: OSError(ENOSYS)."""
        raise OSError(errno.ENOSYS, "there is only one process: multiprocessing cannot start more")

    def _stop(self) -> None:
        """Does nothing; for multiprocessing.util."""


_resource_tracker = ResourceTracker()
ensure_running = _resource_tracker.ensure_running
register = _resource_tracker.register
unregister = _resource_tracker.unregister
getfd = _resource_tracker.getfd

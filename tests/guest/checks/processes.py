"""There is one program: what would make another fails, and says so."""

import errno
import multiprocessing
import os
import subprocess

from .registry import check, open_descriptors, refused

NOT_HERE = (errno.ENOSYS, errno.EPERM)


@check
def fork_is_refused() -> None:
    with refused(*NOT_HERE):
        os.fork()


@check
def exec_is_refused() -> None:
    with refused(*NOT_HERE):
        os.execv("/usr/bin/python3.13", ["python3"])


@check
def spawn_is_refused() -> None:
    with refused(*NOT_HERE):
        os.posix_spawn("/usr/bin/python3.13", ["python3"], {})


@check
def subprocess_is_refused() -> None:
    with refused(*NOT_HERE):
        subprocess.run(["/usr/bin/python3.13", "-c", ""], check=False)
    with refused(*NOT_HERE):
        subprocess.run("exit 0", shell=True, check=False)


@check
def multiprocessing_is_refused() -> None:
    process = multiprocessing.get_context("fork").Process(target=int)
    before = open_descriptors()
    with refused(*NOT_HERE):
        process.start()
    # CPython forgets its pipes when fork fails.
    for fd in open_descriptors() - before:
        os.close(fd)


@check
def there_are_no_children_to_wait_for() -> None:
    with refused(errno.ECHILD):
        os.wait()


@check
def locks_of_multiprocessing_work_between_threads() -> None:
    lock = multiprocessing.Lock()
    assert lock.acquire(timeout=1)
    assert not lock.acquire(timeout=0.01)
    lock.release()

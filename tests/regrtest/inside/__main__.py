"""Runs test modules in one interpreter and reports each test; the same in the guest and on Linux.

The plan comes on standard input, the records go to standard output, one JSON text a line after a
record separator (RFC 7464). What the tests themselves print goes to standard error.

The plan: `modules`, a list of objects with `name`, `skip` (tests not to run), `only` (classes or
tests; empty: all) and `limit_s` (the time for one test, or for what is between two); `refuse`,
whether to be as limited as a guest.
"""

import faulthandler
import fcntl
import gc
import importlib
import json
import os
import random
import sys
import tempfile
import time
import traceback
import unittest
from collections.abc import Collection
from types import TracebackType
from typing import Any

Error = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
"""What unittest hands to a result; see sys.exc_info()."""

HERE = sys.path.pop(0)
"""Our own folder, which the tests' imports shall not find anything in."""
SEED = 20240229
DETAIL = 3000
"""How much of a traceback is reported."""
GIVE_UP_S = 3.0
"""How long a test may go on that was refused something: some wait for it for ever."""
LOCAL = ("test.test_socketserver", "test.test_timeout")
"""Modules that ask for the network and mean this machine's own."""
RECORDS_FD = 240
"""Out of the way of tests that look at descriptors, and below every limit."""


def identity(test: unittest.TestCase) -> str:
    """The test's `id()`, which some tests' own attributes hide."""
    return type(test).id(test)


class Records:
    """Where reports go."""

    def __init__(self) -> None:
        self._fd = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, RECORDS_FD)
        os.dup2(2, 1)

    def write(self, **record: object) -> None:
        """Writes one report."""
        line = b"\x1e" + json.dumps(record).encode() + b"\n"
        while line:
            line = line[os.write(self._fd, line) :]

    def refused(self, kind: str) -> None:
        """Notes what the running test was refused; for a process it does not wait much longer."""
        self.write(refused=kind)
        if kind == "process":
            faulthandler.dump_traceback_later(GIVE_UP_S, exit=True)


class Result(unittest.TestResult):
    """Reports the beginning and the end of every test."""

    def __init__(self, records: Records, limit_s: float) -> None:
        super().__init__()
        self._records = records
        self._limit_s = limit_s
        self._test: unittest.TestCase | None = None
        self._outcome = ""
        self._detail = ""
        self._started = 0.0

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        faulthandler.dump_traceback_later(self._limit_s, exit=True)
        self._test = test
        self._outcome = self._detail = ""
        self._records.write(start=identity(test))
        self._started = time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        self._test = None
        self._records.write(
            end=identity(test),
            outcome=self._outcome or "pass",
            detail=self._detail,
            seconds=round(time.monotonic() - self._started, 3),
        )
        self._outcome = ""
        faulthandler.dump_traceback_later(self._limit_s, exit=True)

    def _bad(self, outcome: str, test: unittest.TestCase, error: Error) -> None:
        if self._outcome not in ("fail", "error"):
            self._outcome = outcome
            self._detail = "".join(traceback.format_exception(*error))[-DETAIL:]
        if test is not self._test:
            # Not a test but setUpClass or setUpModule: the tests that need it do not run.
            self._records.write(fixture=identity(test), detail=self._detail)
            self._outcome = ""

    def addError(self, test: unittest.TestCase, err: Error) -> None:  # noqa: N802
        self._bad("error", test, err)

    def addFailure(self, test: unittest.TestCase, err: Error) -> None:  # noqa: N802
        self._bad("fail", test, err)

    def addSubTest(  # noqa: N802
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Error | None
    ) -> None:
        if err is not None:
            self._bad("fail", test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        # A skipped part does not make its test a skipped one.
        if test is self._test and not self._outcome:
            self._outcome, self._detail = "skip", reason

    def addExpectedFailure(self, test: unittest.TestCase, err: Error) -> None:  # noqa: N802
        self._outcome = "xfail"

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self._outcome = "fail"
        self._detail = "unexpected success"


def reduce(suite: unittest.TestSuite, skip: Collection[str], only: Collection[str]) -> None:
    """Takes tests out of a suite, and all that `only` does not name, if it names any."""
    kept: list[Any] = []
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            reduce(test, skip, only)
            kept.append(test)
        elif (name := identity(test)) not in skip and (
            not only or name in only or name.rpartition(".")[0] in only
        ):
            kept.append(test)
    suite._tests = kept


def run_module(
    records: Records, name: str, skip: Collection[str], only: Collection[str], limit_s: float
) -> None:
    """Runs the tests of one module and reports it."""
    from test import support
    from test.libregrtest.save_env import saved_test_environment
    from test.libregrtest.utils import clear_caches, remove_testfn

    records.write(module=name)
    # No resource: nothing large, slow, audible or on the network.
    support.use_resources = ("network",) if name in LOCAL else ()
    started = time.monotonic()
    skipped = error = None
    random.seed(SEED)
    clear_caches()
    support.gc_collect()
    faulthandler.dump_traceback_later(limit_s, exit=True)
    try:
        with saved_test_environment(name, False, True, pgo=False):
            try:
                loader = unittest.TestLoader()
                suite = loader.loadTestsFromModule(importlib.import_module(name))
                if loader.errors:
                    error = "".join(map(str, loader.errors))[-DETAIL:]
                reduce(suite, frozenset(skip), frozenset(only))
                suite.run(Result(records, limit_s))
            finally:
                support.gc_collect()
                remove_testfn(name, False)
                gc.garbage.clear()
    except unittest.SkipTest as reason:
        skipped = str(reason)
    except BaseException:
        error = traceback.format_exc()[-DETAIL:]
    faulthandler.cancel_dump_traceback_later()
    records.write(
        over=name,
        skipped=skipped,
        error=error,
        seconds=round(time.monotonic() - started, 3),
    )


def main() -> None:
    """Runs the plan."""
    plan = json.load(sys.stdin)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    records = Records()
    if plan["refuse"]:
        sys.path.insert(0, HERE)
        importlib.import_module("limits").refuse(records.refused)
        del sys.path[0]

    from test import support
    from test.libregrtest.setup import setup_process
    from test.support import os_helper

    # A guest's interpreter does not, since nobody would read it; tests see that it can.
    sys.dont_write_bytecode = False
    setup_process()
    support.verbose = 0
    # An emulated processor may be twenty times as slow as this one.
    support.LOOPBACK_TIMEOUT = support.SHORT_TIMEOUT = support.LONG_TIMEOUT = 600.0
    os.chdir(tempfile.gettempdir())
    with os_helper.temp_cwd(f"work-{os.getpid()}"):
        for module in plan["modules"]:
            run_module(records, module["name"], module["skip"], module["only"], module["limit_s"])
    records.write(done=True)
    # Threads that a test has left behind are no reason to stay.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

"""What holds for all tests, and which of them run one after the other when many run at a time."""

import signal

import pytest

# A shell that starts the tests in the background has them ignore SIGINT, and every program that
# they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    *("test_contract", "test_wheels", "test_checks", "test_ninep", "test_stress", "test_regrtest"),
    *("test_network_cards", "test_display", "test_memory", "test_repeated", "test_pack"),
    *("test_strip", "test_kernel_c", "test_reach"),
)
"""Files that take longest, which begin first: the end is when all processors have something."""

DIVIDED = ("test_checks", "test_wheels")
"""Files with several machines, each for the tests whose first parameter is the same."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    name = item.path.stem
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """The tests of a file stay together, for what they share."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _together
    return scheduler


def _together(nodeid: str) -> str:
    """A name that tests have in common which stay together."""
    file, _, test = nodeid.partition("::")
    if file.rpartition("/")[2].removesuffix(".py") in DIVIDED:
        return f"{file} {test.partition('[')[2].rstrip(']').split('-')[0]}"
    return file

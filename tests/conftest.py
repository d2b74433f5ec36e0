"""What holds for all tests, and which of them run one after the other when many run at a time."""

import signal

import pytest

# A shell that starts the tests in the background has them ignore SIGINT, and every program that
# they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    *("test_contract", "test_wheels", "test_checks", "test_ninep", "test_stress", "test_regrtest"),
    *("test_network_cards", "test_display", "test_memory", "test_repeated"),
)
"""Files that take longest, which begin first: the end is when all processors have something."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file stay together, for what they share; a file may divide them itself."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    name = item.path.stem
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)

"""Numbers by chance are within their bounds, and all of them come."""

import pytest

from ovum.net.entropy import Entropy


def test_numbers_are_within_their_bounds_and_all_come() -> None:
    entropy = Entropy()
    assert {entropy.randrange(3) for _ in range(200)} == {0, 1, 2}
    assert {entropy.randint(5, 6) for _ in range(100)} == {5, 6}
    assert all(0 <= entropy.random() < 1 for _ in range(100))
    assert all(2 <= entropy.uniform(2, 3) <= 3 for _ in range(100))
    assert all(entropy.getrandbits(20) < 1 << 20 for _ in range(100))
    assert entropy.getrandbits(0) == 0


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 4000])
def test_as_many_bytes_come_as_are_asked_for(count: int) -> None:
    entropy = Entropy()
    assert len(entropy.randbytes(count)) == count
    assert len(entropy.randbytes(count)) == count


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="no number"):
        Entropy().randrange(3, 3)

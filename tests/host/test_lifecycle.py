"""Services: how often they are started again, and in which order the machine ends."""

from collections.abc import Awaitable, Callable

import pytest

from ovum.services.lifecycle import Services
from ovum.services.tasks import current_task, now, sleep, sleep_forever
from ovum.services.tasks.testing import run


def ending(prepare: Callable[[Services, list[str]], None], seconds: float = 5) -> list[str]:
    """Ends services that are as `prepare` has made them; what was noted in the list."""
    notes: list[str] = []

    async def main() -> None:
        services = Services(current_task().scheduler)
        prepare(services, notes)
        await sleep(0.01)
        await services.end(seconds)
        notes.append(f"over after {now() / 1e9 - 0.01:.2f} s")

    run(main)
    return notes


def noting(
    notes: list[str], note: str, error: BaseException | None = None
) -> Callable[[], Awaitable[None]]:
    async def function() -> None:
        notes.append(note)
        if error is not None:
            raise error

    return function


def test_services_clean_up_before_file_systems_end_and_lasting_ones_after() -> None:
    def prepare(services: Services, notes: list[str]) -> None:
        async def serve(name: str) -> None:
            try:
                await sleep_forever()
            finally:
                notes.append(f"{name} is told")

        async def slow() -> None:
            try:
                await sleep_forever()
            finally:
                notes.append("cleaning")

        services.at_end("file systems", noting(notes, "file systems"))
        services.at_end("network", noting(notes, "network"))
        services.start("client", serve, "client")
        services.start("disk", serve, "disk", lasting=True)

    assert ending(prepare) == [
        *("client is told", "network", "file systems", "disk is told", "over after 0.00 s"),
    ]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), LookupError("x")])
def test_what_one_raises_keeps_no_other_from_the_end(
    error: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    def prepare(services: Services, notes: list[str]) -> None:
        services.at_end("file systems", noting(notes, "file systems"))
        services.at_end("driver", noting(notes, "driver", error))

    assert ending(prepare)[:2] == ["driver", "file systems"]
    assert "end of the machine: driver failed" in capfd.readouterr().err


def test_what_hangs_leaves_time_for_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    def prepare(services: Services, notes: list[str]) -> None:
        async def stubborn() -> None:
            from ovum.services.tasks import CancelScope

            with CancelScope(shield=True):
                await sleep(100)

        services.at_end("file systems", noting(notes, "file systems"))
        services.at_end("hanging", sleep_forever)
        services.start("stubborn", stubborn)

    assert ending(prepare) == ["file systems", "over after 5.00 s"]
    told = capfd.readouterr().err
    assert "service 'stubborn' has not ended" in told
    assert "hanging is not through after 1.2 s" in told


def test_the_pause_of_a_service_that_dies_grows_up_to_30_s_and_begins_anew(
    capfd: pytest.CaptureFixture[str],
) -> None:
    begun: list[float] = []
    lifetime = [0.0] * 12 + [61.0] + [0.0] * 2

    async def dies() -> None:
        begun.append(now() / 1e9)
        await sleep(lifetime[len(begun) - 1])
        if len(begun) < len(lifetime):
            raise RuntimeError

    async def main() -> None:
        services = Services(current_task().scheduler)
        await services.start("mortal", dies, restart=True).wait()

    run(main)
    pauses = [
        round(after - before - lived, 3)
        for before, after, lived in zip(begun, begun[1:], lifetime, strict=False)
    ]
    growing = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]
    assert pauses == [*growing, 0.1, 0.2]

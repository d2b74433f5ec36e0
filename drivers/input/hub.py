"""Where all input devices' events come together, and whoever wants them listens."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.input.events import Event


class Hub:
    """Passes each event on to all listeners, in the services thread."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str, Event], None]] = []

    def listen(self, listener: Callable[[str, Event], None]) -> None:
        """Has listener(device, event) called for every event from now on; it must not wait."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[str, Event], None]) -> None:
        """The opposite. Raises ValueError if it does not listen."""
        self._listeners.remove(listener)

    def publish(self, device: str, event: Event) -> None:
        """A device, by its name, tells of an event."""
        for listener in list(self._listeners):
            listener(device, event)

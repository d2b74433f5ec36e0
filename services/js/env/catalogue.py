"""Which part of the environment has which globals and modules."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Part:
    """Globals, as `name: module` or `name: module.property`, and modules for `require`."""

    __slots__ = ("globals", "modules")

    def __init__(self, globals_: dict[str, str], modules: tuple[str, ...]) -> None:
        self.globals = globals_
        self.modules = modules


_LANGUAGE = Part(
    {
        "console": "console",
        "global": "internal/global",
        "Buffer": "buffer.Buffer",
        "URL": "internal/url.URL",
        "URLSearchParams": "internal/search_params.URLSearchParams",
        "TextEncoder": "internal/encoding.TextEncoder",
        "TextDecoder": "internal/encoding.TextDecoder",
        "atob": "internal/encoding.atob",
        "btoa": "internal/encoding.btoa",
        "structuredClone": "internal/clone.structuredClone",
        "Event": "internal/event_target.Event",
        "CustomEvent": "internal/event_target.CustomEvent",
        "EventTarget": "internal/event_target.EventTarget",
        "AbortController": "internal/abort.AbortController",
        "AbortSignal": "internal/abort.AbortSignal",
        "Blob": "internal/blob.Blob",
        "File": "internal/blob.File",
        "crypto": "internal/webcrypto",
    },
    (
        *("assert", "assert/strict", "buffer", "console", "crypto", "events", "path", "path/posix"),
        *("perf_hooks", "querystring", "stream", "stream/promises", "string_decoder", "timers"),
        *("timers/promises", "url", "util", "util/types"),
    ),
)
"""What reaches nothing outside but standard output and the source of random numbers."""

PARTS: Final = {
    "language": _LANGUAGE,
    "process": Part({"process": "process"}, ("os", "process", "readline", "readline/promises")),
    "files": Part({}, ("fs", "fs/promises")),
    "network": Part(
        {
            "fetch": "internal/fetch.fetch",
            "Headers": "internal/headers.Headers",
            "Request": "internal/fetch_bodies.Request",
            "Response": "internal/fetch_bodies.Response",
            "FormData": "internal/form_data.FormData",
            "ReadableStream": "internal/readable_stream.ReadableStream",
        },
        ("http", "https"),
    ),
    "machine": Part({"sys": "sys:machine"}, ("sys:machine",)),
}

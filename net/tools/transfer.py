"""fetch: gets what a URL names, by HTTP, HTTPS or FTP."""

from __future__ import annotations

import sys
import time

from ovum.net.tools.hosts import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.client import HTTPResponse
    from typing import BinaryIO

CHUNK = 65536


def fetch(
    url: str,
    output: str = "",
    *,
    headers: bool = False,
    insecure: bool = False,
    timeout: float = 30.0,
) -> int:
    """Writes what a URL names to standard output, or to a file, then says how quick it was.

    headers: the response's, too, before it. insecure: whoever the server is. timeout: seconds
    without a byte. Returns how many bytes it was. Raises ToolError.
    """
    # Half a second of imports, for this tool alone.
    import ssl
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    context = None
    if insecure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if "://" not in url:
        url = f"http://{url}"
    begun = time.perf_counter()
    try:
        request = Request(url, headers={"User-Agent": "ovum"})
        with urlopen(request, timeout=timeout, context=context) as response:
            if headers:
                _print_headers(response)
            if not output:
                size = _copy(response, sys.stdout.buffer)
                sys.stdout.buffer.flush()
                return size
            with open(output, "wb") as file:  # noqa: PTH123
                size = _copy(response, file)
    except HTTPError as error:
        raise ToolError(f"{url}: {error.code} {error.reason}") from error
    except URLError as error:
        raise ToolError(f"{url}: {_reason(error.reason)}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ToolError(f"{url}: {_reason(error)}") from error
    took = time.perf_counter() - begun
    print(f"{output}: {size} bytes in {took:.2f} s, {size / took / 1e6:.2f} MB/s")
    return size


def _reason(error: object) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)


def _print_headers(response: HTTPResponse) -> None:
    version = {10: "HTTP/1.0", 11: "HTTP/1.1"}.get(getattr(response, "version", 0), "")
    if version:
        print(f"{version} {response.status} {response.reason}")
    for name, value in response.headers.items():
        print(f"{name}: {value}")
    print(flush=True)


def _copy(response: HTTPResponse, file: BinaryIO) -> int:
    size = 0
    while chunk := response.read(CHUNK):
        file.write(chunk)
        size += len(chunk)
    expected = response.headers.get("Content-Length", "")
    if expected.isdigit() and size < int(expected):
        raise OSError(0, f"the connection ended after {size} of {expected} bytes")
    return size

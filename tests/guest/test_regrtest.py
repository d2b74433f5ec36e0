"""`./dev regrtest`, with a few quick modules of CPython's tests, and with those of the network."""

import json
import re
import subprocess
import sys
from pathlib import Path

from ovum.paths import REPO

MODULES = ("test_bool", "test_dis", "test_fcntl", "test_posixpath")

NETWORK = (
    *("test_asyncgen", "test_asyncio", "test_concurrent_futures", "test_contextlib_async"),
    *("test_coroutines", "test_docxmlrpc", "test_epoll", "test_ftplib", "test_http_cookiejar"),
    *("test_http_cookies", "test_httplib", "test_httpservers", "test_imaplib", "test_ipaddress"),
    *("test_logging", "test_mailbox", "test_mimetypes", "test_netrc", "test_poll", "test_poplib"),
    *("test_queue", "test_robotparser", "test_sched", "test_select", "test_selectors"),
    *("test_signal", "test_smtplib", "test_smtpnet", "test_socket", "test_socketserver"),
    *("test_ssl", "test_syslog", "test_timeout", "test_urllib", "test_urllib2"),
    *("test_urllib2_localnet", "test_urllib2net", "test_urllib_response", "test_urllibnet"),
    *("test_urlparse", "test_uuid", "test_wsgiref", "test_xmlrpc"),
)
"""With --full: half an hour. docs/network-conformance.md has what comes of it."""

PARTS = {
    "test_asyncio.test_server": (),
    "test_asyncio.test_sock_lowlevel": ("EPollEventLoopTests",),
    "test_asyncio.test_streams": (),
    "test_epoll": (),
    "test_ftplib": ("TestFTPClass", "TestIPv6Environment"),
    "test_httpservers": ("BaseHTTPServerTestCase",),
    "test_imaplib": ("NewIMAPTests",),
    "test_poll": (),
    "test_poplib": ("TestPOP3Class",),
    "test_select": (),
    "test_selectors": ("EpollSelectorTestCase",),
    "test_smtplib": ("SMTPSimTests",),
    "test_socket": (
        *("BasicTCPTest", "BasicUDPTest", "BasicUDPLITETest", "CreateServerFunctionalTest"),
        *("GeneralModuleTests", "NetworkConnectionNoServer", "NonBlockingTCPTests"),
        *("RecvmsgRFC3542AncillaryUDP6Test", "TCPCloserTest", "UDPTimeoutTest"),
    ),
    "test_socketserver": (),
    "test_ssl": ("SimpleBackgroundTests",),
    "test_timeout": (),
    "test_urllib2_localnet": ("TestUrlopen",),
    "test_xmlrpc": ("SimpleServerTestCase",),
}
"""What of them is run every time: a module's classes, or all of it."""


def test_modules_pass_in_the_guest_that_pass_on_linux(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.regrtest", "--target=99", f"--out={tmp_path}", *MODULES],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"modules: {len(MODULES)}, " in done.stdout
    stored = json.loads((tmp_path / "test.test_fcntl.json").read_text())
    # flock in two processes is among the tests of fcntl: it does not count.
    assert stored["linux"]["tests"].keys() > stored["guest"]["tests"].keys()
    assert len(stored["guest"]["tests"]) >= 5
    assert "test.test_fcntl" in (tmp_path / "left-out.txt").read_text()


def test_the_network_is_as_good_as_linuxs(tmp_path: Path, full: bool) -> None:
    parts = [f"{name}.{one}" for name, chosen in PARTS.items() for one in chosen]
    whole = [name for name, chosen in PARTS.items() if not chosen]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.regrtest", "--target=97", f"--out={tmp_path}"),
            *(NETWORK if full else (*whole, *parts)),
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=7200 if full else 600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    compared = re.search(r"^pass on Linux: (\d+)", done.stdout, re.MULTILINE)
    assert compared is not None
    assert int(compared[1]) > (5800 if full else 350), done.stdout


def test_a_module_that_does_not_exist_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.regrtest", "test_nothing"],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no module test_nothing" in done.stderr

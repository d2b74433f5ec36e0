"""Fetches Debian packages with the host's apt, without touching what the host has installed.

apt keeps its state in a folder of ours and checks every signature against Debian's own keys. Which
mirror to ask is the machine's business: it is read from the host's apt configuration.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR_VARIABLE = "OVUM_DEBIAN_MIRROR"
ARCHITECTURE = "amd64"
RETRIES = 3
"""How often apt asks a mirror again that does not answer; it waits longer each time."""

_ONE_LINE = re.compile(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)")


class AptError(Exception):
    """Something that only the user can put right; the message says what to do."""


def _deb822(text: str) -> Iterator[dict[str, str]]:
    """The stanzas of a `.sources` file, field names in lower case (deb822(5))."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                if name:
                    fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def _configured(etc: Path) -> Iterator[str]:
    """Every address from which the host gets binary packages of the component `main`."""
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        for fields in _deb822(path.read_text(errors="replace")):
            if fields.get("enabled", "yes").lower() in ("no", "false", "off", "0"):
                continue
            if "deb" not in fields.get("types", "").split():
                continue
            if "main" in fields.get("components", "").split():
                yield from fields.get("uris", "").split()
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        if path.is_file():
            for line in path.read_text(errors="replace").splitlines():
                match = _ONE_LINE.match(line)
                if match and "main" in match[3].split("#")[0].split():
                    yield match[1]


def debian_mirror(etc: Path = Path("/etc/apt"), environ: Mapping[str, str] = os.environ) -> str:
    """The address of the Debian archive that this machine uses.

    OVUM_DEBIAN_MIRROR overrides it. Raises AptError when apt names none, as on a derivative of
    Debian, whose own archive has different packages.
    """
    named = environ.get(MIRROR_VARIABLE)
    if named:
        return named.rstrip("/")
    found = [
        uri.rstrip("/")
        for uri in _configured(etc)
        # A mirror's address ends in the archive's name: not debian-security, debian-ports, ….
        if re.search(r"/debian/?$", uri)
    ]
    for uri in found:
        if uri.startswith(("https:", "http:")):
            return uri
    if found:
        return found[0]
    raise AptError(
        f"{etc} names no Debian mirror. Set {MIRROR_VARIABLE} to the address of one, "
        "the part that comes before a suite's name in sources.list."
    )


class Apt:
    """apt for one suite, with all its state in the folder `state`."""

    def __init__(self, state: Path, suite: str, mirror: str) -> None:
        for tool, package in (("apt-get", "apt"), ("dpkg-deb", "dpkg")):
            if shutil.which(tool) is None:
                raise AptError(
                    f"{tool} is missing (Debian package {package}). The interpreter comes from "
                    "Debian's packages, so the first build needs a Debian machine."
                )
        if not KEYRING.is_file():
            raise AptError(
                f"{KEYRING} is missing, and Debian's signatures cannot be checked without it: "
                "install the package debian-archive-keyring."
            )
        self._mirror = mirror
        for folder in ("lists/partial", "cache/archives/partial", "etc"):
            (state / folder).mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        sources = state / "sources.list"
        options = f"[arch={ARCHITECTURE} signed-by={KEYRING}]"
        sources.write_text(f"deb {options} {mirror} {suite} main\n")
        settings = {
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            # Without this, apt as root gives the download to a user who may not enter our folder.
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": str(RETRIES),
            "Dir::Cache": str(state / "cache"),
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::sourcelist": str(sources),
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State::Lists": str(state / "lists"),
            "Dir::State::status": str(state / "status"),
        }
        self._options = ["-q", "-y", *(f"-o{key}={value}" for key, value in settings.items())]

    def update(self) -> None:
        """Fetches the suite's package lists and checks their signatures."""
        self._run("update", cwd=None)

    def download(self, packages: Sequence[str], into: Path) -> list[Path]:
        """Fetches the newest version of each package, or, after `=`, the one named there.

        Returns the `.deb` files.
        """
        into.mkdir(parents=True, exist_ok=True)
        self._run("download", *packages, cwd=into)
        debs = sorted(into.glob("*.deb"))
        wanted = {package.partition("=")[0] for package in packages}
        missing = wanted - {deb.name.partition("_")[0] for deb in debs}
        if missing:
            raise AptError(f"apt-get did not deliver {', '.join(sorted(missing))}")
        return debs

    def _run(self, *command: str, cwd: Path | None) -> None:
        done = subprocess.run(
            ["apt-get", *self._options, *command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode:
            complaints = [line for line in done.stdout.splitlines() if line[:2] in ("E:", "W:")]
            raise AptError(
                f"apt-get {command[0]} failed:\n  "
                + "\n  ".join(complaints or done.stdout.splitlines()[-5:])
                + f"\nIs the network up, and does {self._mirror} answer? "
                f"{MIRROR_VARIABLE} names another mirror."
            )


def deb_version(deb: Path) -> tuple[str, str]:
    """Name and version of a package file."""
    done = subprocess.run(
        ["dpkg-deb", "--show", "--showformat=${Package} ${Version}", deb],
        capture_output=True,
        check=True,
        text=True,
    )
    name, version = done.stdout.split()
    return name, version


def unpack(deb: Path, into: Path) -> None:
    """Unpacks the files of a package; none of its scripts runs."""
    done = subprocess.run(["dpkg-deb", "--extract", deb, into], capture_output=True, text=True)
    if done.returncode:
        raise AptError(f"cannot unpack {deb.name}: {done.stderr.strip()}")

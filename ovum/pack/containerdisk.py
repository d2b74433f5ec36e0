"""A container image that holds a disk, as KubeVirt's containerDisk wants one, in an archive.

OCI Image Format 1.0: image-layout.md, manifest.md, config.md, layer.md. The disk is qcow2, in
/disk, and belongs to user 107, as whom KubeVirt runs QEMU.
"""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import BinaryIO, Final

from ovum.atomic import replaced
from ovum.cpio import BUILD_TIME_S

USER: Final = 107
CREATED: Final = "1980-01-02T00:00:00Z"

_BLOBS: Final = "blobs/sha256"
_MEDIA: Final = "application/vnd.oci.image"
_LEVEL: Final = 6


def write_containerdisk(disk: Path, name: str, out: Path, work: Path) -> None:
    """Writes the archive with this qcow2 disk; `name` is the disk's name and the image's reference.

    work is a folder for scraps. Raises OSError.
    """
    plain, packed = work / "layer.tar", work / "layer.tar.gz"
    with plain.open("wb") as layer, _tar(layer) as archive:
        archive.addfile(_member("disk", tarfile.DIRTYPE, 0o755, USER))
        _add(archive, f"disk/{name}.qcow2", disk, 0o440, USER)
    with (
        plain.open("rb") as source,
        packed.open("wb") as target,
        # Neither a name nor the time in its header.
        gzip.GzipFile("", "wb", _LEVEL, target, mtime=0) as compressed,
    ):
        shutil.copyfileobj(source, compressed, 1 << 20)
    config = _json(
        {
            "created": CREATED,
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_file_digest(plain)]},
            "history": [{"created": CREATED, "created_by": "ovum pack"}],
        }
    )
    digest = _file_digest(packed)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "config": _descriptor("config.v1+json", _digest(config), len(config)),
            "layers": [_descriptor("layer.v1.tar+gzip", digest, packed.stat().st_size)],
        }
    )
    reference = _descriptor("manifest.v1+json", _digest(manifest), len(manifest))
    reference["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    index = _json({"schemaVersion": 2, "mediaType": f"{_MEDIA}.index.v1+json",
                   "manifests": [reference]})  # fmt: skip
    with replaced(out) as made, _tar(made) as archive:
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", index)
        for folder in ("blobs", _BLOBS):
            archive.addfile(_member(folder, tarfile.DIRTYPE, 0o755))
        for blob in (manifest, config):
            _add(archive, f"{_BLOBS}/{_digest(blob).partition(':')[2]}", blob)
        _add(archive, f"{_BLOBS}/{digest.partition(':')[2]}", packed)


def _tar(out: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)


def _member(name: str, kind: bytes, mode: int, user: int = 0, size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.mtime = kind, mode, size, BUILD_TIME_S
    member.uid = member.gid = user
    return member


def _add(
    archive: tarfile.TarFile, name: str, content: bytes | Path, mode: int = 0o644, user: int = 0
) -> None:
    if isinstance(content, bytes):
        member = _member(name, tarfile.REGTYPE, mode, user, len(content))
        archive.addfile(member, io.BytesIO(content))
        return
    with content.open("rb") as file:
        member = _member(name, tarfile.REGTYPE, mode, user, content.stat().st_size)
        archive.addfile(member, file)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _descriptor(media: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": f"{_MEDIA}.{media}", "digest": digest, "size": size}

"""asyncssh, server and client: a password, commands, files by SFTP, a port led through."""

import asyncio
import os
import socket
import tempfile
from pathlib import Path

import asyncssh

PASSWORD = "sesame"


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("guest", PASSWORD)

    def connection_requested(self, *_: object) -> bool:
        return True


async def _process(process: asyncssh.SSHServerProcess[str]) -> None:
    if process.command == "sort":
        lines = [line async for line in process.stdin]
        process.stdout.write("".join(sorted(lines)))
        process.exit(0)
    else:
        process.stderr.write(f"no command {process.command}\n")
        process.exit(127)


async def _serve(listening: socket.socket) -> None:
    async with asyncssh.listen(
        sock=listening,
        server_factory=_Server,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=_process,
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=tempfile.mkdtemp()),
        login_timeout=600,
    ):
        await asyncio.Event().wait()


def serve(listening: socket.socket) -> None:
    asyncio.run(_serve(listening))


async def _use(host: str, port: int) -> None:
    known = {"host": host, "port": port, "known_hosts": None, "username": "guest"}
    known |= {"login_timeout": 600, "connect_timeout": 600, "config": None, "agent_path": None}
    try:
        await asyncssh.connect(**known, password="wrong", client_keys=None)
    except asyncssh.PermissionDenied:
        pass
    else:
        raise AssertionError("a wrong password was taken")
    async with asyncssh.connect(**known, password=PASSWORD, client_keys=None) as connection:
        done = await connection.run("sort", input="b\nc\na\n", check=True)
        assert done.stdout == "a\nb\nc\n"
        failed = await connection.run("frobnicate")
        assert (failed.exit_status, failed.stderr) == (127, "no command frobnicate\n")
        with tempfile.TemporaryDirectory() as folder:
            source, back = Path(folder, "source"), Path(folder, "back")
            source.write_bytes(os.urandom(200_000))
            async with connection.start_sftp_client() as files:
                await files.put(source, "there")
                assert await files.listdir(".") == [".", "..", "there"]
                await files.get("there", back)
            assert back.read_bytes() == source.read_bytes()


def use(host: str, port: int) -> None:
    asyncio.run(_use(host, port))

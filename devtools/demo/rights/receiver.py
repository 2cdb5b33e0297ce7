"""Another controller: a server with real TLS on loopback that takes what a person has sent to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devtools.free_ports import free_port

_HOST = "127.0.0.1"
_LARGEST_BYTES = 64 * 1024 * 1024


@dataclass(kw_only=True)
class Receiver:
    """A running server. `received`: body and headers of what came, by path."""

    origin: str
    certificate: Path
    received: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """The app's settings that let copies go there in a local run."""
        return {"TRANSFER_LOCAL_RECEIVER": self.origin, "TRANSFER_LOCAL_CA_FILE": str(self.certificate)}

    async def take(self, request: web.Request) -> web.Response:
        """Take one file."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received[request.path] = (await request.read(), headers)
        return web.Response(status=201)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Receiver]:
    """Start a receiver whose certificate lies in a folder, and stop it at the end."""
    certificate, chain = await asyncio.to_thread(_made, folder)
    port = free_port()
    receiver = Receiver(origin=f"https://{_HOST}:{port}", certificate=certificate)
    app = web.Application(client_max_size=_LARGEST_BYTES)
    app.router.add_put("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    try:
        await web.TCPSite(runner, _HOST, port, ssl_context=context).start()
        yield receiver
    finally:
        await runner.cleanup()


def _made(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody but this run believes; return its file, and one with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another controller (made up)")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(_HOST))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    alone, chain = folder / "receiver.pem", folder / "receiver-with-key.pem"
    alone.write_bytes(certificate)
    chain.touch(mode=0o600)
    chain.write_bytes(certificate + private)
    return alone, chain

"""Another controller's server: real TLS on loopback, with a certificate of a self-made authority."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "receiver.test"
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Authority:
    """Issues certificates; its own is in `ca_file`."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self):
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate = self._built(self.subject, self.key.public_key(), constraints)
        self.ca_file = self.folder / "authority.pem"
        self.ca_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """Return a server's side of TLS, with a certificate for host names and IP addresses."""
        file = self.folder / f"{names[0]}-{days}.pem"
        key, certificate = self.issued(*names, days=days, key=ec.generate_private_key(ec.SECP256R1()))
        file.write_bytes(certificate + key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def issued(self, *names: str, key, days: int = 1) -> tuple[bytes, bytes]:
        """Return a private key and a certificate for it, both PEM."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        leaf = self._built(
            subject, key.public_key(), x509.BasicConstraints(ca=False, path_length=None), alternatives, days
        )
        return (
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            leaf.public_bytes(serialization.Encoding.PEM),
        )

    def _built(self, subject, public_key, constraints, alternatives=None, days=1):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=30))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if constraints.ca:
            usage = dict.fromkeys(
                (
                    "digital_signature",
                    "content_commitment",
                    "key_encipherment",
                    "data_encipherment",
                    "key_agreement",
                    "encipher_only",
                    "decipher_only",
                ),
                False,
            )
            builder = builder.add_extension(
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True
            )
        if alternatives is not None:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(alternatives, critical=False).add_extension(usage, critical=False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Receiver:
    """A running server. `behaviour` decides what it does with one connection; what came is kept."""

    behaviour: Behaviour | None = None
    port: int = 0
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    head: str = ""
    body: bytes = b""

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    async def take(self, reader: asyncio.StreamReader) -> None:
        """Read one request whole."""
        self.head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        self.body = await reader.readexactly(int(self.header("content-length") or 0))

    def header(self, name: str) -> str | None:
        """Return a header of the last request."""
        for line in self.head.split("\r\n")[1:]:
            found, _, value = line.partition(": ")
            if found.lower() == name:
                return value
        return None

    async def answering(
        self, writer: asyncio.StreamWriter, status: str, *lines: str, body: bytes = b""
    ) -> None:
        """Answer with a status such as `200 OK`."""
        head = "\r\n".join((f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", ""))
        writer.write(head.encode() + body)
        await writer.drain()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.behaviour is not None:
                await self.behaviour(reader, writer)
            else:
                await self.take(reader)
                await self.answering(writer, "201 Created")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side went away, as some tests want
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def running(context: ssl.SSLContext, behaviour: Behaviour | None = None) -> AsyncIterator[Receiver]:
    """Start a receiver on a free port of loopback, and stop it."""
    receiver = Receiver(behaviour)

    def seen(_socket: object, name: str | None, _context: object) -> None:
        receiver.server_names.append(name)

    context.sni_callback = seen
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=0.1)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)

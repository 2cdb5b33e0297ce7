"""HTTPS to an address that somebody else named, without ever reaching a machine of our own network.

This is the one place from which such an address is connected to. The name is looked up once, every address
it leads to has to be public, and the connection goes to one of exactly these: a name server that answers
differently a moment later is not asked again. TLS and the Host header keep the name. There are no redirects,
no cookies, no proxy and no netrc; every wait has an end, and so has the whole.
"""

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from shared.domain.errors import ComplianceError, NotAllowed, Permanent, Retryable
from shared.domain.outbound import Address, TargetUrl, is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to the addresses it leads to."""

_ADDRESSES_TRIED = 3
_PASSING = frozenset({408, 425, 429})
_AGENT = "clicklearn-data-protection"


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long to wait for a connection, for bytes either way, and for the whole."""

    connect_seconds: float = 10.0
    silence_seconds: float = 30.0
    overall_seconds: float = 300.0  # well below the host's bound on one call of a function


@dataclass(frozen=True, kw_only=True)
class Sending:
    """What to send. `chunks` gives the body's bytes, `size_bytes` of them; it is called once a connection."""

    method: str
    headers: Mapping[str, str]
    size_bytes: int = 0
    chunks: Callable[[], AsyncIterator[bytes]] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of the 2xx kind; of its body no more than was asked for."""

    status: int
    body: bytes


async def resolved(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver for every address of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


def tls_transport(context: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """Return the way over the network: one connection, used once, no HTTP/2, no retries of its own."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)


class Outbound:
    """Sends to targets. `what` begins the code of each error, such as `transfer`.

    `local_ca_file`: whose certificates are believed for the local receiver, and for nothing else.
    """

    def __init__(
        self,
        what: str,
        *,
        local_ca_file: str = "",
        times: Times | None = None,
        resolve: Resolve = resolved,
        transport: Callable[[ssl.SSLContext], httpx.AsyncBaseTransport] = tls_transport,
    ) -> None:
        self._what = what
        self._local_ca_file = local_ca_file
        self._times = times or Times()
        self._resolve = resolve
        self._transport = transport
        self._contexts: dict[bool, ssl.SSLContext] = {}
        for name in ("httpx", "httpcore"):  # they log URLs, headers and addresses
            logging.getLogger(name).setLevel(logging.WARNING)

    async def send(self, target: TargetUrl, sending: Sending, *, keep_bytes: int = 0) -> Answer:
        """Send once and return the answer, of whose body at most `keep_bytes` are read.

        Raises:
            NotAllowed: `…_refused_address`: an address of the name is not public.
            Retryable: `…_unreachable`: no answer or a broken one, 408, 425, 429 or 5xx.
            Permanent: `…_refused`: any other answer but 2xx; `…_certificate`: the other side could not prove
                its name; `…_too_slow`: the whole took too long; `…_answer_too_large`: more than `keep_bytes`;
                `…_source_changed`: the body was not as long as it was said to be.
        """
        whole = asyncio.timeout(self._times.overall_seconds)
        try:
            async with whole:
                return await self._send(target, sending, keep_bytes)
        except TimeoutError:
            if whole.expired():
                raise Permanent(f"{self._what}_too_slow") from None
            raise Retryable(f"{self._what}_unreachable") from None
        # From none: the library's errors quote addresses.
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._broken(error) from None

    async def _send(self, target: TargetUrl, sending: Sending, keep_bytes: int) -> Answer:
        addresses = await self._addresses(target)
        for address in addresses[:-1]:
            try:
                return await self._send_to(address, target, sending, keep_bytes)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing of the body has left before there is a connection
        return await self._send_to(addresses[-1], target, sending, keep_bytes)

    async def _addresses(self, target: TargetUrl) -> list[Address]:
        try:
            found = [ipaddress.ip_address(target.host)]
        except ValueError:
            texts = await self._resolve(target.host, target.port)
            found = [ipaddress.ip_address(text) for text in dict.fromkeys(texts)]
        if not found:
            raise Retryable(f"{self._what}_unreachable")
        # All of them: a name that leads to one private address was made to reach it.
        if not target.is_local and not all(is_public(address) for address in found):
            raise NotAllowed(f"{self._what}_refused_address")
        return found[:_ADDRESSES_TRIED]

    async def _send_to(
        self, address: Address, target: TargetUrl, sending: Sending, keep_bytes: int
    ) -> Answer:
        body = _Body(sending, self._what)
        headers = {
            "Host": target.authority,
            "User-Agent": _AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **sending.headers,
        }
        if sending.chunks is not None:
            headers["Content-Length"] = str(sending.size_bytes)
        timeout = httpx.Timeout(self._times.silence_seconds, connect=self._times.connect_seconds)
        transport = self._transport(self._context(is_local=target.is_local))
        url = httpx.URL(
            scheme="https", host=str(address), port=target.port, raw_path=target.path.encode("ascii")
        )
        async with (
            httpx.AsyncClient(
                transport=transport, trust_env=False, follow_redirects=False, timeout=timeout
            ) as client,
            client.stream(
                sending.method,
                url,
                headers=headers,
                content=body.chunks() if sending.chunks is not None else None,
                extensions={"sni_hostname": target.host},
            ) as response,
        ):
            self._require_success(response.status_code)
            if not body.is_sent:  # an answer before the end has not seen the end
                raise Retryable(f"{self._what}_unreachable")
            return Answer(status=response.status_code, body=await self._kept(response, keep_bytes))

    def _require_success(self, status: int) -> None:
        if httpx.codes.is_success(status):
            return
        if status in _PASSING or httpx.codes.is_server_error(status):
            raise Retryable(f"{self._what}_unreachable", str(status))
        raise Permanent(f"{self._what}_refused", str(status))

    async def _kept(self, response: httpx.Response, most_bytes: int) -> bytes:
        kept = b""
        if most_bytes:
            async for block in response.aiter_raw():
                kept += block
                if len(kept) > most_bytes:
                    raise Permanent(f"{self._what}_answer_too_large")
        return kept  # the rest is dropped with the connection

    def _context(self, *, is_local: bool) -> ssl.SSLContext:
        if is_local not in self._contexts:
            context = httpx.create_ssl_context(trust_env=False)
            if is_local and self._local_ca_file:
                context = ssl.create_default_context(cafile=self._local_ca_file)
            self._contexts[is_local] = context
        return self._contexts[is_local]

    def _broken(self, error: BaseException) -> ComplianceError:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return Permanent(f"{self._what}_certificate")
            cause = cause.__cause__ or cause.__context__
        return Retryable(f"{self._what}_unreachable")


async def _nothing() -> AsyncIterator[bytes]:
    for chunk in tuple[bytes, ...]():
        yield chunk


class _Body:
    """The bytes on their way, counted: a receiver must not take the half for the whole."""

    def __init__(self, sending: Sending, what: str) -> None:
        self._chunks = sending.chunks or _nothing
        self._size_bytes = sending.size_bytes
        self._what = what
        self.is_sent = sending.chunks is None

    async def chunks(self) -> AsyncIterator[bytes]:
        sent = 0
        async for chunk in self._chunks():
            sent += len(chunk)
            if sent > self._size_bytes:
                break
            yield chunk
        if sent != self._size_bytes:
            raise Permanent(f"{self._what}_source_changed")
        self.is_sent = True

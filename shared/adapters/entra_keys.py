"""The public keys that staff tokens are signed with, fetched from the one address the settings name.

Fetched with httpx and not with PyJWT's own client: that one blocks a thread, waits by the machine's clock,
which no test can move, and tells a refused key from an unreachable endpoint by its message only.
Source: https://learn.microsoft.com/entra/identity-platform/access-tokens (keys roll without notice).
"""

import asyncio
import json
import logging
from http import HTTPStatus
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.domain.errors import Retryable
from shared.ports.clock import Clock

FRESH_SECONDS = 3_600.0
OLDEST_SECONDS = 86_400.0  # so long an endpoint that is down does not lock staff out
COOL_DOWN_SECONDS = 30.0
FETCH_SECONDS = 10.0

_TIME_OUTS = httpx.Timeout(5.0, connect=3.0)
_MAX_BYTES = 512 * 1024
_MIN_KEY_BITS = 2048
_LOG = logging.getLogger("shared.staff_keys")


class EntraKeys:
    """Keys by their id. Connects at the first question.

    Args:
        url: Where the key set is.
        clock: Its `elapsed_seconds` tell the age of the keys.
        through_proxy: Whether the environment's proxy settings count.
        transport: What carries the calls; None is the network. Tests hand in their own.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        through_proxy: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._through_proxy = through_proxy
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK | None:
        """Return a key; None: there is none of that id.

        An id that is not known makes it look again, because keys roll; but never more than once in
        `COOL_DOWN_SECONDS`, because anybody can send a token with an id of their own. A new key may be
        refused for that long.

        Raises:
            Retryable: `staff_keys_unavailable`: the endpoint did not answer and what is held is too old, or
                does not hold the id.
        """
        if self._needs_fetching(key_id):
            async with self._one_at_a_time:
                # Whoever waited here finds what the first one fetched.
                if self._needs_fetching(key_id) and self._may_fetch():
                    await self._fetch()
        age = self._age(self._fetched_at)
        if age is None or age > OLDEST_SECONDS:
            raise _unavailable()
        found = self._keys.get(key_id)
        if found is None and self._tried_at != self._fetched_at:
            raise _unavailable()  # the last look failed: whether the key exists is not known
        return found

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _needs_fetching(self, key_id: str) -> bool:
        age = self._age(self._fetched_at)
        return age is None or age > FRESH_SECONDS or key_id not in self._keys

    def _may_fetch(self) -> bool:
        since = self._age(self._tried_at)
        return since is None or since >= COOL_DOWN_SECONDS

    def _age(self, moment: float | None) -> float | None:
        return None if moment is None else self._clock.elapsed_seconds() - moment

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = _usable(await self._body())
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            _LOG.warning("staff keys not fetched: %s", type(error).__name__)
            self._tried_at = self._clock.elapsed_seconds()
            return
        self._tried_at = self._fetched_at = self._clock.elapsed_seconds()
        self._keys = keys

    async def _body(self) -> bytes:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=_TIME_OUTS,
                follow_redirects=False,
                trust_env=self._through_proxy,
                transport=self._transport,
            )
        async with self._client.stream("GET", self._url, headers={"Accept": "application/json"}) as response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(response.status_code)
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    raise ValueError("too large")
            return body


def _usable(body: bytes) -> dict[str, jwt.PyJWK]:
    """Return the RSA keys for signatures of a key set. What else is in it is none of our business."""
    content = json.loads(body)
    if not isinstance(content, dict) or not isinstance(content.get("keys"), list):
        raise ValueError("no key set")  # noqa: TRY004  an answer that is wrong, not a type of ours
    found = {}
    for one in content["keys"]:
        key = _read(one)
        if key is not None:
            found[str(one["kid"])] = key
    if not found:
        raise ValueError("no key in it")
    return found


def _read(one: Any) -> jwt.PyJWK | None:
    if not isinstance(one, dict) or not isinstance(one.get("kid"), str):
        return None
    if one.get("kty") != "RSA" or one.get("use", "sig") != "sig" or one.get("alg", "RS256") != "RS256":
        return None
    try:
        key = jwt.PyJWK.from_dict(one, "RS256")
    except (jwt.PyJWTError, KeyError):
        return None
    # A private key has no business there, and a short one proves nothing.
    is_public = isinstance(key.key, RSAPublicKey)
    return key if is_public and key.key.key_size >= _MIN_KEY_BITS else None


def _unavailable() -> Retryable:
    return Retryable("staff_keys_unavailable", retry_after_seconds=int(COOL_DOWN_SECONDS))

"""Sign in with msal's device code flow; the tokens are kept in a file only the owner reads.

msal takes an authority on https only. The issuer of a local run speaks plain HTTP on loopback, so msal's
calls to it go through a transport that stands where a server that ends TLS would stand; the flow itself is
msal's, the same as with Entra.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msal
import requests

from devtools.failures import CannotStartError
from devtools.ops.connection import Connection, NotSignedInError, write_private
from devtools.stand_ins.issuer_staff import STAFF

_TOKENS = "tokens.json"
_CALL_SECONDS = 15.0


def sign_in(connection: Connection, store: Path, *, staff: str | None = None) -> None:
    """Sign in and keep the tokens. Waits until the code was typed in, a quarter of an hour at most.

    Args:
        connection: Where to.
        store: Directory of what is kept.
        staff: A made-up member of staff, as whom the code is typed in here and now; a local run only.

    Raises:
        CannotStartError: The issuer does not answer, or says no.
    """
    cache = msal.SerializableTokenCache()  # who was signed in before is not carried over
    with _application(connection, cache) as application:
        flow = application.initiate_device_flow(scopes=[_scope(connection)])
        if "user_code" not in flow:
            raise CannotStartError(f"No sign-in can be begun: {flow.get('error', 'no reason given')}.")
        if staff is None:
            print(flow["message"], file=sys.stderr, flush=True)
        else:
            _take_up(connection, flow["user_code"], staff)
        answer = application.acquire_token_by_device_flow(flow)
    if "access_token" not in answer:
        raise CannotStartError(f"The sign-in failed: {answer.get('error', 'no reason given')}.")
    connection.write(store)
    write_private(store / _TOKENS, cache.serialize())


def access_token(connection: Connection, store: Path) -> str:
    """Return a token that is good now; a new one is fetched without asking where the old one has ended.

    Raises:
        NotSignedInError: There is none, or it cannot be renewed.
        CannotStartError: The issuer does not answer.
    """
    cache = msal.SerializableTokenCache()
    try:
        cache.deserialize((store / _TOKENS).read_text("utf-8"))
    except (OSError, ValueError):
        raise NotSignedInError(
            "Sign in first: python3 -m devtools ops sign-in, in a local run with --as operator"
        ) from None
    with _application(connection, cache) as application:
        accounts = application.get_accounts()
        answer = (
            application.acquire_token_silent([_scope(connection)], account=accounts[0]) if accounts else None
        )
    if cache.has_state_changed:
        write_private(store / _TOKENS, cache.serialize())
    if not answer or "access_token" not in answer:
        raise NotSignedInError(
            "Sign in again: python3 -m devtools ops sign-in, in a local run with --as operator"
        )
    return str(answer["access_token"])


def sign_out(store: Path) -> None:
    """Forget the tokens of this machine. A second call does nothing."""
    (store / _TOKENS).unlink(missing_ok=True)


def _scope(connection: Connection) -> str:
    # Asked for by its id, as Entra demands of an app that asks for a token for itself.
    return f"{connection.client_id}/.default"


@contextmanager
def _application(connection: Connection, cache: msal.SerializableTokenCache) -> Iterator[Any]:
    """Yield msal's client over a transport that is closed afterwards, and whose faults are sentences."""
    with _Loopback() if connection.is_local else _Timed() as session:
        try:
            yield msal.PublicClientApplication(
                connection.client_id,
                authority=connection.authority.replace("http://", "https://", 1),
                token_cache=cache,
                http_client=session,
                # Whether Microsoft knows the issuer is asked of Microsoft, and never about one on loopback.
                instance_discovery=False if connection.is_local else None,
            )
        except (requests.RequestException, ValueError) as error:
            host = urlsplit(connection.authority).netloc
            hint = " Is python3 -m devtools run running?" if connection.is_local else ""
            raise CannotStartError(f"The issuer at {host} does not answer.{hint}") from error


class _Timed(requests.Session):
    """A session whose every call ends."""

    def request(self, method: Any, url: Any, *rest: Any, **options: Any) -> requests.Response:
        return super().request(method, url, *rest, **{"timeout": _CALL_SECONDS, **options})


class _Loopback(_Timed):
    """Calls the issuer of a local run over plain HTTP, and nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["X-Forwarded-Proto"] = "https"

    def request(self, method: Any, url: Any, *rest: Any, **options: Any) -> requests.Response:
        found = urlsplit(str(url))
        if found.hostname != "127.0.0.1":
            raise requests.exceptions.InvalidURL("a local run has no issuer but its own")
        return super().request(method, found._replace(scheme="http").geturl(), *rest, **options)


def _take_up(connection: Connection, user_code: str, staff: str) -> None:
    """Type the code in, as a browser would."""
    where = urlsplit(connection.authority)._replace(path="/devicelogin").geturl()
    with _Loopback() as session:
        answer = session.post(where, data={"user_code": user_code, "staff": staff})
    if not answer.ok:
        raise CannotStartError(f"The issuer knows no {staff!r}; there are: {', '.join(STAFF)}.")

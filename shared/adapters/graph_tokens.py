"""Access tokens for Microsoft Graph, from the managed identity or a certificate, cached by msal."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared.domain.errors import Retryable
from shared.ports.notifier import NOT_ACCEPTED
from shared.settings import Settings

TOKEN_SECONDS = 40.0

_CALL_SECONDS = 10.0
_PFX = frozenset({".pfx", ".p12"})


class GraphTokens:
    """One msal client a worker process, built when the first token is asked for.

    msal is synchronous, so it works in a thread, one call at a time. `http_client` stands in for its own.
    """

    def __init__(self, settings: Settings, *, http_client: Any = None) -> None:
        self._settings = settings
        self._http_client = http_client
        self._client: Any = None
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that is good for five minutes or more.

        Raises:
            Retryable: `mail_not_accepted`: none was given. A network fault passes; a credential that is not
                accepted any more is for operators, who hear of letters that stay unsent.
        """
        try:
            async with asyncio.timeout(TOKEN_SECONDS), self._one_at_a_time:
                answer = await asyncio.to_thread(self._acquire)
        except Exception as error:  # noqa: BLE001  whatever msal lets through: no token, so nothing is sent
            # Its text may hold URLs and paths.
            raise Retryable(NOT_ACCEPTED, f"graph.token {type(error).__name__}") from None
        if "access_token" not in answer:
            raise Retryable(NOT_ACCEPTED, f"graph.token {answer.get('error', 'no_answer')}")
        return str(answer["access_token"])

    def _acquire(self) -> dict[str, Any]:
        settings = self._settings
        resource = "{0.scheme}://{0.netloc}".format(urlsplit(settings.graph_url))
        if self._client is None:
            build = self._with_certificate if settings.graph_certificate_path else self._with_identity
            self._client = build()
        if settings.graph_certificate_path:
            found = self._client.acquire_token_for_client(scopes=[f"{resource}/.default"])
        else:
            found = self._client.acquire_token_for_client(resource=resource)
        return dict(found or {})

    def _with_identity(self) -> Any:
        import msal  # noqa: PLC0415  slow to import, unused locally

        client_id = self._settings.graph_client_id or self._settings.managed_identity_client_id
        identity = (
            msal.UserAssignedManagedIdentity(client_id=client_id)
            if client_id
            else msal.SystemAssignedManagedIdentity()
        )
        return msal.ManagedIdentityClient(identity, http_client=self._http_client or _session())

    def _with_certificate(self) -> Any:
        import msal  # noqa: PLC0415

        settings = self._settings
        authority = f"{settings.graph_authority_url.rstrip('/')}/{settings.graph_tenant_id}"
        return msal.ConfidentialClientApplication(
            settings.graph_client_id,
            authority=authority,
            client_credential=_certificate(Path(settings.graph_certificate_path)),
            http_client=self._http_client or _session(),
        )


def _certificate(path: Path) -> dict[str, str]:
    """Return a certificate with its key as msal takes it. Naming no thumbprint makes msal use SHA-256."""
    if path.suffix.lower() in _PFX:
        return {"private_key_pfx_path": str(path)}
    pem = path.read_text("ascii")  # key and certificate in one file, as Key Vault hands them out
    return {"private_key": pem, "public_certificate": pem}


def _session() -> Any:
    """Return msal's own transport with a time-out; a managed identity's client takes none itself."""
    import requests  # noqa: PLC0415
    from requests.adapters import HTTPAdapter  # noqa: PLC0415

    class Timed(HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
            return super().send(request, **{**options, "timeout": options.get("timeout") or _CALL_SECONDS})

    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Timed())
    return session

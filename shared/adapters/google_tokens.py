"""Access tokens for Google Analytics: the app's own identity in Azure is exchanged, and no key is kept.

A local run has a key file, whose tokens come from wherever the file says. google-auth is synchronous, so it
works in a thread, one call at a time.
Source: https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds.
"""

import asyncio
from typing import Any, Final

from shared.domain.errors import Retryable
from shared.settings import Settings

SCOPE: Final = "https://www.googleapis.com/auth/analytics.edit"
_TOKEN_SECONDS: Final = 40.0
_CALL_SECONDS: Final = 10.0
_IMPERSONATION: Final = (
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"
)


class GoogleTokens:
    """One set of credentials a worker process, built when the first token is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credentials: Any = None
        self._one_at_a_time = asyncio.Lock()

    async def token(self, *, anew: bool = False) -> str:
        """Return a token that is good now; `anew`: not the one before, which was not taken.

        Raises:
            Retryable: `processor_unreachable`: none was given. A network fault passes; an identity that is
                not accepted any more is for operators, who hear of processors that stay untold.
        """
        try:
            async with asyncio.timeout(_TOKEN_SECONDS), self._one_at_a_time:
                return await asyncio.to_thread(self._refreshed, anew)
        except Exception as error:  # noqa: BLE001  whatever the library lets through: no token, so nothing is told
            failure = Retryable("processor_unreachable", f"google.token {type(error).__name__}")
        raise failure  # outside the handler: its text may hold URLs and paths

    def _refreshed(self, anew: bool) -> str:  # noqa: FBT001  a thread takes no keywords
        import google.auth.transport.requests  # noqa: PLC0415  slow to import, and unused where not connected
        import requests  # noqa: PLC0415

        if self._credentials is None:
            build = self._from_file if self._settings.google_key_file else self._from_identity
            self._credentials = build()
        if anew or not self._credentials.valid:
            with requests.Session() as session:
                session.trust_env = self._settings.deployment == "azure"  # a local run asks no proxy
                self._credentials.refresh(_timed(google.auth.transport.requests.Request(session)))
        return str(self._credentials.token)

    def _from_file(self) -> Any:
        from google.oauth2 import service_account  # noqa: PLC0415

        return service_account.Credentials.from_service_account_file(
            self._settings.google_key_file, scopes=[SCOPE]
        )

    def _from_identity(self) -> Any:
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415
        from google.auth import identity_pool  # noqa: PLC0415

        settings = self._settings
        identity = ManagedIdentityCredential(client_id=settings.managed_identity_client_id or None)

        class OwnIdentity(identity_pool.SubjectTokenSupplier):
            def get_subject_token(self, context: Any, request: Any) -> str:
                del context, request
                return str(identity.get_token(f"{settings.google_azure_resource}/.default").token)

        return identity_pool.Credentials(
            audience=settings.google_audience,
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",  # noqa: S106  a type, and no token
            subject_token_supplier=OwnIdentity(),
            service_account_impersonation_url=_IMPERSONATION.format(settings.google_service_account),
            scopes=[SCOPE],
        )


def _timed(request: Any) -> Any:
    """Return the library's transport with an end to every wait."""

    def send(*arguments: Any, **named: Any) -> Any:
        return request(*arguments, **{**named, "timeout": _CALL_SECONDS})

    return send

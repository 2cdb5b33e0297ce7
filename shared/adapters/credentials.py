"""The managed identity, built on first use: emulators need none."""

from typing import TYPE_CHECKING

from shared.settings import Settings

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential


class Credentials:
    """One token credential for every client of the worker."""

    def __init__(self, settings: Settings) -> None:
        self._client_id = settings.managed_identity_client_id or None
        self._credential: DefaultAzureCredential | None = None

    def token(self) -> "DefaultAzureCredential":
        """Return the credential; its own connections open when the first token is fetched."""
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415  slow to import, unused locally

            self._credential = DefaultAzureCredential(managed_identity_client_id=self._client_id)
        return self._credential

    async def close(self) -> None:
        """Close its connections."""
        if self._credential is not None:
            await self._credential.close()
            self._credential = None

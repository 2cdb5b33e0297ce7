"""The processors that are told by machine, each by its own adapter."""

from shared.adapters.campaign_monitor import RECIPIENT_ID as CAMPAIGN_MONITOR
from shared.adapters.campaign_monitor import CampaignMonitor
from shared.adapters.google_analytics import RECIPIENT_ID as GOOGLE_ANALYTICS
from shared.adapters.google_analytics import GoogleAnalytics
from shared.domain.errors import Permanent
from shared.domain.identifiers import EMAIL, Identifiers
from shared.domain.recipients import Answered, Instruction


class ConnectedProcessors:
    """Campaign Monitor, which knows people by their address, and Google Analytics, which does not."""

    def __init__(self, campaign_monitor: CampaignMonitor, google_analytics: GoogleAnalytics) -> None:
        self._campaign_monitor = campaign_monitor
        self._google_analytics = google_analytics

    def connected(self) -> tuple[str, ...]:
        return (*self._campaign_monitor.connected(), *self._google_analytics.connected())

    async def close(self) -> None:
        """Close their connections."""
        await self._campaign_monitor.close()
        await self._google_analytics.close()

    async def instruct(
        self,
        recipient_id: str,
        instruction: Instruction,
        identifiers: Identifiers,
        *,
        name: str | None = None,
    ) -> Answered:
        if recipient_id not in self.connected():
            raise Permanent("processor_not_connected", recipient_id)
        if recipient_id == CAMPAIGN_MONITOR:
            emails = identifiers.get(EMAIL, ())
            done = await self._campaign_monitor.instruct(recipient_id, instruction, emails, name=name)
            return Answered(confirmation=done)
        if recipient_id == GOOGLE_ANALYTICS:
            return await self._google_analytics.instruct(instruction, identifiers)
        raise Permanent("processor_not_connected", recipient_id)

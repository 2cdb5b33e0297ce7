"""Who a data subject can turn to. No answer leaves while one of these is empty."""

from dataclasses import dataclass
from datetime import date

from shared.domain.errors import Permanent


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """The controller and the supervisory authority, and when a person last checked these facts.

    Source: GDPR articles 13(1)(a), 15(1)(f), 77; policy 4.9.1, 7.1, 7.2.
    """

    controller_name: str
    controller_address: str
    controller_email: str
    authority_name: str
    authority_address: str
    authority_email: str
    authority_url: str
    verified_on: date | None

    def require_complete(self) -> None:
        """Raise `Permanent` naming every empty contact; configure it before any answer is sent."""
        missing = [name for name, value in vars(self).items() if value in ("", None)]
        if missing:
            raise Permanent("contacts_incomplete", ", ".join(sorted(missing)))

"""Who a caller of the operations API is: told by a signed token, or by the platform that checked one."""

from typing import Protocol

from shared.domain.staff import StaffMember


class StaffTokens(Protocol):
    """Tells which member of staff a caller is. Every doubt is a refusal."""

    async def member(self, token: str) -> StaffMember:
        """Return who signed in with this access token, without its `Bearer` in front.

        Raises:
            NotAllowed: `staff_token_missing` when it is empty; `staff_token_expired`: sign in again;
                `staff_token_invalid`: it is not one of ours, or an app's and no person's;
                `staff_not_configured`: no tenant is set, so nobody is staff.
            Retryable: `staff_keys_unavailable`: the keys to check it with cannot be had just now.
        """
        ...

    def principal(self, header: str) -> StaffMember:
        """Return whom the platform's own sign-in put into its header.

        Raises:
            NotAllowed: `staff_token_missing` where the platform's sign-in is off or not trusted, because
                anybody can then send that header; else as `member`.
        """
        ...

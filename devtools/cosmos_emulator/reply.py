"""What a handler gives back before HTTP is made of it."""

from dataclasses import dataclass, field

from .container import Container


@dataclass(slots=True)
class Reply:
    """A reply without the headers that every reply has.

    Attributes:
        status: HTTP status.
        body: JSON text, empty for none.
        charge: request units.
        headers: further headers.
        container: set for item operations; gives session token, LSN and content path.
    """

    status: int
    body: bytes = b""
    charge: float = 1.0
    headers: dict[str, str] = field(default_factory=dict)
    container: Container | None = None


def feed(rid: str, name: str, rows: list[bytes]) -> bytes:
    """Write a feed body from the JSON texts of its rows."""
    return b'{"_rid":"%s","%s":[%s],"_count":%d}' % (rid.encode(), name.encode(), b",".join(rows), len(rows))

"""Take request paths apart."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

_CACHED_PATHS: Final = 8192
_DATABASES: Final = ("dbs",)


@dataclass(frozen=True, slots=True)
class Route:
    """A request path.

    Attributes:
        segments: its parts, percent-decoded.
        resource_type: type that the signature names.
        resource_link: link that the signature names; RID-addressed paths are dealt with by the caller.
    """

    segments: tuple[str, ...]
    resource_type: str
    resource_link: str


@lru_cache(maxsize=_CACHED_PATHS)
def route(path: str) -> Route:
    """Split a raw path (without its query string) and find what its signature is about."""
    segments = tuple(unquote(part) if "%" in part else part for part in path.strip("/").split("/"))
    if segments == ("",):
        return Route((), "", "")
    if segments[-1] == "partitionkeydelete" and segments[-2:-1] == ("operations",):
        return Route(segments, "colls", "/".join(segments[:-2]))
    if segments[0] == "offers" and len(segments) == 2:  # noqa: PLR2004 - collection and id
        return Route(segments, "offers", segments[1].lower())
    if len(segments) % 2:
        return Route(segments, segments[-1], "/".join(segments[:-1]))
    return Route(segments, segments[-2], "/".join(segments))

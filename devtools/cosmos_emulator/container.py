"""A container as the emulator keeps it in memory; its items stay in the store."""

from typing import Any, Final

import orjson

from .errors import bad_request
from .index_entries import IndexDefinition
from .indexing_policy import IndexingPolicy
from .partition_keys import KEY_MISFIT, PartitionKeyDefinition
from .property_paths import parse_path
from .resource_ids import container_prefix
from .sql.errors import SqlError
from .sql.parser import parse

_CACHED_HEADERS: Final = 20_000
_MOST_UNIQUE_KEYS: Final = 10
_MOST_UNIQUE_PATHS: Final = 16
LARGEST_TTL_SECONDS: Final = 2_147_483_647


class Container:
    """Hold a container's settings and counters.

    Args:
        number: number in the store, never used twice.
        database_id: id of the database.
        database_rid: resource id of the database.
        body: the container resource as clients see it.

    Attributes:
        lsn: number of the latest write.
        sequence: number of the latest new item.
        revision: rises with every change of the settings.
        indexes: value indexes that exist in the store for this container.

    Raises:
        ServiceError: 400 when a setting is malformed.
    """

    def __init__(self, *, number: int, database_id: str, database_rid: str, body: dict[str, Any]) -> None:
        self.number = number
        self.database_id = database_id
        self.database_rid = database_rid
        self.lsn = 0
        self.sequence = 0
        self.revision = 0
        self.indexes: dict[IndexDefinition, int] = {}
        self.items = f"items_{number}"
        self.unique = f"unique_{number}"
        self.versions = f"versions_{number}"
        self._epk_by_header: dict[str, bytes] = {}
        self.configure(body)
        self.definition = PartitionKeyDefinition(body.get("partitionKey"))
        self.unique_keys = _unique_keys(body.get("uniqueKeyPolicy"))

    def configure(self, body: dict[str, Any]) -> None:
        """Take the settings that a replace may change.

        Raises:
            ServiceError: 400 when a setting is malformed.
        """
        default_ttl = body.get("defaultTtl")
        if default_ttl is not None:
            check_ttl(default_ttl, "defaultTtl")
        policy = IndexingPolicy(body.get("indexingPolicy"))
        computed = _computed(body.get("computedProperties"))
        self.revision += 1
        self.body = body
        self.id: str = body["id"]
        self.rid: str = body.get("_rid", "")
        self.prefix = container_prefix(self.rid) if self.rid else b""
        self.link = f"dbs/{self.database_id}/colls/{self.id}"
        self.self_link = f"dbs/{self.database_rid}/colls/{self.rid}/"
        self.default_ttl: int | None = default_ttl
        self.policy = policy
        self.computed = computed
        self.keeps_versions = bool(body.get("changeFeedPolicy"))

    def epk_of_header(self, header: str | None) -> bytes:
        """Return the hash of the key in a partition key header.

        Raises:
            ServiceError: 400 when the header is missing or does not fit the container.
        """
        if header is None:
            raise bad_request(KEY_MISFIT)
        epk = self._epk_by_header.get(header)
        if epk is None:
            epk = self.definition.epk(self.definition.values_of_header(header))
            if len(self._epk_by_header) >= _CACHED_HEADERS:
                self._epk_by_header.clear()
            self._epk_by_header[header] = epk
        return epk

    def expires_at(self, ts: int, ttl: int | None) -> int | None:
        """Return the second an item is due at, None for never."""
        if self.default_ttl is None:
            return None
        seconds = self.default_ttl if ttl is None else ttl
        return None if seconds < 0 else ts + seconds


def check_ttl(value: Any, name: str) -> None:
    """Refuse what is no time to live.

    Raises:
        ServiceError: 400 unless the value is -1 or a whole number from 1 up.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value == 0 or not -1 <= value <= LARGEST_TTL_SECONDS:
        raise bad_request(
            f"The input {name} '{orjson.dumps(value).decode()}' is invalid. Ensure to provide a nonzero "
            f"positive integer up to {LARGEST_TTL_SECONDS}, or '-1' which means never expire."
        )


def _unique_keys(policy: Any) -> list[list[tuple[str, ...]]]:
    if policy is None:
        return []
    keys = policy.get("uniqueKeys", []) if isinstance(policy, dict) else None
    if not isinstance(keys, list) or not all(
        isinstance(key, dict) and isinstance(key.get("paths"), list) and key["paths"] for key in keys
    ):
        raise bad_request("The unique key policy must be a list of objects with paths.")
    if len(keys) > _MOST_UNIQUE_KEYS or any(len(key["paths"]) > _MOST_UNIQUE_PATHS for key in keys):
        raise bad_request(
            f"At most {_MOST_UNIQUE_KEYS} unique keys of {_MOST_UNIQUE_PATHS} paths are allowed."
        )
    return [[parse_path(str(text)) for text in key["paths"]] for key in keys]


def _computed(entries: Any) -> dict[str, str]:
    if entries is None:
        return {}
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("query"), str)
        for entry in entries
    ):
        raise bad_request("Computed properties must be a list of objects with name and query.")
    computed = {entry["name"]: entry["query"] for entry in entries}
    for name, text in computed.items():
        try:
            query = parse(text)
        except SqlError as error:
            raise bad_request(f"The computed property '{name}' is not valid: {error.message}") from None
        clauses = (query.where, query.group_by, query.order_by, query.top, query.offset, query.distinct)
        if not query.is_value or len(query.sources) != 1 or any(clauses):
            raise bad_request(
                f"The computed property '{name}' must be SELECT VALUE .. FROM c and nothing more."  # noqa: S608 - the text of an error or of an emulated query
            )
    return computed

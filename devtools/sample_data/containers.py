"""The containers of the systems of record, defined once for whoever creates or fills them.

In Azure they exist already: ClickLearn's products own and write them.
"""

from dataclasses import dataclass

DATABASE = "clicklearn"


@dataclass(frozen=True, kw_only=True)
class Container:
    """A Cosmos container with the default indexing policy. `default_ttl_seconds` None: nothing expires."""

    name: str
    partition_key: str
    default_ttl_seconds: int | None = None


CONTAINERS = (
    Container(name="usage_events", partition_key="/user_id"),
    Container(name="installations", partition_key="/user_id"),
    Container(name="cloud_activity", partition_key="/customer_id"),
    Container(name="customer_reports", partition_key="/customer_id"),
    Container(name="authors", partition_key="/id"),
    Container(name="author_behaviour", partition_key="/author_id"),
    Container(name="members", partition_key="/id"),
    Container(name="usage_links", partition_key="/member_id"),
    Container(name="newsletter_signups", partition_key="/id"),
    Container(name="licences", partition_key="/customer_id"),
    Container(name="orders", partition_key="/customer_id"),
)

USAGE_ARCHIVE = "usage-archive"
CLOUD_ACCESS_LOG = "cloud-access-log"
AUTHOR_FILES = "author-files"
BLOB_CONTAINERS = (USAGE_ARCHIVE, CLOUD_ACCESS_LOG, AUTHOR_FILES)

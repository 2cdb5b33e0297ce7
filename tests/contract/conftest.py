"""Each port on memory and on the local platform, through one set of tests."""

import uuid

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient
from azure.storage.blob import StandardBlobTier

from shared.adapters.blob_evidence import BlobEvidence
from shared.adapters.blob_packages import BlobPackages
from shared.adapters.blob_store import AzureBlobs
from shared.adapters.cosmos import CosmosDatabases, create_compliance_database
from shared.adapters.cosmos_activity import CosmosActivityClocks
from shared.adapters.cosmos_cases import CosmosCases
from shared.adapters.cosmos_consent_ledger import CosmosConsentLedger
from shared.adapters.cosmos_controls import CosmosControls
from shared.adapters.cosmos_displays import CosmosDisplays
from shared.adapters.cosmos_documents import CosmosDocuments
from shared.adapters.cosmos_governor import CosmosGovernor
from shared.adapters.cosmos_membership_warnings import CosmosMembershipWarnings
from shared.adapters.cosmos_newsletter_changes import CosmosNewsletterChanges
from shared.adapters.cosmos_newsletter_leavings import CosmosNewsletterLeavings
from shared.adapters.cosmos_own_records import CosmosOwnRecords
from shared.adapters.cosmos_pending_sign_ups import CosmosPendingSignUps
from shared.adapters.cosmos_rate_limits import CosmosRateLimits
from shared.adapters.cosmos_reconciliations import CosmosReconciliations
from shared.adapters.cosmos_retention_runs import CosmosRetentionRuns
from shared.adapters.cosmos_walks import CosmosWalks
from shared.adapters.credentials import Credentials
from shared.adapters.storage import Storage
from shared.adapters.stored_webhooks import StoredWebhooks
from shared.datamap.loader import load
from shared.datamap.models import DocumentStore
from shared.settings import Settings
from tests.factories import small_map
from tests.fakes.activity import MemoryActivityClocks
from tests.fakes.blobs import MemoryBlobs, MemoryPackages
from tests.fakes.cases import MemoryCases
from tests.fakes.consent_ledger import MemoryConsentLedger
from tests.fakes.controls import MemoryControls, MemoryRateLimits
from tests.fakes.displays import MemoryDisplays
from tests.fakes.documents import MemoryDocuments
from tests.fakes.governor import MemoryGovernor
from tests.fakes.membership_warnings import MemoryMembershipWarnings
from tests.fakes.messaging import MemoryEvidence, TestClock
from tests.fakes.newsletter_changes import MemoryNewsletterChanges
from tests.fakes.newsletter_leavings import MemoryNewsletterLeavings
from tests.fakes.own_records import MemoryOwnRecords
from tests.fakes.pending_sign_ups import MemoryPendingSignUps
from tests.fakes.reconciliations import MemoryReconciliations
from tests.fakes.retention_runs import MemoryRetentionRuns
from tests.fakes.walks import MemoryWalks
from tests.fakes.webhooks import MemoryWebhooks

# The key that the Cosmos DB emulator's documentation publishes; it opens nothing else.
COSMOS_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="


def local_settings(**changes) -> Settings:
    """Return settings of a local run, with other endpoints."""
    return Settings(
        **{
            "deployment": "local",
            "cosmos_endpoint": "http://127.0.0.1:1/",
            "cosmos_key": COSMOS_KEY,
            "storage_connection": "UseDevelopmentStorage=true",
            "pseudonym_key": "bG9jYWwtZGV2ZWxvcG1lbnQtb25seS1wc2V1ZG9ueW0ta2V5LTAwMDE=",
            "public_url": "http://127.0.0.1:7071/api",
            **changes,
        }
    )


@pytest.fixture
async def storage(azurite):
    """The real client library on Azurite."""
    settings = local_settings(storage_connection=azurite.connection_string)
    opened = Storage(settings, Credentials(settings))
    yield opened
    await opened.close()


@pytest.fixture
def container_name():
    """A container nobody else uses."""
    return f"c-{uuid.uuid4().hex}"


class BlobTarget:
    """A blob port; subclasses write and read around it, as a product would."""

    def __init__(self, port, container):
        self.port = port
        self.container = container

    async def all(self, prefix=""):
        """Return every blob below a prefix."""
        found, cursor = [], None
        while True:
            page = await self.port.page(self.container, prefix, cursor=cursor, limit=2)
            found += page.blobs
            cursor = page.cursor
            if cursor is None:
                return found

    async def one(self, name):
        """Return a blob as it is listed now."""
        return next(blob for blob in await self.all(name) if blob.is_current)


class MemoryBlobTarget(BlobTarget):
    """Around the fake."""

    async def write(self, name, data):
        self.port.put(self.container, name, data)

    async def read(self, name):
        found = self.port.current.get((self.container, name))
        return found[1] if found else None

    async def snapshot(self, name):
        self.port.snapshot(self.container, name)

    async def lease(self, name):
        self.port.lease(self.container, name)

    async def archive(self, name):
        self.port.archive(self.container, name)


class AzuriteBlobTarget(BlobTarget):
    """Around the adapter, with the client library."""

    def __init__(self, storage, container):
        super().__init__(AzureBlobs(storage, with_versions=False), container)
        self.client = storage.container(container)

    async def write(self, name, data):
        await self.client.upload_blob(name, data, overwrite=True)

    async def read(self, name):
        blob = self.client.get_blob_client(name)
        if not await blob.exists():
            return None
        return await (await blob.download_blob()).readall()

    async def snapshot(self, name):
        await self.client.get_blob_client(name).create_snapshot()

    async def lease(self, name):
        await self.client.get_blob_client(name).acquire_lease()

    async def archive(self, name):
        await self.client.get_blob_client(name).set_standard_blob_tier(StandardBlobTier.ARCHIVE)


@pytest.fixture(params=["memory", "azurite"])
async def blobs(request, container_name):
    """The blob port."""
    if request.param == "memory":
        yield MemoryBlobTarget(MemoryBlobs(), container_name)
        return
    storage = request.getfixturevalue("storage_sync")
    target = AzuriteBlobTarget(storage, container_name)
    await target.client.create_container()
    yield target
    await storage.close()


@pytest.fixture
def storage_sync(azurite):
    """The client library, to be closed by whoever asked for it."""
    settings = local_settings(storage_connection=azurite.connection_string)
    return Storage(settings, Credentials(settings))


@pytest.fixture(params=["memory", "azurite"])
async def packages(request):
    """The package port and a way to fetch what it published."""
    if request.param == "memory":
        fake = MemoryPackages()

        async def fetch(request_id):
            return fake.contents.get(request_id)

        yield fake, fetch
        return
    storage = request.getfixturevalue("storage_sync")
    container = storage.container("packages")
    if not await container.exists():
        await container.create_container()

    async def fetch_real(request_id):
        client = container.get_blob_client(f"{request_id}.zip")
        if not await client.exists():
            return None
        return await (await client.download_blob()).readall()

    yield BlobPackages(storage), fetch_real
    await storage.close()


@pytest.fixture
async def databases(cosmos):
    """The real client library on the emulator, with databases of this test's own."""
    suffix = uuid.uuid4().hex[:8]
    settings = local_settings(
        cosmos_endpoint=cosmos,
        cosmos_systems_database=f"systems-{suffix}",
        cosmos_compliance_database=f"compliance-{suffix}",
    )
    await create_compliance_database(cosmos, COSMOS_KEY, settings.cosmos_compliance_database)
    opened = CosmosDatabases(settings, Credentials(settings))
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "cosmos"])
def cases(request):
    """The store of requests."""
    if request.param == "memory":
        return MemoryCases()
    return CosmosCases(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def walks(request):
    """Where the walks stand."""
    if request.param == "memory":
        return MemoryWalks()
    return CosmosWalks(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def reconciliations(request):
    """Comparisons with the newsletter processor."""
    if request.param == "memory":
        return MemoryReconciliations()
    return CosmosReconciliations(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "azurite"])
async def evidence(request, container_name):
    """The proofs, in a container of this test's own."""
    if request.param == "memory":
        yield MemoryEvidence()
        return
    storage = request.getfixturevalue("storage_sync")
    await storage.container(container_name).create_container()
    yield BlobEvidence(storage, container_name)
    await storage.close()


@pytest.fixture(params=["memory", "cosmos"])
def controls(request):
    """The store of controls."""
    if request.param == "memory":
        return MemoryControls()
    return CosmosControls(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def displays(request):
    """The register of who was shown which version of the policy."""
    if request.param == "memory":
        return MemoryDisplays(MemoryDocuments(small_map()))
    return CosmosDisplays(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def activity(request):
    """The clocks of last use."""
    if request.param == "memory":
        return MemoryActivityClocks(MemoryDocuments(small_map()))
    return CosmosActivityClocks(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def membership_warnings(request):
    """Which members were warned."""
    if request.param == "memory":
        return MemoryMembershipWarnings(MemoryDocuments(small_map()))
    return CosmosMembershipWarnings(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def retention_runs(request):
    """The runs of scheduled deletion and the watched."""
    if request.param == "memory":
        return MemoryRetentionRuns(MemoryDocuments(small_map()))
    return CosmosRetentionRuns(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def governors(request):
    """A way to make the governor of one more worker; all share the tallies."""
    if request.param == "memory":
        rows: dict[str, tuple[str, str]] = {}
        return lambda: MemoryGovernor(rows=rows)
    databases = request.getfixturevalue("databases")
    return lambda: CosmosGovernor(databases)


@pytest.fixture(params=["memory", "cosmos"])
def newsletter_changes(request):
    """The open changes for the newsletter processor."""
    if request.param == "memory":
        return MemoryNewsletterChanges(MemoryDocuments(small_map()))
    return CosmosNewsletterChanges(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def newsletter_leavings(request):
    """Who was seen to be gone from the newsletter processor's lists."""
    if request.param == "memory":
        return MemoryNewsletterLeavings(MemoryDocuments(small_map()))
    return CosmosNewsletterLeavings(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "azure"])
async def webhooks(request, databases, storage):
    """The bodies of webhooks and their receipts."""
    if request.param == "memory":
        return MemoryWebhooks(TestClock())
    container = storage.container("webhooks")
    if not await container.exists():
        await container.create_container()
    return StoredWebhooks(storage, databases)


@pytest.fixture(params=["memory", "cosmos"])
def consent_ledger(request):
    """The ledger of consents."""
    if request.param == "memory":
        return MemoryConsentLedger(MemoryDocuments(small_map()))
    return CosmosConsentLedger(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def pending_sign_ups(request):
    """Sign-ups that wait to be confirmed."""
    if request.param == "memory":
        return MemoryPendingSignUps(MemoryDocuments(small_map()))
    return CosmosPendingSignUps(request.getfixturevalue("databases"))


@pytest.fixture(params=["memory", "cosmos"])
def rate_limits(request):
    """The counters, and the clock they go by."""
    clock = TestClock()
    if request.param == "memory":
        return MemoryRateLimits(clock), clock
    return CosmosRateLimits(request.getfixturevalue("databases"), clock), clock


class OwnRecordsTarget:
    """Rows of our own, written by their port and read as the app reads them: through the map."""

    def __init__(self, port, documents, datamap):
        self.port = port
        self._documents = documents
        self._datamap = datamap

    async def rows(self, store_id, subject_key):
        """Return the rows of one pseudonym, each with the fields the map describes."""
        _, store = self._datamap.store(store_id)
        page = await self._documents.page(store, {"subject_key": (subject_key,)}, cursor=None, limit=100)
        assert page.cursor is None
        names = {field.path.removeprefix("/") for field in store.fields}
        return [{name: one.body[name] for name in names if name in one.body} for one in page.documents]


@pytest.fixture(params=["memory", "cosmos"])
def own_records(request):
    """Disclosures, look-ups and correction notes, with the real map."""
    datamap = load()
    if request.param == "memory":
        documents = MemoryDocuments(datamap)
        return OwnRecordsTarget(MemoryOwnRecords(documents), documents, datamap)
    databases = request.getfixturevalue("databases")
    return OwnRecordsTarget(CosmosOwnRecords(databases), CosmosDocuments(databases, datamap), datamap)


class DocumentTarget:
    """A document port and a way to write around it, as a product would."""

    def __init__(self, port, write):
        self.port = port
        self.write = write


@pytest.fixture(params=["memory", "cosmos"])
async def documents(request):
    """The port to the systems of record, with the small map's containers."""
    datamap = small_map()
    stores = {store.container: store for _, store in datamap.stores() if isinstance(store, DocumentStore)}
    if request.param == "memory":
        fake = MemoryDocuments(datamap)

        async def write(container, body):
            fake.put(container, stores[container].partition_key, body)

        yield DocumentTarget(fake, write)
        return
    cosmos = request.getfixturevalue("cosmos")
    name = f"systems-{uuid.uuid4().hex[:8]}"
    settings = local_settings(cosmos_endpoint=cosmos, cosmos_systems_database=name)
    async with CosmosClient(cosmos, credential=COSMOS_KEY) as client:
        database = await client.create_database(name)
        for container, store in stores.items():
            await database.create_container(container, partition_key=PartitionKey(path=store.partition_key))

        async def write_real(container, body):
            await database.get_container_client(container).upsert_item(body)

        opened = CosmosDatabases(settings, Credentials(settings))
        yield DocumentTarget(CosmosDocuments(opened, datamap), write_real)
        await opened.close()

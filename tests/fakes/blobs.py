"""Blobs and packages in memory, with staged blocks, ETags, snapshots, leases and an archive."""

from shared.domain.errors import Conflict, NotFound, Permanent
from shared.ports.blobs import BlobPage, BlobRef
from shared.ports.packages import Content
from tests.fakes.turns import Turn, no_turn


class MemoryBlobs:
    """Containers of blobs. `current` holds (ETag number, bytes); `copies` older ones by snapshot name."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.current: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.copies: dict[tuple[str, str, str], bytes] = {}
        self._staged: dict[tuple[str, str], dict[str, bytes]] = {}
        self._leased: set[tuple[str, str]] = set()
        self._archived: set[tuple[str, str]] = set()
        self._numbers = 0

    def put(self, container: str, name: str, data: bytes) -> None:
        """Write a blob as a product would."""
        self._numbers += 1
        self.current[container, name] = (self._numbers, data)
        self._archived.discard((container, name))
        self._staged.pop((container, name), None)

    def snapshot(self, container: str, name: str) -> None:
        """Keep an older copy."""
        self._numbers += 1
        self.copies[container, name, f"s{self._numbers}"] = self.current[container, name][1]

    def lease(self, container: str, name: str) -> None:
        """Hold a blob as a product that is at work on it: nobody else changes it."""
        self._leased.add((container, name))

    def archive(self, container: str, name: str) -> None:
        """Take a blob offline, as a rule of its account would."""
        self._archived.add((container, name))

    async def page(self, container, prefix, *, cursor, limit):
        await self.turn("blobs.page")
        found = [
            BlobRef(container=container, name=name, etag=str(etag), size_bytes=len(data))
            for (place, name), (etag, data) in self.current.items()
            if place == container and name.startswith(prefix)
        ]
        found += [
            BlobRef(container=container, name=name, etag=copy, size_bytes=len(data), snapshot=copy)
            for (place, name, copy), data in self.copies.items()
            if place == container and name.startswith(prefix)
        ]
        found = sorted(
            (blob for blob in found if cursor is None or blob.name > cursor), key=lambda blob: blob.name
        )
        names = sorted({blob.name for blob in found})[:limit]
        page = tuple(blob for blob in found if blob.name in names)
        return BlobPage(blobs=page, cursor=names[-1] if len(page) < len(found) else None)

    async def read(self, blob, *, offset, length):
        await self.turn("blobs.read")
        content = self._content(blob)
        if blob.is_current and (blob.container, blob.name) in self._archived:
            raise Permanent("blob_archived", "blobs")
        return content[offset : offset + length]

    async def stage(self, container, name, block_id, data):
        await self.turn("blobs.stage")
        self._require_free(container, name)
        self._staged.setdefault((container, name), {})[block_id] = data

    async def commit(self, blob, block_ids):
        await self.turn("blobs.commit")
        self._content(blob)
        self._require_free(blob.container, blob.name)
        staged = self._staged.get((blob.container, blob.name), {})
        if any(block_id not in staged for block_id in block_ids):
            raise Conflict("blocks_lost", "blobs.commit")
        self.put(blob.container, blob.name, b"".join(staged[block_id] for block_id in block_ids))
        await self.turn("blobs.commit!")

    async def erase(self, blob):
        await self.turn("blobs.erase")
        if not blob.is_current:
            gone = self.copies.pop((blob.container, blob.name, blob.snapshot), None)
            return gone is not None
        key = (blob.container, blob.name)
        if key not in self.current:
            return False
        self._content(blob)
        self._require_free(*key)
        del self.current[key]
        self._archived.discard(key)
        for copy in [copy for copy in self.copies if copy[:2] == key]:
            del self.copies[copy]
        await self.turn("blobs.erase!")
        return True

    def _require_free(self, container: str, name: str) -> None:
        if (container, name) in self._leased:
            raise Permanent("blob_locked", "blobs")

    def _content(self, blob: BlobRef) -> bytes:
        if not blob.is_current:
            key = (blob.container, blob.name, blob.snapshot)
            if key not in self.copies:
                raise NotFound("not_found", "blobs")
            return self.copies[key]
        if (blob.container, blob.name) not in self.current:
            raise NotFound("not_found", "blobs")
        etag, data = self.current[blob.container, blob.name]
        if str(etag) != blob.etag:
            raise Conflict("changed_meanwhile", "blobs")
        return data


class MemoryPackages:
    """Packages; only what is published can be fetched."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.staged: dict[str, dict[str, bytes]] = {}
        self.published: dict[str, list[str]] = {}
        self.contents: dict[str, bytes] = {}

    async def stage(self, request_id, block_id, data):
        await self.turn("packages.stage")
        self.staged.setdefault(request_id, {})[block_id] = data

    async def publish(self, request_id, block_ids):
        await self.turn("packages.publish")
        staged = self.staged.get(request_id, {})
        if any(block_id not in staged for block_id in block_ids):
            raise Conflict("blocks_lost", "packages.publish")
        self.contents[request_id] = b"".join(staged[block_id] for block_id in block_ids)
        self.staged[request_id] = {block_id: staged[block_id] for block_id in block_ids}
        await self.turn("packages.publish!")

    async def delete(self, request_id):
        await self.turn("packages.delete")
        self.staged.pop(request_id, None)
        self.contents.pop(request_id, None)

    async def download_url(self, request_id, *, file_name, minutes):
        await self.turn("packages.download_url")
        if request_id not in self.contents:
            raise NotFound("package_gone")
        return f"memory://packages/{request_id}?minutes={minutes}&name={file_name}"

    async def read(self, request_id):
        await self.turn("packages.read")
        if request_id not in self.contents:
            raise NotFound("package_gone")
        data = self.contents[request_id]

        async def chunks():
            for offset in range(0, len(data), 4):  # tiny, so that a test's package has several
                await self.turn("packages.read.block")
                if request_id not in self.contents:
                    raise NotFound("package_gone")
                if self.contents[request_id] != data:
                    raise Conflict("changed_meanwhile", "packages.read")
                yield data[offset : offset + 4]

        return Content(size_bytes=len(data), chunks=chunks)

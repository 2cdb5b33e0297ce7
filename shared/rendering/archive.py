"""A ZIP archive made of blocks that are staged one after the other, so that it never lies in memory whole.

A block is a run of complete local entries. Their offsets become absolute only at the end, when every
block's length is known; the closing block then holds the last entries and the central directory.
Equal input gives equal bytes: a block that is staged twice is the same block.
"""

import hashlib
import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_DEFLATE_LEVEL = 6
_UNIX = 3
_OWNER_READS_AND_WRITES = 0o600 << 16
_SIZES_FOLLOW = 0x08
_MAX_NAME_CHARACTERS = 200
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LETTERS_WITHOUT_ACCENTS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa", "ß": "ss", "ł": "l", "Ł": "L"}
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry of the archive. `sha256` is of the uncompressed bytes, in hex."""

    name: str
    offset_in_block: int
    compressed_bytes: int
    size_bytes: int
    crc32: int
    sha256: str
    flag_bits: int
    method: int

    def to_json(self) -> dict[str, Any]:
        """Return the member as a flat JSON object, for storing."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Member":
        """Read what `to_json` wrote. Raises `TypeError` for a missing or unknown key."""
        return cls(**stored)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A run of complete entries and where each lies in it."""

    data: bytes
    members: tuple[Member, ...]


class _PartOfFile(io.BytesIO):
    """The tail of a longer file: positions count from that file's start."""

    def __init__(self, start_offset: int) -> None:
        super().__init__()
        self._start_offset = start_offset

    def tell(self) -> int:
        return super().tell() + self._start_offset

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_SET:
            offset -= self._start_offset
        return super().seek(offset, whence) + self._start_offset


def file_entry_name(store_id: str, number: int, original: str) -> str:
    """Return a unique, safe entry name for a person's own file: `files/<store>/000001-<its name>`.

    `original` may be any text, also a path; its last part is kept as far as ASCII allows.
    """
    last = original.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].translate(_LETTERS_WITHOUT_ACCENTS)
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode("ascii")
    stem, dot, ending = _UNSAFE.sub("-", plain).strip("-.").rpartition(".")
    kept = f"{stem[:80]}{dot}{ending[:20]}" if stem else ending[:80]
    return f"files/{store_id}/{number:06d}-{kept or 'file'}"


def block(entries: Sequence[tuple[str, bytes]], *, written_at: datetime) -> Block:
    """Return entries as one block, deflated.

    Raises:
        ValueError: a name that is not relative, plain ASCII and free of dot segments, or comes twice.
    """
    buffer = io.BytesIO()
    members = []
    _check_names([name for name, _ in entries])
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries:
            info = _info(name, written_at)
            archive.writestr(info, content, compresslevel=_DEFLATE_LEVEL)
            members.append(
                Member(
                    name=name,
                    offset_in_block=info.header_offset,
                    compressed_bytes=info.compress_size,
                    size_bytes=info.file_size,
                    crc32=info.CRC,
                    sha256=hashlib.sha256(content).hexdigest(),
                    flag_bits=info.flag_bits,
                    method=info.compress_type,
                )
            )
        end = archive.start_dir
    return Block(data=buffer.getvalue()[:end], members=tuple(members))


def closing_block(
    placed: Sequence[tuple[int, Member]],
    entries: Sequence[tuple[str, bytes]],
    *,
    start_offset: int,
    written_at: datetime,
) -> bytes:
    """Return the archive's last bytes: the last entries, the central directory, the end records.

    Args:
        placed: The absolute offset of a member's block, and the member, in archive order.
        entries: Names and contents that are written here, such as the index.
        start_offset: Bytes of all blocks before this one.
        written_at: Time stamp of every entry; the same one that the blocks were made with.

    Raises:
        ValueError: as `block`.
    """
    _check_names([*(member.name for _, member in placed), *(name for name, _ in entries)])
    tail = _PartOfFile(start_offset)
    with zipfile.ZipFile(tail, "w") as archive:
        # The module writes the directory, with ZIP64 where needed, from this list of all entries.
        archive.filelist.extend(_placed_info(offset, member, written_at) for offset, member in placed)
        for name, content in entries:
            archive.writestr(_info(name, written_at), content, compresslevel=_DEFLATE_LEVEL)
    return tail.getvalue()


class FileMember:
    """One large file, written in pieces over several blocks without compression.

    Its checksum and size follow it, since nobody knows them before the last piece. `begin`, then
    `update` for each piece, then `finish`. `expected_bytes`, when known and below 2 GiB, allows the
    classic form that every reader knows; otherwise it is ZIP64.
    """

    def __init__(self, *, expected_bytes: int | None = None, offset_in_block: int = 0) -> None:
        self._zip64 = expected_bytes is None or expected_bytes > zipfile.ZIP64_LIMIT
        self._offset_in_block = offset_in_block
        self._name = ""
        self._crc32 = 0
        self._size_bytes = 0
        self._sha256 = hashlib.sha256()

    def begin(self, name: str, written_at: datetime) -> bytes:
        """Return the entry's local header. Raises `ValueError` for an unsafe name."""
        _check_names([name])
        self._name = name
        info = _info(name, written_at)
        info.compress_type = zipfile.ZIP_STORED
        info.flag_bits |= _SIZES_FOLLOW
        return info.FileHeader(zip64=self._zip64)

    def update(self, chunk: bytes) -> bytes:
        """Count a piece of the file and return what to write, which is the piece."""
        self._crc32 = zlib.crc32(chunk, self._crc32)
        self._size_bytes += len(chunk)
        self._sha256.update(chunk)
        return chunk

    def finish(self) -> tuple[bytes, Member]:
        """Return the descriptor that follows the file, and the finished member.

        Raises:
            ValueError: the file grew beyond what `expected_bytes` allowed; write it anew.
        """
        if not self._zip64 and self._size_bytes > zipfile.ZIP64_LIMIT:
            raise ValueError("the file is larger than announced")
        layout = "<4sLQQ" if self._zip64 else "<4sLLL"
        descriptor = struct.pack(layout, b"PK\x07\x08", self._crc32, self._size_bytes, self._size_bytes)
        return descriptor, Member(
            name=self._name,
            offset_in_block=self._offset_in_block,
            compressed_bytes=self._size_bytes,
            size_bytes=self._size_bytes,
            crc32=self._crc32,
            sha256=self._sha256.hexdigest(),
            flag_bits=_SIZES_FOLLOW,
            method=zipfile.ZIP_STORED,
        )


def _info(name: str, written_at: datetime) -> zipfile.ZipInfo:
    moment = written_at.astimezone(UTC)
    info = zipfile.ZipInfo(
        name, (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    )
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = _UNIX  # by default it names the machine that runs, and the bytes would differ
    info.external_attr = _OWNER_READS_AND_WRITES
    return info


def _placed_info(block_offset: int, member: Member, written_at: datetime) -> zipfile.ZipInfo:
    info = _info(member.name, written_at)
    info.header_offset = block_offset + member.offset_in_block
    info.compress_size = member.compressed_bytes
    info.file_size = member.size_bytes
    info.CRC = member.crc32
    info.flag_bits = member.flag_bits
    info.compress_type = member.method
    return info


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARACTERS:
            raise ValueError("an entry name must be relative, plain ASCII and without dot segments")
    if len({name.lower() for name in names}) != len(names):  # some file systems do not tell a from A
        raise ValueError("an entry name comes twice")

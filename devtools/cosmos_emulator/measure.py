"""Measure raw point reads and upserts a second: `python3 -m devtools.cosmos_emulator.measure`.

Starts an emulator as its own process and speaks HTTP over plain sockets, a few keep-alive connections at
once, so that the client costs as little as possible. Prints figures and asserts nothing.
"""

import argparse
import asyncio
import base64
import hmac
import subprocess
import sys
import time
from email.utils import formatdate
from typing import Final
from urllib.parse import quote, urlsplit

import orjson

from .auth import EMULATOR_KEY

_KEY: Final = base64.b64decode(EMULATOR_KEY)
_PARTITIONS: Final = 100


def _request(verb: str, path: str, kind: str, link: str, body: bytes = b"", headers: str = "") -> bytes:
    date = formatdate(usegmt=True)
    text = f"{verb.lower()}\n{kind}\n{link}\n{date.lower()}\n\n"
    signature = base64.b64encode(hmac.digest(_KEY, text.encode(), "sha256")).decode()
    token = quote(f"type=master&ver=1.0&sig={signature}", safe="")
    head = (
        f"{verb} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-ms-version: 2020-07-15\r\nx-ms-date: {date}\r\n"
        f"authorization: {token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"{headers}\r\n"
    )
    return head.encode() + body


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    position = head.lower().find(b"content-length:")
    if position >= 0:
        await reader.readexactly(int(head[position + 15 :].split(b"\r\n", 1)[0]))
    return int(head[9:12])


async def _run(port: int, requests: list[bytes], connections: int, expected: set[int]) -> float:
    async def work(share: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in share:
            status = await _exchange(reader, writer, request)
            if status not in expected:
                raise SystemExit(f"unexpected status {status}")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(work(requests[number::connections]) for number in range(connections)))
    return len(requests) / (time.perf_counter() - started)


def _document(number: int) -> bytes:
    return orjson.dumps(
        {
            "id": str(number),
            "pk": f"p{number % _PARTITIONS}",
            "email": f"person{number}@example.org",
            "kind": "made-up",
            "count": number,
            "tags": ["a", "b", "c"],
            "text": "x" * 500,
        }
    )


async def _measure(port: int, count: int, connections: int) -> dict[str, float]:
    link, docs = "dbs/d/colls/c", "/dbs/d/colls/c/docs"
    await _run(port, [_request("POST", "/dbs", "dbs", "", b'{"id":"d"}')], 1, {201})
    body = b'{"id":"c","partitionKey":{"paths":["/pk"],"kind":"Hash","version":2}}'
    await _run(port, [_request("POST", "/dbs/d/colls", "colls", "dbs/d", body)], 1, {201})

    def key(number: int) -> str:
        return f'x-ms-documentdb-partitionkey: ["p{number % _PARTITIONS}"]\r\n'

    def upsert(number: int) -> bytes:
        headers = key(number) + "x-ms-documentdb-is-upsert: True\r\n"
        return _request("POST", docs, "docs", link, _document(number), headers)

    inserts = [upsert(number) for number in range(count)]
    reads = [_request("GET", f"{docs}/{n}", "docs", f"{link}/docs/{n}", b"", key(n)) for n in range(count)]
    return {
        "upserts_of_new_items_per_second": round(await _run(port, inserts, connections, {201})),
        "upserts_of_known_items_per_second": round(await _run(port, inserts, connections, {200})),
        "point_reads_per_second": round(await _run(port, reads, connections, {200})),
    }


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(prog="devtools.cosmos_emulator.measure")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--data", metavar="FILE", default=None)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "devtools.cosmos_emulator", "--port", "0", "--stop-with-parent"]
    command += ["--data", arguments.data] if arguments.data else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise SystemExit("no pipes to the emulator")
        port = urlsplit(process.stdout.readline().split()[-1]).port or 0
        figures = asyncio.run(_measure(port, arguments.count, arguments.connections))
        process.stdin.close()
    print(orjson.dumps({"data": arguments.data or "memory", **figures}).decode())


if __name__ == "__main__":
    main()

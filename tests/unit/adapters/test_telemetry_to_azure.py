"""Telemetry as it goes over the wire, taken by a server on this machine in the vendor's place."""

import gzip
import http.server
import json
import os
import threading

import pytest

from shared.adapters.open_telemetry import _EXPORTER_S_OWN, to_azure
from shared.domain.errors import Permanent
from shared.telemetry import QUEUE_MESSAGES

ADDRESS = "ane@people.example"


@pytest.fixture
def ingestion(monkeypatch):
    """A server that accepts everything and keeps it; yields its connection string and what it got."""
    items: list[dict] = []
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found = [json.loads(line) for line in body.splitlines()] if body[:1] == b"{" else json.loads(body)
            items.extend(found)
            paths.append(self.path)
            answer = json.dumps(
                {"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    for name in _EXPORTER_S_OWN:
        monkeypatch.setenv(name, "false")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    key = "00000000-0000-0000-0000-000000000000"
    yield (
        f"InstrumentationKey={key};IngestionEndpoint=http://127.0.0.1:{server.server_address[1]}/",
        items,
        paths,
    )
    server.shutdown()
    server.server_close()


def _fail(telemetry) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with telemetry.step("request_plan", parent=parent) as step:
        step.note(queue="request-plan", code=ADDRESS)
        raise Permanent("service_refused", f"for {ADDRESS}")


def test_spans_and_metrics_arrive_and_name_nobody(ingestion):
    """Under the names the alarms read; an error by its code; the machine is not told."""
    connection, items, paths = ingestion
    telemetry = to_azure(connection, None)
    with pytest.raises(Permanent):
        _fail(telemetry)
    telemetry.record(QUEUE_MESSAGES, 4, {"queue": "request-plan"})
    telemetry.flush()
    telemetry.close()
    kinds = {one["data"]["baseType"]: one for one in items}
    assert set(kinds) == {"RemoteDependencyData", "MetricData"}
    span = kinds["RemoteDependencyData"]
    assert span["data"]["baseData"]["name"] == "request_plan"
    assert span["data"]["baseData"]["success"] is False
    assert span["data"]["baseData"]["properties"]["code"] == "service_refused"
    assert span["tags"]["ai.operation.id"] == "0af7651916cd43dd8448eb211c80319c"
    (metric,) = kinds["MetricData"]["data"]["baseData"]["metrics"]
    assert (metric["name"], metric["value"]) == ("queue.messages", 4)
    assert kinds["MetricData"]["data"]["baseData"]["properties"] == {"queue": "request-plan"}
    assert ADDRESS not in json.dumps(items)
    assert {path.partition("?")[0] for path in paths} == {"/v2.1/track"}


def test_the_exporter_tells_its_vendor_nothing_of_its_own(ingestion):
    """Neither statistics nor does it take settings from afar."""
    connection, *_ = ingestion
    to_azure(connection, None).close()
    assert [os.environ[name] for name in _EXPORTER_S_OWN] == ["true"] * 3

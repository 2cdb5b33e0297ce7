"""An OpenDSR processor over memory: a signature that shows what it signs, and platforms that listen."""

import base64
import hashlib
import json
import uuid

from shared.domain.opendsr import Platform
from shared.domain.outbound import parse_target_url
from shared.ports.opendsr import OpenDsr
from tests.fakes.turns import Turn, no_turn

DOMAIN = "privacy.controller.example"
PLATFORM, OTHER, TRUSTED = "platform-1", "platform-2", "platform-3"
KEYS_OF = {PLATFORM: "key-of-platform-1", OTHER: "key-of-platform-2", TRUSTED: "key-of-platform-3"}
CALLBACK = "https://hooks.platform.example/opendsr"


class MemorySigner:
    """Signs so that a test can tell which bytes were signed."""

    domain = DOMAIN
    certificate_pem = b"-----BEGIN CERTIFICATE-----\n"

    def sign(self, body):
        return base64.b64encode(b"signed " + hashlib.sha256(body).digest()).decode()


class MemoryCallbacks:
    """`posted` holds (url, content, headers) in order; `errors` are raised instead, one a post."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.posted: list[tuple[str, dict, dict]] = []
        self.errors: list[Exception] = []

    def parse(self, url):
        return parse_target_url(url)

    async def post(self, url, body, headers):
        await self.turn("callbacks.post")
        if self.errors:
            raise self.errors.pop(0)
        assert MemorySigner().sign(body) in headers.values()
        self.posted.append((url, json.loads(body), dict(headers)))
        await self.turn("callbacks.post!")

    @property
    def statuses(self):
        """What was told, in order."""
        return [content["request_status"] for _, content, _ in self.posted]


def platform(controller_id, **changes):
    """Return a platform's entry."""
    digest = hashlib.sha256(KEYS_OF[controller_id].encode()).hexdigest()
    return Platform(
        **{"key_sha256": digest, "callback_domains": ("hooks.platform.example",), **changes},
    )


def processor(turn: Turn = no_turn, **changes):
    """Return a processor with three platforms, of which the third proves who asks."""
    platforms = {
        PLATFORM: platform(PLATFORM, **changes),
        OTHER: platform(OTHER, **changes),
        TRUSTED: platform(TRUSTED, identity_verified=True, **changes),
    }
    return OpenDsr(signer=MemorySigner(), callbacks=MemoryCallbacks(turn), platforms=platforms)


def filed(**changes):
    """Return a request's content as a platform sends it."""
    return {
        "regulation": "gdpr",
        "subject_request_id": str(uuid.uuid4()),
        "subject_request_type": "erasure",
        "submitted_time": "2026-01-02T09:00:00Z",
        "subject_identities": [
            {"identity_type": "email", "identity_value": "ane@people.example", "identity_format": "raw"}
        ],
        "api_version": "2.0",
        "status_callback_urls": [CALLBACK],
        **changes,
    }

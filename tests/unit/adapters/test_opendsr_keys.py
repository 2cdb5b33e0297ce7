"""Our key and others' signatures, with real certificates, and callbacks over real TLS."""

import base64
import datetime as dt
import json
import logging
from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from shared import bootstrap, settings
from shared.adapters.https_callbacks import HttpsCallbacks
from shared.adapters.outbound import Outbound, Times
from shared.adapters.processor_signatures import ProcessorSignatures
from shared.adapters.rsa_signer import RsaSigner
from shared.domain.errors import Invalid, NotAllowed, Permanent, Retryable
from shared.ports.opendsr import OpenDsr
from shared.services import opendsr
from tests.architecture.test_settings_documented import AZURE
from tests.factories import World
from tests.fakes.messaging import TestClock
from tests.fakes.opendsr import TRUSTED, filed, platform
from tests.fakes.receiver import NAME, Authority, running
from tests.unit.services.driving import deliver

BODY = b'{"request_status":"completed"}'
OURS = "privacy.controller.example"


@cache
def rsa_key(bits=2048, _number=0):
    """Return a key; making one takes long."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Issues every certificate here."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority):
    """Our key and our certificate, PEM."""
    key, certificate = authority.issued(OURS, "127.0.0.1", key=rsa_key())
    return key.decode(), certificate.decode()


def test_a_signature_is_over_the_exact_bytes(pair):
    """RSA with PKCS #1 v1.5 and SHA-256, as the certificate's key proves."""
    signer = RsaSigner(*pair, domain=OURS)
    public = x509.load_pem_x509_certificate(signer.certificate_pem).public_key()
    public.verify(base64.b64decode(signer.sign(BODY)), BODY, padding.PKCS1v15(), hashes.SHA256())
    assert signer.domain == OURS


@pytest.mark.parametrize("form", ["pem", "base64", "path"])
def test_key_and_certificate_come_as_pem_as_base64_or_in_a_file(pair, tmp_path, form):
    """Key Vault hands out one line, a laptop has files."""

    def written(text, name):
        if form == "pem":
            return text
        if form == "base64":
            return base64.b64encode(text.encode()).decode()
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    signer = RsaSigner(written(pair[0], "key.pem"), written(pair[1], "certificate.pem"), domain=OURS)
    assert signer.certificate_pem == pair[1].encode()
    assert signer.sign(BODY) == RsaSigner(*pair, domain=OURS).sign(BODY)


def test_a_certificate_for_our_address_will_do_locally(pair):
    """Where there is no name."""
    assert RsaSigner(*pair, domain="127.0.0.1").domain == "127.0.0.1"


@pytest.mark.parametrize(
    ("key", "certificate", "domain", "setting"),
    [
        ("short", None, OURS, "OPENDSR_KEY"),
        ("elliptic", None, OURS, "OPENDSR_KEY"),
        ("no key at all", None, OURS, "OPENDSR_KEY"),
        ("/no/such/file.pem", None, OURS, "OPENDSR_KEY"),
        ("\0", None, OURS, "OPENDSR_KEY"),
        ("other", None, OURS, "OPENDSR_CERTIFICATE"),
        (None, "no certificate", OURS, "OPENDSR_CERTIFICATE"),
        (None, "-----BEGIN CERTIFICATE-----\nx", OURS, "OPENDSR_CERTIFICATE"),
        (None, "self-signed", OURS, "OPENDSR_CERTIFICATE"),
        (None, None, "elsewhere.example", "OPENDSR_CERTIFICATE"),
    ],
)
def test_a_key_or_certificate_that_will_not_do_is_named(authority, pair, key, certificate, domain, setting):
    """And never shown."""
    made = {
        "short": authority.issued(OURS, key=rsa_key(1024))[0].decode(),
        "elliptic": authority.issued(OURS, key=ec.generate_private_key(ec.SECP256R1()))[0].decode(),
        "other": authority.issued(OURS, key=rsa_key(2048, 1))[0].decode(),
        "self-signed": _self_signed().decode(),
    }
    with pytest.raises(Permanent) as caught:
        RsaSigner(made.get(key, key or pair[0]), made.get(certificate, certificate or pair[1]), domain=domain)
    assert (caught.value.code, caught.value.detail) == ("settings_invalid", setting)


def test_a_self_signed_certificate_will_do_in_a_local_run(pair):
    """The specification forbids it elsewhere."""
    assert RsaSigner(pair[0], _self_signed().decode(), domain=OURS, allow_self_signed=True)


def _self_signed():
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, OURS)])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key().public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(OURS)]), critical=False)
        .sign(rsa_key(), hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


async def resolve(host, port):
    """Every name here is on loopback."""
    return ["127.0.0.1"]


def outbound(authority, what):
    """Return the guarded client, which believes the authority for the local receiver."""
    times = Times(connect_seconds=2, silence_seconds=2, overall_seconds=4)
    return Outbound(what, local_ca_file=str(authority.ca_file), resolve=resolve, times=times)


async def test_a_callback_is_posted_with_its_headers(authority, caplog):
    """And no log tells where."""
    caplog.set_level(logging.DEBUG)
    async with running(authority.server_context(NAME)) as receiver:
        callbacks = HttpsCallbacks(outbound(authority, "callback"), local_receiver=receiver.origin)
        await callbacks.post(f"{receiver.origin}/hook", BODY, {"X-OpenDSR-Signature": "abc"})
    assert receiver.head.startswith("POST /hook HTTP/1.1\r\n")
    assert receiver.body == BODY
    assert receiver.header("content-type") == "application/json"
    assert receiver.header("x-opendsr-signature") == "abc"
    assert NAME not in caplog.text


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        ("302 Found", Permanent, "callback_refused"),
        ("403 Forbidden", Permanent, "callback_refused"),
        ("500 Oh", Retryable, "callback_unreachable"),
    ],
)
async def test_a_callback_that_is_not_taken_is_an_error_of_its_own_name(authority, status, kind, code):
    """Redirects are not followed."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        await receiver.answering(writer, status, f"Location: {receiver.origin}/else")

    async with running(authority.server_context(NAME), behaviour) as receiver:
        callbacks = HttpsCallbacks(outbound(authority, "callback"), local_receiver=receiver.origin)
        with pytest.raises(kind) as caught:
            await callbacks.post(f"{receiver.origin}/hook", BODY, {})
    assert caught.value.code == code
    assert receiver.connections == 1


async def test_a_callback_to_a_private_network_is_not_posted(authority):
    """Neither by number nor by name."""
    callbacks = HttpsCallbacks(outbound(authority, "callback"))
    with pytest.raises(Invalid):
        await callbacks.post("https://10.0.0.1/hook", BODY, {})
    with pytest.raises(NotAllowed) as caught:
        await callbacks.post("https://hooks.platform.example/hook", BODY, {})
    assert caught.value.code == "callback_refused_address"


class Processor:
    """Another processor's discovery and certificate; `pem` and `certificate_url` can be bent."""

    def __init__(self, authority, key=None, *, days=1, name=NAME):
        self.key = key or rsa_key()
        self.pem = authority.issued(name, key=self.key, days=days)[1]
        self.certificate_url = None
        self.discovery = None
        self.asked = []
        self.notices = []

    async def serve(self, reader, writer):
        await self.receiver.take(reader)
        path = self.receiver.head.split(" ")[1]
        self.asked.append(path)
        if self.receiver.body:
            self.notices.append((self.receiver.body, self.receiver.header("x-opendsr-signature")))
        body = self.pem
        if path == "/discovery":
            url = self.certificate_url or f"{self.receiver.origin}/certificate"
            body = self.discovery or json.dumps({"processor_certificate": url}).encode()
        await self.receiver.answering(writer, "200 OK", body=body)

    def sign(self, body):
        return base64.b64encode(self.key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()


class Checked:
    """A processor that runs, and what checks its notices."""

    def __init__(self, authority, processor, clock, roots=None):
        self.authority = authority
        self.processor = processor
        self.clock = clock
        self.roots = [authority.certificate] if roots is None else roots

    async def __aenter__(self):
        self.running = running(self.authority.server_context(NAME), self.processor.serve)
        self.processor.receiver = await self.running.__aenter__()
        origin = self.processor.receiver.origin
        return ProcessorSignatures(
            outbound(self.authority, "certificate"),
            self.clock,
            {NAME: f"{origin}/discovery"},
            local_receiver=origin,
            roots=self.roots,
        )

    async def __aexit__(self, *error):
        await self.running.__aexit__(*error)


def now():
    """Return a clock at the present moment: the certificates are of today."""
    return TestClock(dt.datetime.now(dt.UTC))


async def test_a_listed_processor_s_signature_is_good_and_its_certificate_fetched_once(authority):
    """It is kept for hours."""
    processor, clock = Processor(authority), now()
    async with Checked(authority, processor, clock) as signatures:
        for _ in range(3):
            await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
        assert processor.asked == ["/discovery", "/certificate"]
        clock.advance(hours=12, seconds=1)
        await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
        assert processor.asked == ["/discovery", "/certificate"] * 2


@pytest.mark.parametrize("domain", ["elsewhere.example", "127.0.0.1", "", f"x.{NAME}", NAME.upper()])
async def test_nothing_is_fetched_for_a_domain_that_is_not_listed(authority, domain):
    """A header can name anything."""
    processor = Processor(authority)
    async with Checked(authority, processor, now()) as signatures:
        with pytest.raises(NotAllowed) as caught:
            await signatures.verify(BODY, domain=domain, signature=processor.sign(BODY))
    assert caught.value.code == "processor_not_listed"
    assert processor.asked == []


@pytest.mark.parametrize("signature", ["", "!", "AAAA", "\u00e6"])
async def test_a_signature_that_does_not_fit_is_refused(authority, signature):
    """Neither one of nothing nor one of something else."""
    processor = Processor(authority)
    async with Checked(authority, processor, now()) as signatures:
        for one in (signature, processor.sign(BODY + b" ")):
            with pytest.raises(NotAllowed) as caught:
                await signatures.verify(BODY, domain=NAME, signature=one)
            assert caught.value.code == "signature_invalid"


async def test_a_new_key_is_learned_and_a_forger_cannot_make_us_ask_for_ever(authority):
    """A signature that does not fit asks again, but not more than every few minutes."""
    processor, clock = Processor(authority), now()
    async with Checked(authority, processor, clock) as signatures:
        await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
        processor.key = rsa_key(2048, 1)
        processor.pem = authority.issued(NAME, key=processor.key)[1]
        for _ in range(3):
            with pytest.raises(NotAllowed):
                await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
        assert len(processor.asked) == 2
        clock.advance(minutes=5, seconds=1)
        await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
        assert len(processor.asked) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pem", "another name's"),
        ("pem", "expired"),
        ("pem", "self-signed"),
        ("pem", b"no certificate"),
        ("discovery", b"no json"),
        ("discovery", b"[]"),
        ("discovery", b"{}"),
        ("certificate_url", "http://receiver.test/certificate"),
        ("certificate_url", "https://elsewhere.example/certificate"),
        ("certificate_url", "https://169.254.169.254/certificate"),
        ("certificate_url", "https://127.0.0.1:1/certificate"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_not_believed(authority, name, value):
    """Another name, out of date, of nobody, none at all, or from elsewhere."""
    bent = {
        "another name's": authority.issued("other.test", key=rsa_key())[1],
        "expired": authority.issued(NAME, key=rsa_key(), days=-1)[1],
        "self-signed": _self_signed(),
    }
    processor = Processor(authority)
    setattr(processor, name, bent.get(value, value))
    async with Checked(authority, processor, now()) as signatures:
        with pytest.raises(NotAllowed) as caught:
            await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
    assert caught.value.code == "certificate_untrusted"


async def test_a_certificate_that_runs_out_while_it_is_kept_is_not_believed(authority):
    """It is looked at each time."""
    processor, clock = Processor(authority, days=1), now()
    async with Checked(authority, processor, clock) as signatures:
        await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
        clock.advance(days=1, seconds=1)
        with pytest.raises(NotAllowed) as caught:
            await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
    assert caught.value.code == "certificate_untrusted"


async def test_an_authority_that_browsers_do_not_believe_is_not_believed(authority):
    """The roots are those of the world, unless a test names others."""
    processor = Processor(authority)
    checked = Checked(authority, processor, now())
    checked.roots = None
    async with checked as signatures:
        with pytest.raises(NotAllowed) as caught:
            await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
    assert caught.value.code == "certificate_untrusted"
    assert len(signatures._roots) > 100


async def test_a_discovery_without_end_is_given_up(authority):
    """Sixty-four KiB are plenty."""
    processor = Processor(authority)
    processor.discovery = b" " * (64 * 1024 + 1)
    async with Checked(authority, processor, now()) as signatures:
        with pytest.raises(Permanent) as caught:
            await signatures.verify(BODY, domain=NAME, signature=processor.sign(BODY))
    assert caught.value.code == "certificate_answer_too_large"


async def test_our_own_callbacks_pass_our_own_check(authority):
    """A platform's request to its last notice: real key, real TLS, and the check a controller makes."""
    processor = Processor(authority)
    async with Checked(authority, processor, now()) as signatures:
        origin = processor.receiver.origin
        key, certificate = authority.issued(NAME, key=processor.key)
        world = World()
        world.add_person("ane")
        made = OpenDsr(
            signer=RsaSigner(key.decode(), certificate.decode(), domain=NAME),
            callbacks=HttpsCallbacks(outbound(authority, "callback"), local_receiver=origin),
            platforms={TRUSTED: platform(TRUSTED, identity_verified=True, callback_domains=(NAME,))},
        )
        world.context = replace(world.context, opendsr=made)
        body = json.dumps(filed(status_callback_urls=[f"{origin}/hook"])).encode()
        await opendsr.submit(world.context, made, TRUSTED, body)
        await deliver(world)
        for notice, signature in processor.notices:
            await signatures.verify(notice, domain=NAME, signature=signature)
            with pytest.raises(NotAllowed):
                await signatures.verify(notice + b" ", domain=NAME, signature=signature)
    assert [json.loads(notice)["request_status"] for notice, _ in processor.notices] == [
        "in_progress",
        "completed",
    ]


def _settings(pair, **changes):
    platforms = {"platform-1": {"key_sha256": "0" * 64, "callback_domains": ["hooks.platform.example"]}}
    return settings.read(
        {
            **AZURE,
            "PUBLIC_URL": f"https://{OURS}/api",
            "OPENDSR_KEY": pair[0],
            "OPENDSR_CERTIFICATE": pair[1],
            "OPENDSR_CONTROLLERS": json.dumps(platforms),
            **changes,
        }
    )


def test_the_app_speaks_opendsr_when_it_has_a_key(pair):
    """As the host that people reach it at."""
    wired = bootstrap.build(_settings(pair)).context.opendsr
    assert wired.signer.domain == OURS
    assert set(wired.platforms) == {"platform-1"}
    assert not wired.platforms["platform-1"].identity_verified


def test_the_app_speaks_no_opendsr_without_a_key(pair):
    """And starts all the same."""
    assert bootstrap.build(_settings(pair, OPENDSR_KEY="", OPENDSR_CERTIFICATE="")).context.opendsr is None


def test_a_certificate_for_another_host_stops_the_app(pair):
    """Nobody could check what it signs."""
    with pytest.raises(Permanent) as caught:
        bootstrap.build(_settings(pair, PUBLIC_URL="https://elsewhere.example/api"))
    assert (caught.value.code, caught.value.detail) == ("settings_invalid", "OPENDSR_CERTIFICATE")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"OPENDSR_KEY": ""}, "OPENDSR_KEY"),
        ({"OPENDSR_CERTIFICATE": ""}, "OPENDSR_CERTIFICATE"),
        ({"OPENDSR_CONTROLLERS": "{"}, "OPENDSR_CONTROLLERS"),
        ({"OPENDSR_CONTROLLERS": "[]"}, "OPENDSR_CONTROLLERS"),
        ({"OPENDSR_CONTROLLERS": '{"a": {}}'}, "OPENDSR_CONTROLLERS"),
        ({"OPENDSR_CONTROLLERS": '{"a b": {"key_sha256": "%s"}}' % ("0" * 64)}, "OPENDSR_CONTROLLERS"),
        ({"OPENDSR_CONTROLLERS": '{"a": {"key_sha256": "the key itself"}}'}, "OPENDSR_CONTROLLERS"),
        ({"OPENDSR_CONTROLLERS": '{"a": {"key_sha256": "%s", "x": 1}}' % ("0" * 64)}, "OPENDSR_CONTROLLERS"),
    ],
)
def test_a_wrong_setting_of_opendsr_is_named_without_its_value(pair, changes, named):
    """Keys are secrets."""
    with pytest.raises(Permanent) as caught:
        _settings(pair, **changes)
    assert (caught.value.code, caught.value.detail) == ("settings_invalid", named)

"""A mail of a local run goes to the one address that was typed, or to nobody."""

from email import message_from_bytes
from email.policy import SMTP

import pytest

from shared.adapters.blob_outbox import BlobOutbox
from shared.domain.errors import Permanent
from shared.ports.notifier import Mail

pytestmark = pytest.mark.platform


@pytest.fixture
async def outbox(storage):
    """The outbox and a way to read the bytes it wrote; None: nothing was written."""
    container = storage.container("outbox")
    if not await container.exists():
        await container.create_container()

    async def written(mail_id):
        client = container.get_blob_client(f"{mail_id}.eml")
        if not await client.exists():
            return None
        return await (await client.download_blob()).readall()

    return BlobOutbox(storage, sender="privacy@controller.example"), written


def mail(mail_id, to):
    """Return a made-up mail."""
    return Mail(mail_id=mail_id, to=to, subject="Hello", text="x", html="<p>x</p>", language="en")


@pytest.mark.parametrize("to", ["ane@people.example", "a'b+c@people.example", "O.Hara=x@people.example"])
async def test_the_file_names_the_one_recipient(outbox, container_name, to):
    """As typed."""
    port, written = outbox
    await port.send(mail(container_name, to))
    data = await written(container_name)
    assert f"\r\nTo: {to}\r\n".encode() in data
    assert [one.addr_spec for one in message_from_bytes(data, policy=SMTP)["To"].addresses] == [to]


async def test_letters_beyond_ascii_stay_one_recipient(outbox, container_name):
    """An encoded word of our own making hides nothing."""
    port, written = outbox
    await port.send(mail(container_name, "jørn@people.example"))
    (one,) = message_from_bytes(await written(container_name), policy=SMTP)["To"].addresses
    assert (one.username, one.domain) == ("jørn", "people.example")


@pytest.mark.parametrize(
    "to",
    [
        "=?utf-8?q?a=0d=0aBcc=3ax?=@people.example",
        "=?utf-8?q?victim=40other=2eexample=2c?=@people.example",
        "a@=?utf-8?q?other=2eexample=2cb?=.example",
        "=?utf-8?q?=00?=@people.example",
        "=?x?q?a?=@people.example",
        "=?utf-8?b?====?=@people.example",
        "a@people.example, b@people.example",
        "Ane <a@people.example>",
        "a@people.example\r\nBcc: b@people.example",
        "friends: a@people.example;",
        "",
    ],
)
async def test_an_address_that_reads_as_another_is_refused(outbox, container_name, to):
    """Nothing is written, and the error does not repeat it."""
    port, written = outbox
    with pytest.raises(Permanent) as caught:
        await port.send(mail(container_name, to))
    assert str(caught.value) == "address_unusable: outbox.send"
    assert await written(container_name) is None

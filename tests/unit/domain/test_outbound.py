"""Which addresses of others may be tried: the text, and the numbers it leads to."""

import ipaddress

import pytest

from shared.domain.errors import Invalid
from shared.domain.outbound import MAX_URL_CHARACTERS, is_public, parse_target_url

LOCAL = "https://127.0.0.1:9443"


@pytest.mark.clause("4.6")
@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://controller.example", "https://controller.example/"),
        ("https://controller.example/", "https://controller.example/"),
        ("HTTPS://Controller.EXAMPLE/Path", "https://controller.example/Path"),
        (
            "https://controller.example:443/in?token=a%2Fb&x=1",
            "https://controller.example/in?token=a%2Fb&x=1",
        ),
        ("https://controller.example:?x", "https://controller.example/?x"),
        ("https://blåbær.example/ø", "https://xn--blbr-roah.example/%C3%B8"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://1.example", "https://1.example/"),
        ("https://93.184.215.14/x", "https://93.184.215.14/x"),
        ("https://[2606:4700:4700::1111]/x", "https://[2606:4700:4700::1111]/x"),
        ("https://controller.example/a@b:c", "https://controller.example/a@b:c"),
        ("https://controller.example//10.0.0.1/", "https://controller.example//10.0.0.1/"),
    ],
)
def test_an_https_address_of_a_public_host_is_a_target(text, url):
    """In one spelling, which is a target again."""
    target = parse_target_url(text)
    assert target.url == url
    assert parse_target_url(url) == target
    assert (target.port, target.is_local) == (443, False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "invalid"),
        (7, "invalid"),
        (["https://controller.example"], "invalid"),
        ("", "invalid"),
        (" https://controller.example", "invalid"),
        ("https://controller.example/a b", "invalid"),
        ("https://controller.example/\r\nX: y", "invalid"),
        ("https://controller.example/\x00", "invalid"),
        ("https://controller.example/\ud800", "invalid"),
        ("https://controller.example\\@10.0.0.1/", "invalid"),
        ("http://controller.example", "scheme"),
        ("ftp://controller.example", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://controller.example", "scheme"),
        ("controller.example", "scheme"),
        ("//controller.example", "scheme"),
        ("https:controller.example", "scheme"),
        ("https:/controller.example", "scheme"),
        ("https://user@controller.example", "userinfo"),
        ("https://user:secret@controller.example", "userinfo"),
        ("https://controller.example@10.0.0.1", "userinfo"),
        ("https://@controller.example", "userinfo"),
        ("https://controller.example/#part", "fragment"),
        ("https://controller.example#@10.0.0.1/", "fragment"),
        ("https://controller.example:80", "port"),
        ("https://controller.example:444", "port"),
        ("https://controller.example:0443", "port"),
        ("https://controller.example:\uff14\uff14\uff13", "port"),
        ("https://controller.example:443:443", "port"),
        ("https://[2606:4700:4700::1111]:8443", "port"),
        ("https://", "host"),
        ("https:///x", "host"),
        ("https://:443/", "host"),
        ("https://controller.example./", "host"),
        ("https://controller..example/", "host"),
        ("https://.controller.example/", "host"),
        ("https://controller.example。/", "host"),
        ("https://con%74roller.example/", "host"),
        ("https://con_troller.example/", "host"),
        ("https://-controller.example/", "host"),
        ("https://xn--zz--a.example/", "host"),
        ("https://controller/", "host"),
        ("https://localhost/", "host"),
        ("https://LOCALHOST/", "host"),
        ("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "host"),
        ("https://a.localhost/", "host"),
        ("https://localhost.localdomain/", "host"),
        ("https://printer.local/", "host"),
        ("https://metadata.google.internal/", "host"),
        ("https://1.0.0.127.in-addr.arpa/", "host"),
        ("https://router.lan/", "host"),
        ("https://2130706433/", "host"),
        ("https://0x7f000001/", "host"),
        ("https://0x7f.0.0.1/", "host"),
        ("https://127.0.0.0x1/", "host"),
        ("https://0177.0.0.1/", "host"),
        ("https://127.1/", "host"),
        ("https://127.0.1/", "host"),
        ("https://010.0.0.1/", "host"),
        ("https://93.184.215.014/", "host"),
        ("https://256.256.256.256/", "host"),
        ("https://0x/", "host"),
        ("https://[127.0.0.1]/", "host"),
        ("https://[::1/", "host"),
        ("https://::1/", "port"),
        ("https://[]/", "host"),
        ("https://[2606:4700:4700::1111]x/", "host"),
        ("https://127.0.0.1/", "address"),
        ("https://\uff11\uff12\uff17.0.0.1/", "address"),
        ("https://127。0。0。1/", "address"),
        ("https://10.0.0.1/", "address"),
        ("https://169.254.169.254/metadata", "address"),
        ("https://[::1]/", "address"),
        ("https://[::ffff:127.0.0.1]/", "address"),
        ("https://[fe80::1%25eth0]/", "address"),
        (LOCAL, "port"),
    ],
)
def test_everything_else_is_refused_with_its_own_code(text, code):
    """And the refusal repeats nothing of it."""
    with pytest.raises(Invalid) as caught:
        parse_target_url(text)
    assert (caught.value.code, caught.value.field) == (f"transfer_url_{code}", "transfer_url")
    assert "controller" not in caught.value.detail


@pytest.mark.parametrize(
    ("length", "is_good"),
    [(MAX_URL_CHARACTERS - 1, True), (MAX_URL_CHARACTERS, True), (MAX_URL_CHARACTERS + 1, False)],
)
def test_an_address_has_a_longest_length(length, is_good):
    """One below, at and above it."""
    text = "https://controller.example/".ljust(length, "x")
    if is_good:
        assert len(parse_target_url(text).url) == length
        return
    with pytest.raises(Invalid) as caught:
        parse_target_url(text)
    assert caught.value.code == "transfer_url_too_long"


@pytest.mark.parametrize(("length", "is_good"), [(252, True), (253, True), (254, False)])
def test_a_host_has_a_longest_length(length, is_good):
    """As the domain name system has it."""
    host = ".".join(["x" * 49] * 5)[: length - 4].rstrip(".").ljust(length - 4, "y") + ".com"
    assert len(host) == length
    if is_good:
        assert parse_target_url(f"https://{host}").host == host
        return
    with pytest.raises(Invalid):
        parse_target_url(f"https://{host}")


def test_the_receiver_of_a_local_run_is_let_through_and_nothing_beside_it():
    """Its origin has to be the same, letter by letter."""
    target = parse_target_url(f"{LOCAL}/in?x=1", local_receiver=LOCAL)
    assert (target.host, target.port, target.path, target.is_local) == ("127.0.0.1", 9443, "/in?x=1", True)
    assert parse_target_url(target.url, local_receiver=LOCAL) == target
    for other in ("https://127.0.0.1:9444/", "https://127.0.0.2:9443/", f"{LOCAL}@10.0.0.1/", f"{LOCAL}0/"):
        with pytest.raises(Invalid):
            parse_target_url(other, local_receiver=LOCAL)
    assert not parse_target_url("https://controller.example/", local_receiver=LOCAL).is_local


def test_a_local_receiver_may_have_a_name_or_a_bracketed_address():
    """Certificates are for either."""
    assert parse_target_url("https://in.test:9443", local_receiver="https://in.test:9443").host == "in.test"
    target = parse_target_url("https://[::1]:9443/a", local_receiver="https://[::1]:9443")
    assert (target.host, target.authority) == ("::1", "[::1]:9443")


def test_a_target_shows_neither_host_nor_path():
    """Either may say something about a person."""
    target = parse_target_url("https://controller.example/secret-path")
    assert "controller" not in repr(target)
    assert "secret" not in repr(target)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  judged, not bound to
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.0.0",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:5db8:d70e::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%1",
        "2606:4700:4700::1111%1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_inside_or_reserved_is_not_public(address):
    """In every disguise there is."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:db7::1",
        "2003::1",
        "2606:4700:4700::1111",
        "3ffe::1",
        "::ffff:93.184.215.14",
        "64:ff9b::5db8:d70e",
    ],
)
def test_an_address_just_outside_those_is_public(address):
    """One below and one above each bound."""
    assert is_public(ipaddress.ip_address(address))

"""Where the app may connect to when somebody else names the address.

A person names where a copy goes, a platform names where its notices go. Either could name a machine of our
own network instead, so the text is held to one narrow form here, and the addresses its name leads to are
judged once more when it is connected to: the adapter asks `is_public` of every one of them.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import quote

import idna

from shared.domain.errors import Invalid

MAX_URL_CHARACTERS = 2_048
HTTPS_PORT = 443
_MAX_HOST_CHARACTERS = 253
_FIELD = "transfer_url"
_SPLIT = re.compile(r"https://(?P<authority>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.DOTALL)
_IN_PATH = "/?%:@!$&'()*+,;=~-._"  # what a path or query may hold as it is
_PRIVATE_NAMES = frozenset(
    {"arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private"}
)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")  # a last label like this makes the name an IPv4 address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*texts: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_NOT_PUBLIC = _networks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",  # shared by a carrier's customers
    "127.0.0.0/8",
    "168.63.129.16/32",  # public by number, and yet the inside of every Azure network
    "169.254.0.0/16",  # link-local, and where clouds hand out credentials
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",
    "2001::/23",  # protocols of the IETF, Teredo and ORCHID among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4: its packets end at whatever IPv4 address it holds
    "3fff::/20",  # documentation
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all other IPv6 is local, mapped, multicast or reserved
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOW_32_BITS = 0xFFFF_FFFF


@dataclass(frozen=True, kw_only=True)
class TargetUrl:
    """An address that may be tried. It is not shown in errors and logs, as a path can hold a secret.

    `host`: a name in its ASCII form, or an IP address without brackets. `path`: with the query, at least `/`.
    `is_local`: the receiver that a local run sets, for which no rule but TLS holds.
    """

    host: str = field(repr=False)
    port: int = HTTPS_PORT
    path: str = field(default="/", repr=False)
    is_local: bool = False

    @property
    def authority(self) -> str:
        """The host as it stands in a URL and in the Host header, with the port where it is not 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL; parsing it again gives the same target."""
        return f"https://{self.authority}{self.path}"


def parse_target_url(text: object, *, local_receiver: str = "") -> TargetUrl:
    """Return a URL as a target, or refuse it.

    `local_receiver`: the one origin, such as `https://127.0.0.1:9443`, that a local run lets through.

    Raises:
        Invalid: `transfer_url_invalid`, `_too_long`, `_scheme`, `_userinfo`, `_fragment`, `_port`, `_host`
            (a name that is none, or of a private network, or a number spelled oddly) or `_address` (an IP
            address that is not public). Ask for another one.
    Source: RFC 3986 section 3; RFC 6761 and 6762 on names that are local; UTS 46 for what is not ASCII.
    """
    if not isinstance(text, str) or not text.isprintable() or not text or set(text) & set(" \\"):
        raise _invalid("invalid")
    if len(text) > MAX_URL_CHARACTERS:
        raise _invalid("too_long")
    found = _SPLIT.fullmatch(text)
    if found is None:
        raise _invalid("scheme")
    authority, rest = found["authority"], found["rest"]
    if "@" in authority:
        raise _invalid("userinfo")
    if "#" in rest:
        raise _invalid("fragment")
    parts = _HOST_AND_PORT.fullmatch(authority)
    if parts is None:
        raise _invalid("host")
    path = _path(rest)
    if local_receiver and f"https://{authority}".lower() == local_receiver.lower():
        return _local(parts["host"], parts["port"], path)
    if parts["port"] not in (None, "", str(HTTPS_PORT)):
        raise _invalid("port")
    return TargetUrl(host=_host(parts["host"]), path=path)


def is_public(address: Address) -> bool:
    """Tell whether an address lies in the public internet, where anybody's machine may be asked.

    An IPv4 address inside an IPv6 one counts as what it is, where a network would pass it on as that.

    Source: the IANA registries of special-purpose IPv4 and IPv6 addresses; RFC 6052 for NAT64.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & _LOW_32_BITS))
        if address.scope_id is not None or address not in _GLOBAL_UNICAST:
            return False
    return not any(address in network for network in _NOT_PUBLIC)


def _host(text: str) -> str:
    if text.startswith("["):
        return _public(_ip(text[1:-1], ipaddress.IPv6Address))
    try:
        # UTS 46 first: full-width digits, circled letters and other dots all become what they stand for.
        name = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except UnicodeError:  # which idna's own errors are
        raise _invalid("host") from None
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _public(_ip(name, ipaddress.IPv4Address))
    if len(name) > _MAX_HOST_CHARACTERS or len(labels) == 1 or not labels[-1] or labels[-1] in _PRIVATE_NAMES:
        raise _invalid("host")
    return name


def _ip(text: str, kind: type[Address]) -> Address:
    try:
        return kind(text)  # four plain decimals; anything shorter, octal or hexadecimal is refused
    except ValueError:
        raise _invalid("host") from None


def _public(address: Address) -> str:
    if not is_public(address):
        raise _invalid("address")
    return str(address)


def _local(host: str, port: str | None, path: str) -> TargetUrl:
    number = int(port) if port and port.isascii() and port.isdigit() else HTTPS_PORT
    return TargetUrl(host=host.strip("[]").lower(), port=number, path=path, is_local=True)


def _path(rest: str) -> str:
    path = quote(rest, safe=_IN_PATH)
    return path if path.startswith("/") else f"/{path}"


def _invalid(what: str) -> Invalid:
    return Invalid(f"{_FIELD}_{what}", "give an https address of a public host", field=_FIELD)

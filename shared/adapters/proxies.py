"""Whether the way to the services leads through a proxy. Asking that once saves much of every call's time."""

from urllib.request import getproxies


def through_proxy() -> bool:
    """Tell whether the worker's environment names a proxy.

    The SDKs' transport looks for a proxy and for a netrc file before each call, each time in a thread of
    its own. None of our calls is signed in by netrc.
    """
    return bool(getproxies())

"""What a URL or a host says of where it leads: its parts, and whether it leaves this machine. Nothing here asks."""

import ipaddress
from urllib.parse import SplitResult, urlsplit


def parts_of(url: str) -> SplitResult:
    """Take a URL apart; what is none, such as one with a blank, half a bracket or an impossible port, has no parts."""
    try:
        parts = urlsplit(url)
        is_good = parts.port != 0 and url.split() == [url]
    except ValueError:
        is_good = False
    return parts if is_good else urlsplit("")


def is_loopback(host: str) -> bool:
    """Tell whether a host is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

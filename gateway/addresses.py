"""From which address a request came, when there may be load balancers in front of us."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"


def client_address(peer: str, forwarded_for: str | None, trusted: tuple[Network, ...]) -> str:
    """Return the nearest address that is not one of our own load balancers.

    `X-Forwarded-For` is read from the right and believed only as far as trusted hands wrote it:
    what a client sends in it itself is never reached.
    """
    if not forwarded_for or not is_trusted(peer, trusted):
        return peer
    for candidate in reversed(forwarded_for.split(",")):
        address = candidate.strip()
        if not _is_address(address):
            return peer
        if not is_trusted(address, trusted):
            return address
        peer = address
    return peer


@lru_cache(maxsize=4096)
def limit_key(address: str) -> str:
    """Return what shares one bucket: an IPv4 address, or the /64 that one IPv6 customer has."""
    if not _is_address(address):
        return UNKNOWN
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address


@lru_cache(maxsize=4096)
def is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    """Whether an address is one of our own load balancers."""
    if not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in trusted)


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

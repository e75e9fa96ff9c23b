"""Whom the network says is asking, over REST and sockets alike: what our proxies added, never what the client wrote."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from chat.conf import chat_settings


def address_of(request: Request | HttpRequest) -> str:
    """Return the digest of a request's address."""
    return digest(network_of(request))


def network_of(request: Request | HttpRequest) -> str:
    """Return the network that a request came from: an IPv4 address, or the /64 of an IPv6 address."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return _client_network(request.META.get("REMOTE_ADDR") or "", forwarded)


def address_in(scope: Mapping[str, Any]) -> str:
    """Return the digest of the address that a handshake came from: the same as a request's from there."""
    return digest(network_in(scope))


def network_in(scope: Mapping[str, Any]) -> str:
    """Return the network that a handshake came from, as :func:`network_of` does for a request."""
    remote, *_ = scope.get("client") or [""]
    hops = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return _client_network(remote, b",".join(hops).decode("latin-1"))


def digest(text: str) -> str:
    """Return what stands for a name or an address in the store, which need not know them."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _client_network(remote: str, forwarded: str) -> str:
    proxies = chat_settings.PROXIES
    if proxies:
        hops = forwarded.split(",")
        # Fewer hops than proxies: it did not come through them all, and the header is the client's.
        remote = hops[-proxies] if len(hops) >= proxies else remote
    return network(remote.strip())


def _without_port(hop: str) -> str:
    """Return the address of a hop as proxies write it: ``1.2.3.4:5555``, ``[2001:db8::1]:5555`` or bare."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, _, port = hop.partition(":")
    return host if port.isdecimal() else hop


def network(said: str) -> str:
    """Return the address that limits count for: itself, or the /64 of an IPv6 address."""
    try:
        address = ip_address(_without_port(said))
    except ValueError:
        return said
    if not isinstance(address, IPv6Address):
        return str(address)
    # Whoever has one IPv6 address has the 2⁶⁴ beside it.
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))

"""Where something may be sent: https everywhere, plain http only on this machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

_PORTS = {"https": 443, "http": 80}


def base_url(host: str) -> str:
    """Where the API of a registry is; plain http for loopback hosts, as Docker has it."""
    scheme = "http" if is_loopback(f"http://{host}") else "https"
    return f"{scheme}://{host}"


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, the usual port left out; empty for no address of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    # Parsers disagree about which host a URL with a backslash names.
    is_plain = url.isascii() and url.isprintable() and not {" ", "\\"} & {*url}
    if port is None or not parts.hostname or not is_plain:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port == _PORTS.get(parts.scheme) else f":{port}")


def may_follow(url: str, link: str) -> str:
    """The whole URL that `link` in an answer of `url` leads to, empty where nobody may go.

    From this machine's plain http a link may lead to anything here, but https never to http.
    """
    try:
        whole = urljoin(url, link)
    except ValueError:
        return ""
    if not origin_of(whole) or "@" in urlsplit(whole).netloc:
        return ""
    is_http = urlsplit(whole).scheme == "http"
    stays_here = urlsplit(url).scheme == "http" and is_loopback(whole)
    return "" if is_http and not stays_here else whole

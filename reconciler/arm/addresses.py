"""Which URLs may be talked to: no credential leaves for a host that was not chosen."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urljoin, urlsplit

from reconciler.arm.clouds import CLOUDS
from reconciler.errors import UsageError

# What parsers disagree about: `https://evil\@good/` is one host to one and another to the next.
_AMBIGUOUS = re.compile(r"[\s\\\x00-\x1f\x7f]")


def is_loopback(url: str) -> bool:
    """Whether `url` names this very machine; what is no URL names none."""
    host = _split(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_plain_http(url: str) -> bool:
    """Whether `url` is not encrypted."""
    return _split(url).scheme.lower() == "http"


def path_of(url: str) -> str:
    """The path of `url`, empty for what is no URL."""
    return _split(url).path


def _split(url: str) -> SplitResult:
    """The parts of `url`, all of them empty for what is no URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def checked_endpoint(url: str, *, named_by: str) -> str:
    """`url` without a slash at its end, fit to be the base of every request.

    Raises:
        UsageError: it is no http(s) URL of a host alone, or plain http to another machine.
    """
    shown = without_credentials(url)
    if _AMBIGUOUS.search(url) or not _is_base(url):
        raise UsageError(
            f"{named_by}: expected a URL such as https://management.azure.com, got '{shown}'"
        )
    if "@" in _split(url).netloc:
        raise UsageError(
            f"{named_by}: credentials in the URL are not taken, got some in front of '{shown}'",
            hint="sign in with 'az login' or the AZURE_* variables, and leave them out here",
        )
    if is_plain_http(url) and not is_loopback(url):
        raise UsageError(
            f"{named_by}: plain http is for this machine alone (localhost, 127.0.0.1, [::1]),"
            f" got '{shown}'",
            hint="use https",
        )
    return url.rstrip("/")


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    extras = parts.query or parts.fragment
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and not extras


def without_credentials(url: str) -> str:
    """`url` without user, password, query and fragment: fit to be printed."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    return re.sub(r"//[^/]*@", "//", bare)


def followed(url: str, *, endpoint: str) -> str | None:
    """`url` made absolute, or None where the credential for `endpoint` must not go.

    Allowed is the endpoint's own origin, and for a known cloud its regional ARM hosts
    (`westeurope.management.azure.com`).
    """
    if _AMBIGUOUS.search(url):
        return None
    try:
        whole = urljoin(endpoint + "/", url)
        there, here = urlsplit(whole), urlsplit(endpoint)
        same = _origin(there) == _origin(here) or _is_regional(there, here)
    except ValueError:
        return None
    return whole if same and "@" not in there.netloc else None


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def _is_regional(there: SplitResult, here: SplitResult) -> bool:
    known = {urlsplit(facts.endpoint).hostname for facts in CLOUDS}
    scheme, host, port = _origin(there)
    return (
        here.hostname in known
        and (scheme, port) == ("https", 443)
        and host.endswith(f".{here.hostname}")
    )

"""Images and the registries they come from (azure-facts G29-G31, G41, G43)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.core.jsonval import WirePath, as_object
from reconciler.manifest.lint.view import Group, GroupRule
from reconciler.manifest.wording import listed, quoted

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# The registries of Azure in its clouds: private unless somebody opened them to everyone.
_PRIVATE = (".azurecr.io", ".azurecr.us", ".azurecr.cn")
_MOST_NAMES = 3


def _server_of(image: str) -> str:
    """The host that an image is pulled from, in lower case; empty for Docker Hub's short names."""
    first, slash, _ = image.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first.lower() if is_host else ""


def _host(server: str) -> str:
    return _SCHEME.sub("", server).rstrip("/").lower()


def tags(group: Group) -> Iterator[Finding]:
    """M801: Azure shows the tag, not what it led to, so one that moved is never seen."""
    for container in group.every_container:
        image = container.inside.text("image")
        if not image or "@" in image or "${" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            got = quoted(tag) if tag else "none, which is 'latest'"
            says = f"expected a tag that stays what it is, got {got}"
            hint = "the tag of a version, or a digest: NAME@sha256:…"
            yield group.say("M801", container.inside.at("image"), says, hint)


def credentials(group: Group) -> Iterator[Finding]:
    """M322 to M324, M805: each entry of `imageRegistryCredentials`."""
    known = as_object(group.whole.part("identity").data.get("userAssignedIdentities"))
    first: dict[str, WirePath] = {}
    for entry in group.inside.parts("imageRegistryCredentials"):
        server, place = entry.text("server"), entry.at("server")
        if _SCHEME.match(server):
            says = f"expected a host such as 'acme.azurecr.io', got {quoted(server)}"
            yield group.say("M322", place, says, quoted(_host(server)))
        if _host(server) in first:
            line = group.line_of(first[_host(server)])
            says = f"expected each registry once, got {quoted(server)} again (first on line {line})"
            yield group.say("M805", place, says)
        if server:
            first.setdefault(_host(server), place)
        if not entry.data.get("username") and not entry.data.get("identity"):
            says = "expected 'username' with 'password', or 'identity', got neither"
            yield group.say("M323", entry.path, says)
        identity = entry.text("identity")
        if identity.startswith("/subscriptions/") and not _has(known, identity):
            says = "expected an identity of 'identity.userAssignedIdentities'"
            hint = listed(list(known)[:_MOST_NAMES]) or "adding it there"
            yield group.say("M324", entry.at("identity"), f"{says}, got another", hint)


def _has(known: dict[str, object] | object, identity: str) -> bool:
    return isinstance(known, dict) and identity.lower() in {name.lower() for name in known}


def pulls(group: Group) -> Iterator[Finding]:
    """M804: an image that Azure cannot pull is refused by the PUT."""
    known = {_host(one.text("server")) for one in group.inside.parts("imageRegistryCredentials")}
    for container in group.every_container:
        server = _server_of(container.inside.text("image"))
        if server.endswith(_PRIVATE) and server not in known:
            says = f"expected credentials for {quoted(server)}, got none"
            hint = f"'imageRegistryCredentials: [{{server: {server}, identity: …}}]'"
            yield group.say("M804", container.inside.at("image"), says, hint)
            known.add(server)


RULES: tuple[GroupRule, ...] = (tags, credentials, pulls)

"""Variables, mounts, probes and rights of containers (azure-facts B.3, F.1, F.3, G20-G34)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, WirePath, as_list, as_text
from reconciler.core.mask import is_hidden, looks_secret
from reconciler.manifest.lint.view import Container, Group, GroupRule, Part
from reconciler.manifest.wording import quoted

_MOST = 60
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# What a name that looks like a secret's often stands for instead of the secret itself.
_ABOUT_A_SECRET = re.compile(
    r"(file|path|dir|ur[il]|endpoint|host|name|id|type|length|size|count|ttl|expiry|expiration"
    r"|timeout|enabled|vault|version)s?\Z",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"(true|false|yes|no|on|off|none|null|[0-9]{1,4}|/[\w./-]*)?\Z", re.IGNORECASE
)
_PROBES = ("livenessProbe", "readinessProbe")


def count(group: Group) -> Iterator[Finding]:
    """M318: init containers count."""
    several, before = len(group.containers), len(group.init_containers)
    if several <= _MOST and before < _MOST < several + before:
        says = f"expected at most {_MOST} containers with the init containers"
        place = group.inside.at("initContainers")
        yield group.say("M318", place, f"{says}, got {several + before}")


def variables(group: Group) -> Iterator[Finding]:
    """M316, M317, M802: the names of variables, and what stands behind them."""
    for container in group.every_container:
        for entry in container.inside.parts("environmentVariables"):
            yield from _variable(group, entry)


def _variable(group: Group, entry: Part) -> Iterator[Finding]:
    name, value = entry.text("name"), entry.text("value")
    if name and not _VARIABLE.match(name):
        says = "expected letters, digits and '_', not starting with a digit"
        guess = re.sub(r"\W", "_", name, flags=re.ASCII)
        hint = guess if _VARIABLE.match(guess) else f"_{guess}"
        yield group.say("M316", entry.at("name"), f"{says}, got {quoted(name)}", quoted(hint))
    if value and entry.data.get("secureValue") is not None:
        says = "expected 'value' or 'secureValue', got both"
        yield group.say("M317", entry.at("secureValue"), says, "removing 'value'")
    elif _is_secret(name, value):
        says = "expected no secret in plain text, got what looks like one"
        yield group.say("M802", entry.at("value"), says, "'secureValue: {fromEnv: NAME}'")


def _is_secret(name: str, value: str) -> bool:
    if not value or "${" in value:
        return False
    if is_hidden((), value):
        return True
    says_so = looks_secret(name) and not _ABOUT_A_SECRET.search(name)
    return says_so and not _NO_SECRET.match(value)


def commands(group: Group) -> Iterator[Finding]:
    """M802: secrets among the words of a command, which everybody can read."""
    for container in group.every_container:
        before = ""
        for index, word in enumerate(as_list(container.inside.data.get("command"))):
            text = as_text(word)
            if text and "${" not in text and (is_hidden((), text) or _follows(before, text)):
                says = "expected no secret in plain text, got what looks like one"
                hint = "a variable with 'secureValue' that the command reads"
                yield group.say("M802", (*container.inside.at("command"), index), says, hint)
            before = text


def _follows(flag: str, word: str) -> bool:
    """Whether a word is the argument of a flag such as `--password`."""
    return flag.startswith("-") and "=" not in flag and word[:1] != "-" and _is_secret(flag, word)


def mounts(group: Group) -> Iterator[Finding]:
    """M319, M320, M807: where volumes appear."""
    for container in group.every_container:
        first: dict[str, WirePath] = {}
        for mount in container.inside.parts("volumeMounts"):
            path, place = mount.text("mountPath"), mount.at("mountPath")
            if ":" in path:
                says = f"expected a path without ':', got {quoted(path)}"
                yield group.say("M319", place, says)
            elif path and not path.startswith("/") and not group.is_windows:
                says = f"expected a path that starts with '/', got {quoted(path)}"
                yield group.say("M807", place, says, quoted(f"/{path}"))
            folded = path.rstrip("/") or path
            if folded in first:
                line = group.line_of(first[folded])
                says = f"expected each path once, got {quoted(path)} again (first on line {line})"
                yield group.say("M320", place, says)
            if path:
                first.setdefault(folded, place)


def probes(group: Group) -> Iterator[Finding]:
    """M326, M809, M810, M821: what asks a container how it does."""
    for container in group.containers:
        found = [container.inside.part(name) for name in _PROBES if name in container.inside.data]
        ports = [port.data.get("port") for port in container.inside.parts("ports")]
        for probe in found:
            yield from _probe(group, probe, ports)
        yield from _policy(group, container, found=bool(found), serves=bool(ports))


def _probe(group: Group, probe: Part, ports: Sequence[Json]) -> Iterator[Finding]:
    kinds = [kind for kind in ("exec", "httpGet") if kind in probe.data]
    if len(kinds) != 1:
        got = "both" if kinds else "neither"
        yield group.say("M326", probe.path, f"expected 'exec' or 'httpGet', got {got}")
    asked = probe.part("httpGet")
    port = asked.data.get("port")
    if isinstance(port, int) and port not in ports:
        says = f"expected a port of the container, got {port}"
        yield group.say("M809", asked.at("port"), says, f"'ports: [{{port: {port}}}]'")


def _policy(group: Group, container: Container, *, found: bool, serves: bool) -> Iterator[Finding]:
    policy = group.inside.data.get("restartPolicy", "Always")
    if policy == "Never" and "livenessProbe" in container.inside.data:
        says = "expected no liveness probe with 'restartPolicy: Never', got one"
        hint = "removing it: a container that it ends stays ended"
        yield group.say("M810", container.inside.at("livenessProbe"), says, hint)
    if policy == "Always" and serves and not found:
        says = "expected a readiness or liveness probe beside ports, got none"
        yield group.say("M821", container.whole.at("name"), says)


def rights(group: Group) -> Iterator[Finding]:
    """M330: privileged containers."""
    for container in group.every_container:
        security = container.inside.part("securityContext")
        if security.data.get("privileged") is True and not group.is_confidential:
            says = "expected privileged containers with 'sku: Confidential' alone, got one"
            yield group.say("M330", security.at("privileged"), says, "removing it")


RULES: tuple[GroupRule, ...] = (count, variables, commands, mounts, probes, rights)

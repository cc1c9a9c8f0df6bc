"""Names as they are documented (azure-facts F.3). Azure is looser, so none is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.manifest.lint.view import Group, GroupRule
from reconciler.manifest.wording import quoted

_WORDS = r"[a-z0-9]+(-[a-z0-9]+)*\Z"
_GROUP = re.compile(r"(?=.{1,63}\Z)" + _WORDS)
_CONTAINER = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_VOLUME = _GROUP
_SHORTEST_VOLUME = 5
_LONGEST_VARIABLE = 63


def groups(group: Group) -> Iterator[Finding]:
    """M811."""
    name = group.whole.text("name")
    if name and not _GROUP.match(name):
        says = "expected 1 to 63 lower-case letters, digits and single '-' between them"
        yield group.say("M811", group.whole.at("name"), f"{says}, got {quoted(name)}")


def containers(group: Group) -> Iterator[Finding]:
    """M812."""
    for container in group.every_container:
        if container.name and not _CONTAINER.match(container.name):
            says = "expected 1 to 63 lower-case letters, digits and '-', which stands at no end"
            place = container.whole.at("name")
            yield group.say("M812", place, f"{says}, got {quoted(container.name)}")


def volumes(group: Group) -> Iterator[Finding]:
    """M813, M825."""
    for volume in group.volumes:
        name = volume.text("name")
        if name and not _VOLUME.match(name):
            says = "expected lower-case letters, digits and single '-' between them, 63 at most"
            yield group.say("M813", volume.at("name"), f"{says}, got {quoted(name)}")
        if name and len(name) < _SHORTEST_VOLUME:
            says = f"expected at least {_SHORTEST_VOLUME} characters, got {quoted(name)}"
            yield group.say("M825", volume.at("name"), says)


def variables(group: Group) -> Iterator[Finding]:
    """M814."""
    for container in group.every_container:
        for entry in container.inside.parts("environmentVariables"):
            length = len(entry.text("name"))
            if length > _LONGEST_VARIABLE:
                says = f"expected at most {_LONGEST_VARIABLE} characters, got {length}"
                yield group.say("M814", entry.at("name"), says)


RULES: tuple[GroupRule, ...] = (groups, containers, volumes, variables)

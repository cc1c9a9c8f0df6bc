"""Volumes: what they hold, and who sees it (azure-facts G23-G27)."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.core.mask import is_hidden
from reconciler.manifest.lint.view import Group, GroupRule
from reconciler.manifest.wording import quoted


def unmounted(group: Group) -> Iterator[Finding]:
    """M806: a volume that nobody sees."""
    mounted = {
        mount.text("name")
        for container in group.every_container
        for mount in container.inside.parts("volumeMounts")
    }
    for volume in group.volumes:
        name = volume.text("name")
        if name and name not in mounted:
            says = f"expected a container that mounts it, got {quoted(name)} mounted nowhere"
            yield group.say("M806", volume.at("name"), says, "removing it")


def repositories(group: Group) -> Iterator[Finding]:
    """M321, M802, M803: volumes that are cloned when the group starts."""
    for volume in group.volumes:
        clone = volume.part("gitRepo")
        directory, place = clone.text("directory"), clone.at("directory")
        if ".." in directory.replace("\\", "/").split("/"):
            says = f"expected a directory inside the volume, got {quoted(directory)}"
            yield group.say("M321", place, says, "'.', which is the volume itself")
        url = clone.text("repository")
        if url and is_hidden((), url):
            says = "expected no secret in plain text, got what looks like one"
            hint = "a public repository, or an init container that clones"
            yield group.say("M802", clone.at("repository"), says, hint)
        if url and not clone.text("revision"):
            says = "expected 'revision' beside 'repository', got none: each start clones the newest"
            yield group.say("M803", clone.path, says, "'revision: ' and the hash of a commit")


def shares(group: Group) -> Iterator[Finding]:
    """M824: Azure Files are mounted for root."""
    named = {volume.text("name") for volume in group.volumes if "azureFile" in volume.data}
    for container in group.every_container:
        user = container.inside.part("securityContext").data.get("runAsUser")
        if not isinstance(user, int) or not user:
            continue
        for mount in container.inside.parts("volumeMounts"):
            if mount.text("name") in named:
                says = f"expected root where a file share is mounted, got user {user}"
                place = container.inside.part("securityContext").at("runAsUser")
                yield group.say("M824", place, says)
                break


RULES: tuple[GroupRule, ...] = (unmounted, repositories, shares)

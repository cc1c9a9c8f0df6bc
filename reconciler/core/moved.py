"""Whether a tag has moved since its image was pulled, as far as anything tells.

What a tag pointed at then is told by the pull events of a container (azure-facts E.4), and by the
state tag where a registry was asked when the group was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.images import Lookup, parse_image, pulled_digest, short
from reconciler.core.jsonval import Path, dig
from reconciler.core.normalise import NORMALISER_VERSION
from reconciler.core.ownership import StateTag, desired_hash
from reconciler.core.pins import (
    image_mark,
    images_of,
    looked_up,
    marked_digest,
    tagged,
    unpinned,
    with_images,
)


def as_applied(
    desired: DesiredGroup, live: LiveGroup, state: StateTag | None
) -> DesiredGroup | None:
    """`desired` with the digests that are live, where these are what was last applied.

    For manifests whose registries were not or could not be asked. None where something else was
    applied, so that nothing is taken for applied that somebody changed in Azure. A snapshot keeps
    no hash to tell that by: there the live digests are taken as they are, and not compared.
    """
    if state is None or state.hash_version != (NORMALISER_VERSION if state.spec else 0):
        return None
    images = images_of(live.canonical)
    known = {
        path: images[path]
        for path in unpinned(desired)
        if "@" in images.get(path, "") and _is_same_name(images[path], tagged(desired)[path])
    }
    same = with_images(desired, known)
    if unpinned(same) or (state.spec and desired_hash(same) != state.spec):
        return None
    return same


def _is_same_name(one: str, other: str) -> bool:
    try:
        return parse_image(one).full_name == parse_image(other).full_name
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One image by tag: what the tag points at now, and what is known of what runs.

    `pulled` is the digest in the container's last pull event; `remembered` the first digits of what
    the tag pointed at when we wrote it last. Either is empty where it is not known.
    """

    path: Path
    lookup: Lookup
    pulled: str = ""
    remembered: str = ""

    @property
    def container(self) -> str:
        """The container's name."""
        return self.path[2]

    @property
    def is_known(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self.lookup.digest and (self.pulled or self.remembered))

    @property
    def is_remembered(self) -> bool:
        """Whether the tag points at what it pointed at when it was written last."""
        return bool(self.remembered) and marked_digest(self.lookup.digest) == self.remembered

    @property
    def has_moved(self) -> bool:
        """Whether the tag points at another image than the one that runs, as far as is known."""
        return (
            self.is_known
            and not self.is_remembered
            and not (self.pulled and self.lookup.names(self.pulled))
        )

    @property
    def before(self) -> str:
        """What it was, for people."""
        if self.pulled:
            return f"{short(self.pulled)} (pulled)"
        return f"sha256:{self.remembered}… (when it was last written)"

    def __str__(self) -> str:
        now = short(self.lookup.digest)
        return f"{self.lookup.image} {self.before} -> {now} in {self.container}"


def standings(
    desired: DesiredGroup, live: LiveGroup | None, state: StateTag | None
) -> Iterator[Standing]:
    """How each image stands that is sent by tag and was looked up."""
    if not (found := looked_up(desired)):
        return
    known = state.images if state is not None else {}
    for path, lookup in found.items():
        yield Standing(
            path=path,
            lookup=lookup,
            pulled=_pulled(live, path, lookup.image) if live is not None else "",
            remembered=known.get(image_mark(path, lookup.image), ""),
        )


def _pulled(live: LiveGroup, path: Path, image: str) -> str:
    """The digest that a container's last pull brought, empty where no event tells or the live
    image is another.
    """
    if dig(live.canonical, *path) != image:
        return ""
    for view in live.containers:
        if view.name == path[2] and view.is_init == (path[1] == "initContainers"):
            pulls = [event.message for event in view.events if event.name == "Pulled"]
            return pulled_digest(pulls[-1]) if pulls else ""
    return ""


def _pinned(desired: DesiredGroup, live: LiveGroup | None) -> Iterator[str]:
    """What the digests that are sent stand for, where they are not what is live."""
    there = images_of(live.canonical) if live is not None else {}
    for path, image in images_of(desired.canonical).items():
        lookup = desired.images.get(path)
        if lookup is None or not lookup.digest or not image.endswith(f"@{lookup.digest}"):
            continue
        before = there.get(path, "")
        now = short(lookup.digest)
        if before != image and "@" in before and _is_same_name(before, image):
            was = short(before.partition("@")[2])
            yield f"image moved: {lookup.image} {was} -> {now} in {path[2]}"
        elif before != image:
            yield f"image of {path[2]}: {lookup.image} is {now} now"


def needs_events(desired: DesiredGroup, live: LiveGroup, state: StateTag | None) -> bool:
    """Whether only the events of its containers tell if a tag has moved."""
    return any(
        one.lookup.digest and not one.is_remembered for one in standings(desired, live, state)
    )


def image_notes(
    desired: DesiredGroup, live: LiveGroup | None, state: StateTag | None, *, deploys: bool
) -> Iterator[str]:
    """A sentence for each image of which there is something to say.

    With `deploys`, the group is about to be written or started, and its images pulled.
    """
    for path, reason in unpinned(desired).items():
        yield f"image of {path[2]} not compared: {reason}"
    if deploys:
        yield from _pinned(desired, live)
    yield from tag_notes(desired, live, state, deploys=deploys)


def tag_notes(
    desired: DesiredGroup, live: LiveGroup | None, state: StateTag | None, *, deploys: bool
) -> Iterator[str]:
    """The same for those that are sent by tag."""
    for one in standings(desired, live, state):
        now = short(one.lookup.digest)
        if one.lookup.reason:
            yield f"image of {one.container} not compared: {one.lookup.reason}"
        elif one.has_moved:
            after = "" if deploys else "; nothing is done: a restart of the group pulls it"
            yield f"image moved: {one}{after}"
        elif deploys:
            yield f"image of {one.container}: {one.lookup.image} is {now} now"
        elif not one.is_known:
            says = f"image of {one.container} not compared: {one.lookup.image} is {now} now"
            yield f"{says}, and no pull event and no tag of ours tells what runs"

"""What tags of images point at: each image is asked for once before a plan is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.groups import DesiredGroup, LiveGroup
from reconciler.core.images import (
    ImageReference,
    Images,
    Login,
    Lookup,
    Registries,
    parse_image,
    registry_of,
)
from reconciler.core.jsonval import Path, as_list, as_object, as_text, dig
from reconciler.core.moved import standings
from reconciler.core.ownership import Ownership, ownership_of, state_of
from reconciler.core.pins import looked_up, tagged, with_lookups
from reconciler.errors import RegistryError
from reconciler.execute.pool import at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One image, with the logins that manifests have for its registry.

    `missing` says why a manifest that names the registry has none.
    """

    image: ImageReference
    logins: tuple[Login, ...]
    missing: str = ""


def resolved(
    groups: Iterable[DesiredGroup], registries: Registries, *, everything: bool, workers: int
) -> tuple[DesiredGroup, ...]:
    """The groups with what registries say of their images: of `everything`, or where policy pins.

    Each image is asked for once, `workers` at a time; where that failed the reason says why.
    """
    groups = tuple(groups)
    asking = [g for g in groups if everything or g.policy.images is Images.DIGEST]
    questions = _merged(_questions(asking))
    answers = at_once(
        lambda one: _lookup(one, registries), list(questions.values()), workers=workers
    )
    found = dict(zip(questions, answers, strict=True))
    asked = {group.id.address for group in asking}
    return tuple(
        with_lookups(group, {path: _answer(image, found) for path, image in tagged(group).items()})
        if group.id.address in asked
        else group
        for group in groups
    )


def with_members(
    groups: Iterable[DesiredGroup],
    live: Iterable[LiveGroup],
    owner: str,
    registries: Registries,
    *,
    workers: int,
) -> tuple[DesiredGroup, ...]:
    """The groups with the parts of an index where only these tell whether a tag has moved.

    A pull event names the index, or the manifest of one platform.
    """
    groups = tuple(groups)
    ours = {one.id.address: one for one in live if ownership_of(one, owner) is Ownership.OURS}
    open_ = {
        group.id.address: paths
        for group in groups
        if group.id.address in ours and (paths := _suspects(group, ours[group.id.address]))
    }
    if not open_:
        return groups
    suspected = [group for group in groups if group.id.address in open_]
    questions = _merged(_questions(suspected))
    digests = {
        group.images[path].digest: parse_image(tagged(group)[path])
        for group in suspected
        for path in open_[group.id.address]
    }
    found = at_once(
        lambda digest: _members(questions[str(digests[digest])], digest, registries),
        list(digests),
        workers=workers,
    )
    members = dict(zip(digests, found, strict=True))
    return tuple(
        replace(group, images=_widened(group.images, open_[group.id.address], members))
        if group.id.address in open_
        else group
        for group in groups
    )


def _widened(
    images: Mapping[Path, Lookup], paths: Sequence[Path], members: Mapping[str, frozenset[str]]
) -> Mapping[Path, Lookup]:
    return {
        path: replace(lookup, members=members[lookup.digest]) if path in paths else lookup
        for path, lookup in images.items()
    }


def _suspects(group: DesiredGroup, live: LiveGroup) -> tuple[Path, ...]:
    """The images that another digest was pulled of than the tag's."""
    if not looked_up(group):
        return ()
    found = standings(group, live, state_of(live))
    return tuple(one.path for one in found if one.has_moved and one.pulled)


def _members(question: _Question, digest: str, registries: Registries) -> frozenset[str]:
    try:
        return registries.members(question.image, digest, question.logins)
    except RegistryError:
        return frozenset()  # then it counts as moved: the event does not name what the tag names


def _lookup(question: _Question, registries: Registries) -> Lookup:
    try:
        return Lookup(
            image=str(question.image), digest=registries.digest(question.image, question.logins)
        )
    except RegistryError as exc:
        return Lookup(
            image=str(question.image), reason="; ".join(filter(None, (str(exc), question.missing)))
        )


def _answer(image: str, found: Mapping[str, Lookup]) -> Lookup:
    try:
        return replace(found[str(parse_image(image))], image=image)
    except ValueError as exc:
        return Lookup(image=image, reason=f"expected {exc}, got '{image}'")


def _merged(questions: Iterable[_Question]) -> dict[str, _Question]:
    """One question an image, with the logins of all that ask it."""
    merged: dict[str, _Question] = {}
    for one in questions:
        known = merged.setdefault(str(one.image), one)
        logins = tuple(dict.fromkeys((*known.logins, *one.logins)))
        merged[str(one.image)] = replace(known, logins=logins, missing=known.missing or one.missing)
    return merged


def _questions(groups: Iterable[DesiredGroup]) -> Iterable[_Question]:
    for group in groups:
        logins, missing = _logins(group)
        for image in dict.fromkeys(tagged(group).values()):
            try:
                reference = parse_image(image)
            except ValueError:
                continue  # `_answer` says what is wrong with it
            registry = reference.registry
            yield _Question(
                image=reference,
                logins=(logins[registry],) if registry in logins else (),
                missing=missing.get(registry, ""),
            )


def _logins(group: DesiredGroup) -> tuple[Mapping[str, Login], Mapping[str, str]]:
    """Who may ask each registry that the group names, and why nobody may, by registry."""
    holder = ("properties", "imageRegistryCredentials")
    passwords = {s.path[2]: s for s in group.secrets if s.path[:2] == holder and len(s.path) == 4}
    logins: dict[str, Login] = {}
    missing: dict[str, str] = {}
    for index, entry in enumerate(map(as_object, as_list(dig(group.body, *holder)))):
        registry = registry_of(as_text(entry.get("server")))
        username, password = as_text(entry.get("username")), passwords.get(index)
        if username and password is not None and password.value is not None:
            logins[registry] = Login(username, password.value)
        elif password is not None:
            missing[registry] = f"{password.name} has no value ({password.where})"
        elif entry.get("identity"):
            missing[registry] = f"the managed identity for '{registry}' cannot be used from here"
    return logins, missing

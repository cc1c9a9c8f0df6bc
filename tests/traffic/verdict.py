"""What the product made of a mutation, sorted into the one class it falls into."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.diff import ChangeKind, Diff
from reconciler.core.groups import LiveGroup
from reconciler.core.ownership import state_of
from reconciler.core.plan import Action, ActionKind
from reconciler.core.properties import Effect
from reconciler.manifest.wording import shown_path
from tests.traffic.expected import Change, Class, Expected, expected, is_write_only
from tests.traffic.harness import HOME_REGION, Loaded, load, planned, renamed
from tests.traffic.mutations import How, Mutation
from tests.traffic.recordings import Wire

ACTIONS = {
    None: ActionKind.NO_OP,
    Effect.TAGS: ActionKind.PATCH_TAGS,
    Effect.UPDATE: ActionKind.UPDATE,
    Effect.REPLACE: ActionKind.REPLACE,
}


class Unclassified(AssertionError):
    """It fits no class, or is told wrongly: nobody could act on it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of a mutation; `rules` are those that speak of its place."""

    what: Class
    changes: frozenset[Change]
    rules: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A group whose manifest is mutated, and what is live of it."""

    title: str
    body: Wire
    base: Loaded
    live: LiveGroup


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A mutation that came out otherwise than it must."""

    title: str
    mutation: Mutation
    wanted: Expected
    got: str

    def __str__(self) -> str:
        wanted = _line(self.wanted.what, self.wanted.changes, (self.wanted.rule,))
        return f"{self.title}: {self.mutation}\n    expected {wanted}\n    got      {self.got}"


def seen(given: Mutation, loaded: Loaded, subject: Subject) -> Seen:
    """The class that what came out belongs to.

    Raises:
        Unclassified: it belongs to none, or the parts do not fit together.
    """
    rules = _rules(given, loaded, subject.base)
    if loaded.errors:
        return Seen(what=Class.FINDING, changes=frozenset(), rules=loaded.errors)
    assert loaded.desired is not None and subject.base.desired is not None
    is_unknown = "M403" in {one.rule for one in loaded.warnings}
    live = renamed(subject.live, subject.base.desired, loaded.desired.id)
    action = planned(loaded.desired, live)
    _check_action(action, is_unknown=is_unknown)
    changes = frozenset(_changes(action.diff))
    if not changes and ("M403" in rules or (is_unknown and is_write_only(given.place))):
        if not any("not compared" in note for note in action.notes):
            raise Unclassified("a secret is unknown and the plan does not say so")
        return Seen(what=Class.UNKNOWN, changes=changes, rules=rules)
    if not changes:
        return Seen(what=Class.DROPPED if rules else Class.NO_OP, changes=changes, rules=rules)
    return Seen(what=_of_changes(changes), changes=changes, rules=rules)


def _rules(given: Mutation, loaded: Loaded, base: Loaded) -> frozenset[str]:
    """Warnings that are new, or that speak of this place or of what holds it."""
    here = shown_path(given.place)
    old = Counter((one.rule, one.path) for one in base.warnings)
    return frozenset(
        one.rule
        for one in loaded.warnings
        if one.rule != "M401"  # recordings hold secrets as they are
        and (here.startswith(one.path) if old[one.rule, one.path] else True)
    )


def _check_action(action: Action, *, is_unknown: bool) -> None:
    wanted = ACTIONS[action.diff.effect]
    if is_unknown and wanted not in (ActionKind.NO_OP, ActionKind.PATCH_TAGS):
        wanted = ActionKind.REFUSE  # a write would lose the secret nobody has said
    if action.kind is not wanted:
        raise Unclassified(f"{action.kind.value} ({action.why}), not {wanted.value}")


def _changes(found: Diff) -> Iterable[Change]:
    for one in found.changes:
        if one.sensitive and (one.before is not None or one.after is not None):
            raise Unclassified(f"{one.path} is sensitive and shows a value")
        if is_write_only(one.path) and not one.sensitive:
            raise Unclassified(f"{one.path} is a secret and not marked so")
        yield Change(path=one.path, kind=one.kind, effect=one.effect, sensitive=one.sensitive)


def _of_changes(changes: frozenset[Change]) -> Class:
    plain = [c for c in changes if not (c.path[0] == "(secrets)" or is_write_only(c.path))]
    if not plain:
        return Class.SECRET
    by_holder: dict[tuple[str, ...], set[ChangeKind]] = defaultdict(set)
    for change in plain:
        by_holder[change.path[:-1]].add(change.kind)
    swapped = {ChangeKind.ADDED, ChangeKind.REMOVED}
    kinds = {change.kind for change in plain}
    if kinds == swapped and all(found == swapped for found in by_holder.values()):
        return Class.ELEMENT
    for kind, what in (
        (ChangeKind.ADDED, Class.ADDED),
        (ChangeKind.CHANGED, Class.CHANGED),
        (ChangeKind.REMOVED, Class.REMOVED),
    ):
        if kind in kinds:
            return what
    raise Unclassified(str(kinds))


@dataclass(frozen=True, kw_only=True)
class Result:
    """All mutations of some subjects, counted by what was done and what came of it."""

    counts: Mapping[tuple[How, Class], int]
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        lines = [
            f"{how.value:>16}  {what.value:<40}{n:>6}" for (how, what), n in _sorted(self.counts)
        ]
        return "\n".join(lines)

    @property
    def line(self) -> str:
        """How many are right, and how many there are of each class."""
        total = sum(self.counts.values())
        classes: Counter[Class] = Counter()
        for (_, what), number in self.counts.items():
            classes[what] += number
        told = ", ".join(f"{classes[what]} {what.value}" for what in Class if classes[what])
        return f"{total - len(self.failures)} of {total} in their one class: {told}"


def _sorted(counts: Mapping[tuple[How, Class], int]) -> list[tuple[tuple[How, Class], int]]:
    hows, whats = list(How), list(Class)
    return sorted(counts.items(), key=lambda c: (hows.index(c[0][0]), whats.index(c[0][1])))


def judged(folder: Path, subjects: Mapping[str, tuple[Subject, Iterable[Mutation]]]) -> Result:
    """Every mutation from YAML text to the class it falls into, all in one project."""
    given = {
        f"{name}-{number}": (subject, mutation)
        for name, (subject, some) in subjects.items()
        for number, mutation in enumerate(some)
    }
    loaded = load(folder, {name: mutation.after for name, (_, mutation) in given.items()})
    counts: Counter[tuple[How, Class]] = Counter()
    failures: list[Failure] = []
    for name, (subject, mutation) in given.items():
        state = state_of(subject.live)
        is_merged = state is not None and state.secrets_merged
        wanted = expected(mutation, region=HOME_REGION, merged=is_merged)
        counts[mutation.how, wanted.what] += 1
        got = _mismatch(mutation, loaded[name], subject, wanted)
        if got:
            failures.append(Failure(title=subject.title, mutation=mutation, wanted=wanted, got=got))
    return Result(counts=counts, failures=tuple(failures))


def _mismatch(mutation: Mutation, loaded: Loaded, subject: Subject, wanted: Expected) -> str:
    """What came out where it is not what was wanted; empty where it is."""
    try:
        got = seen(mutation, loaded, subject)
    except Unclassified as exc:
        return str(exc)
    says_rule = not wanted.rule or wanted.rule in got.rules
    if got.what is wanted.what and got.changes == wanted.changes and says_rule:
        return ""
    return _line(got.what, got.changes, sorted(got.rules))


def _line(what: Class, changes: Iterable[Change], rules: Iterable[str]) -> str:
    told = sorted(
        f"{c.kind.value} {'/'.join(c.path)} {c.effect.name}{' sensitive' * c.sensitive}"
        for c in changes
    )
    return f"{what.value} {', '.join([*told, *filter(None, rules)])}".rstrip()

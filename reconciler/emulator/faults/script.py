"""Reading a script of faults: JSON in, rules out, and one clear word where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.emulator.faults.checks import (
    FaultsInvalid,
    Where,
    as_texts,
    check_members,
    expected,
    one_of,
)
from reconciler.emulator.faults.kinds import KINDS, Kind
from reconciler.emulator.faults.shape import SCRIPT, WHEN
from reconciler.emulator.faults.stages import NARROWER, STAGES
from reconciler.emulator.jsonval import Json, JsonObject, as_list, as_number, as_object, as_text

__all__ = ["Faults", "FaultsInvalid", "Rule", "When"]


_LONGEST = 10_000_000  # characters of a script


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which calls a rule is about, and which of those it hits; empty members ask for nothing."""

    stages: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    path: str = ""
    group: str = ""
    nth: frozenset[int] = frozenset()
    first: int | None = None
    after: int = 0
    probability: float = 1.0
    per_group: bool = False

    def hits(self, number: int) -> bool:
        """Whether it can be call `number` of those that the rule is about, from 1."""
        if self.nth:
            return number in self.nth
        return number > self.after and (self.first is None or number <= self.after + self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A fault and when it is played; `name` is what it is counted under."""

    name: str
    when: When
    kind: str
    options: JsonObject

    @property
    def spec(self) -> Kind:
        """The row of the table."""
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """A script: rules in order, the seed of their chances, and figures in place of the usual."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    limits: JsonObject = field(default_factory=dict)
    quotas: JsonObject = field(default_factory=dict)
    capabilities: JsonObject = field(default_factory=dict)
    registration: str = ""
    page_size: int | None = None

    @classmethod
    def parse(cls, value: Json, *, file: str = "faults") -> Faults:
        """The script that a JSON value is; a list stands for its rules.

        Raises:
            FaultsInvalid: it is none; the message says where, what was expected and what came.
        """
        where = Where(file)
        script: Json = {"faults": value} if isinstance(value, list) else value
        if not isinstance(script, dict):
            raise expected(where, "an object with 'faults', or a list of them", value)
        check_members(where, script, SCRIPT)
        rules = [
            _rule(Where(file, number), item)
            for number, item in enumerate(as_list(script.get("faults")), start=1)
        ]
        size = script.get("pageSize")
        return cls(
            rules=_named(where, rules),
            seed=int(as_number(script.get("seed"))),
            limits=as_object(script.get("limits")),
            quotas=as_object(script.get("quotas")),
            capabilities=as_object(script.get("capabilities")),
            registration=as_text(script.get("registration")),
            page_size=None if size is None else int(as_number(size)),
        )

    @classmethod
    def read(cls, path: Path) -> Faults:
        """The script in a file.

        Raises:
            FaultsInvalid: it cannot be read, or holds none.
        """
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(_LONGEST + 1)  # a device may have no end
        except (OSError, ValueError) as exc:
            says = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
            raise FaultsInvalid(f"{path}: cannot be read: {says.lower()}") from exc
        if len(text) > _LONGEST:
            raise FaultsInvalid(f"{path}: expected at most {_LONGEST} characters, got more")
        try:
            value = json.loads(text, object_pairs_hook=_once(str(path)), parse_constant=_refuse)
        except json.JSONDecodeError as exc:
            says = f"{path}:{exc.lineno}:{exc.colno}: expected JSON: {exc.msg.lower()}"
            raise FaultsInvalid(says) from exc
        except RecursionError as exc:
            raise FaultsInvalid(f"{path}: expected JSON of few levels, got too many") from exc
        except FaultsInvalid:
            raise
        except ValueError as exc:  # Python reads whole numbers of up to 4,300 digits
            raise FaultsInvalid(f"{path}: expected numbers of few digits: {exc}") from exc
        return cls.parse(value, file=str(path))


def _once(file: str) -> Callable[[list[tuple[str, Json]]], JsonObject]:
    def check(pairs: list[tuple[str, Json]]) -> JsonObject:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise FaultsInvalid(f'{file}: expected member "{name}" once, got it twice')
        return dict(pairs)

    return check


def _refuse(constant: str) -> Json:
    raise json.JSONDecodeError(f"{constant}, which JSON does not have", constant, 0)


def _rule(where: Where, value: Json) -> Rule:
    if not isinstance(value, dict):
        raise expected(where, "an object with 'when' and 'fault'", value)
    allowed: Mapping[str, JsonObject] = {"name": {"type": "string"}, "when": {}, "fault": {}}
    check_members(where, value, allowed, needs=("fault",))
    kind, options = _fault(where, value["fault"])
    when = _when(where, value.get("when", {}), KINDS[kind])
    return Rule(name=as_text(value.get("name")), when=when, kind=kind, options=options)


def _fault(where: Where, value: Json) -> tuple[str, JsonObject]:
    """A kind by its name alone, by its name with options, or a status."""
    if isinstance(value, str):
        value = {"kind": one_of(where.at("fault"), value, KINDS)}
    if not isinstance(value, dict):
        raise expected(where.at("fault"), "the name of a fault, or an object", value)
    default = "status" if "status" in value else None
    kind = value.get("kind", default)
    if kind is None:
        raise FaultsInvalid(f"{where.at('fault')}: expected 'kind' or 'status', got neither")
    name = one_of(where.at("kind"), kind, KINDS)
    options = {key: item for key, item in value.items() if key != "kind"}
    spec = KINDS[name]
    check_members(where, options, spec.options, needs=spec.needs)
    spans = [key for key in ("reads", "lists", "seconds") if key in options]
    if len(spans) > 1:
        raise FaultsInvalid(f"{where.at(spans[0])}: expected it without '{spans[1]}', got both")
    return name, options


def _when(where: Where, value: Json, kind: Kind) -> When:
    if not isinstance(value, dict):
        raise expected(where.at("when"), "an object", value)
    check_members(where, value, WHEN)
    if "nth" in value and (others := {"first", "after"} & value.keys()):
        raise FaultsInvalid(f"{where.at('nth')}: expected it without '{min(others)}', got both")
    chance, first = value.get("probability"), value.get("first")
    nth = value.get("nth", [])
    return When(
        stages=_stages(where, value, kind),
        methods=frozenset(text.upper() for text in as_texts(value.get("method"))),
        path=as_text(value.get("path")).lower(),
        group=as_text(value.get("group")).lower(),
        nth=frozenset(int(as_number(n)) for n in (nth if isinstance(nth, list) else [nth])),
        first=None if first is None else int(as_number(first)),
        after=int(as_number(value.get("after"))),
        probability=1.0 if chance is None else as_number(chance),
        per_group=value.get("per") == "group",
    )


def _stages(where: Where, value: JsonObject, kind: Kind) -> frozenset[str]:
    """The stages asked for, else the fault's own where it has some."""
    asked = [one_of(where.at("stage"), name, STAGES) for name in as_texts(value.get("stage"))]
    if kind.bound:
        found = [_own(where, name, kind) for name in asked]
        return frozenset(found or kind.stages)
    if asked or "method" in value or "path" in value:
        return frozenset(asked)
    return frozenset(kind.stages)


def _own(where: Where, asked: str, kind: Kind) -> str:
    """The stage of a bound fault that is meant by `asked`: the same, or the narrower of two."""
    if asked in kind.stages or NARROWER.get(asked) in kind.stages:
        return asked
    for own in kind.stages:
        if NARROWER.get(own) == asked:
            return own
    raise FaultsInvalid(
        f"{where.at('stage')}: expected {' or '.join(kind.stages)}, where this fault can be "
        f"played, got '{asked}'"
    )


def _named(where: Where, rules: list[Rule]) -> tuple[Rule, ...]:
    """Each with a name of its own: the given one, else its kind, with a number from the second."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.name in found:
            raise FaultsInvalid(f"{where}: expected each name once, got '{rule.name}' twice")
        if rule.name:
            found[rule.name] = rule
    names: list[str] = []
    for rule in rules:
        label = str(rule.options["status"]) if rule.kind == "status" else rule.kind
        name, number = rule.name or label, 1
        while not rule.name and (name in names or name in found):
            number += 1
            name = f"{label} {number}"
        names.append(name)
    return tuple(
        Rule(name=name, when=rule.when, kind=rule.kind, options=rule.options)
        for name, rule in zip(names, rules, strict=True)
    )

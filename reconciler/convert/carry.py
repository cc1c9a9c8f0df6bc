"""A group of another form into the data of a manifest, and the list of what was not carried.

No secret gets out of here: where Azure keeps one, a reference stands or `{unknown: true}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.convert.found import FoundGroup
from reconciler.convert.gaps import Blank, Gap, Open, Unresolved
from reconciler.convert.values import Value
from reconciler.convert.writing import manifest_text
from reconciler.core.finding import Finding
from reconciler.core.groups import DesiredGroup, Secret, SecretState, put_at
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_object, as_text
from reconciler.core.mask import HIDDEN, show
from reconciler.manifest.build import Context, Prepared, build
from reconciler.manifest.document import Document, Pair
from reconciler.manifest.lenient import repaired
from reconciler.manifest.pointers import canonical_path
from reconciler.manifest.project import Project
from reconciler.manifest.rendered import holds_suspicious
from reconciler.manifest.schemas import Kind
from reconciler.manifest.secrets import extracted
from reconciler.manifest.shape import Shape, shape_of
from reconciler.manifest.variables import escaped
from reconciler.manifest.wording import shown_path

_MOST_VALUES = 100_000
_UNKNOWN: JsonObject = {"unknown": True}
_SAY = "write where it is, such as {fromEnv: NAME}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The text of one manifest without any secret, and what did not get into it as it was."""

    name: str
    text: str
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]


def carried(group: FoundGroup) -> Carried:
    """One group as a manifest."""
    document, repairs = repaired(_document(group), Kind.GROUP)
    walk = _Walk(group, document)
    walk.gaps += [walk.of_finding(one) for one in repairs if one.is_error]
    data = walk.mapping(document.data, shape_of(Kind.GROUP), ())
    block = _block(data, group)
    if block:
        data["reconcile"] = block
    document = replace(document, data=data)
    references = walk.hide(document)
    walk.check(document)
    written = manifest_text(
        data,
        location=as_text(data.get("location")),
        reconcile=block,
        secrets=references,
        is_read=group.is_live,
        keeps_variables=True,
    )
    walk.check(replace(document, data=written.document))
    return Carried(
        name=as_text(data.get("name")),
        text=written.text,
        gaps=tuple(walk.gaps),
        notes=tuple(walk.notes),
    )


def _document(group: FoundGroup) -> Document:
    """The group as a document of its own, with the marks of where it stands."""
    source, root = group.source, group.root
    if not root:
        return replace(source, data=group.body, dates=frozenset())
    return replace(
        source,
        data=group.body,
        values=_below(source.values, root),
        keys=_below(source.keys, root),
        dates=frozenset(),
    )


def _below(pairs: Mapping[WirePath, Pair], root: WirePath) -> dict[WirePath, Pair]:
    depth = len(root)
    return {path[depth:]: pair for path, pair in pairs.items() if path[:depth] == root}


def _block(data: JsonObject, group: FoundGroup) -> JsonObject:
    """What a manifest says of itself: where it belongs, and what comes before it."""
    block: JsonObject = {}
    if group.resource_group:
        block["resourceGroup"] = group.resource_group
    if group.depends_on:
        block["dependsOn"] = list(group.depends_on)
    return {**block, **as_object(data.get("reconcile"))}


class _Walk:
    """Puts something in the place of every value that is not known."""

    def __init__(self, group: FoundGroup, document: Document) -> None:
        self.group = group
        self.document = document
        self.gaps: list[Gap] = []
        self.notes: list[str] = []
        self._left = _MOST_VALUES
        self._variables: dict[str, str] = {}  # by the text they stand for

    def mapping(self, value: Mapping[str, Value], shape: Shape, path: WirePath) -> JsonObject:
        result: JsonObject = {}
        for key, item in value.items():
            place = (*path, key)
            child = shape.children.get(key, shape.any)
            if child is None and shape.is_azure:
                if item is not None:
                    self._say(place, "left out: no such property is known", "", at_key=True)
                continue
            if place == ("location",) and isinstance(item, Unresolved):
                hint = item.hint or "set defaults.location in the project file"
                self._say(place, f"left out: {item.reason}", f"{hint}, or write it down")
                continue
            result[key] = self._value(item, child, place)
        return result

    def _value(self, value: Value, shape: Shape | None, path: WirePath) -> Json:
        self._left -= 1
        if isinstance(value, Unresolved):
            return self._unresolved(value, shape, path)
        if isinstance(value, Open):
            return self._open(value, shape, path)
        if self._left < 0:
            if self._left == -1:
                self._say(path, f"the group has more than {_MOST_VALUES} values", "")
            return None
        if isinstance(value, dict):
            return self.mapping(value, shape or Shape(is_azure=False), path)
        if isinstance(value, list):
            element = shape.any if shape is not None else None
            return [self._value(item, element, (*path, i)) for i, item in enumerate(value)]
        if isinstance(value, str) and self.group.is_literal:
            return self._literal(value, path)
        known: Json = value
        return known

    def _literal(self, text: str, path: WirePath) -> str:
        """A text that means itself, as a manifest writes it."""
        written = escaped(text)
        if written != text:
            place = f"{self.document.at(path)}: {shown_path(path)}"
            self.notes.append(f"{place}: '${{var:' is plain text there, and written as '$${{var:'")
        return written

    def _unresolved(self, value: Unresolved, shape: Shape | None, path: WirePath) -> Json:
        if shape is not None and shape.is_secret:
            if value.reference:
                leads = ", ".join(f"{key}: {_short(one)}" for key, one in value.reference.items())
                place = f"{self.document.at(path)}: {shown_path(path)}"
                self.notes.append(f"{place}: {value.reason}, and written as {{{leads}}}")
                return dict(value.reference)
            self._say(path, f"written as {{unknown: true}}: {value.reason}", _SAY)
            return dict(_UNKNOWN)
        name = self._variable(value.text or value.reason, path)
        shown = "" if value.is_secret else self._shown(value.text, path)
        says = f"{shown}{value.reason}"
        hint = f"write the value in the place of ${{var:{name}}}"
        if value.is_secret:
            hint += ", or make it a 'secureValue' with a reference"
        self._say(path, says, f"{value.hint}, or {hint}" if value.hint else hint)
        return f"${{var:{name}}}"

    def _shown(self, text: str, path: WirePath) -> str:
        """An expression, for people, unless it may hold a secret."""
        if not text:
            return ""
        shown = show(canonical_path(self.document.data, path), text, longest=120)
        return f"an expression {shown}: " if shown == HIDDEN else f"{text[:120]}: "

    def _open(self, value: Open, shape: Shape | None, path: WirePath) -> Json:
        names = [part.name for part in value.parts if isinstance(part, Blank)]
        if shape is not None and shape.is_secret:
            says = f"written as {{unknown: true}}: parameter '{names[0]}' has no value"
            self._say(path, says, _SAY)
            return dict(_UNKNOWN)
        for name in dict.fromkeys(names):
            says = f"parameter '{name}' has no value"
            self._say(
                path, says, f"convert with -p {name}=VALUE, or set the project's variable '{name}'"
            )
        return "".join(
            f"${{var:{part.name}}}" if isinstance(part, Blank) else escaped(part)
            for part in value.parts
        )

    def _variable(self, text: str, path: WirePath) -> str:
        """A name for what has to be filled in: that of the place, one for each text."""
        if text in self._variables:
            return self._variables[text]
        words = canonical_path(self.document.data, path)
        telling = [word for word in words if word != "value" and not word.isdecimal()]
        base = telling[-1] if telling else "value"
        base = "".join(char for char in base if char.isascii() and char.isalnum()) or "value"
        taken = set(self._variables.values())
        name, number = base, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        self._variables[text] = name
        return name

    def hide(self, document: Document) -> dict[WirePath, Json]:
        """Put `{unknown: true}` where a secret is written down, or was never given.

        What is returned stays as it is: references, by their places.
        """
        references: dict[WirePath, Json] = {}
        _, secrets, _ = extracted(document, None)
        for secret in secrets:
            if secret.source is not None:
                references[secret.path] = dict(secret.source)
                continue
            if secret.value is not None:
                says = "written as {unknown: true}: a secret is never copied"
                self._say(secret.path, says, _SAY)
            elif not self._is_told(secret):
                why = "Azure does not return it" if self.group.is_live else "no value is given"
                says = f"written as {{unknown: true}}: {why}"
                self._say(secret.path, says, _SAY)
            put_at(document.data, secret.path, dict(_UNKNOWN))
            if secret.path[-1] == "secret":  # a whole volume
                references[(*secret.path, "unknown")] = True
        return references

    def _is_told(self, secret: Secret) -> bool:
        path = shown_path(secret.path)
        return secret.state is SecretState.UNKNOWN and any(gap.path == path for gap in self.gaps)

    def check(self, document: Document) -> None:
        """List what `validate` will say against the manifest, so that nothing is a surprise."""
        here = Path()
        project = Project(root=here, file=None, owner="", cwd=here)
        context = Context(project=project, subscription="", around=None)
        built = build(Prepared(document=document, kind=Kind.GROUP, findings=()), context)
        told = {gap.path for gap in self.gaps}
        for one in built.findings:
            if one.is_error and one.path not in told and not _is_blank(one):
                self.gaps.append(self.of_finding(one))
        if isinstance(built.desired, DesiredGroup) and holds_suspicious(built.desired):
            says = "plain values that look like secrets are carried as they are"
            note = f"{document.at(('name',))}: {says}"
            self.notes += [] if note in self.notes else [note]

    def of_finding(self, found: Finding) -> Gap:
        return Gap(
            where=found.where,
            path=found.path,
            says=f"{found.rule} {found.says}",
            hint=f"try {found.hint}" if found.hint else "",
            group=self._name,
        )

    @property
    def _name(self) -> str:
        name = self.group.body.get("name")
        return name if isinstance(name, str) else ""

    def _say(self, path: WirePath, says: str, hint: str, *, at_key: bool = False) -> None:
        where = self.document.at_key(path) if at_key else self.document.at(path)
        self.gaps.append(
            Gap(where=where, path=shown_path(path), says=says, hint=hint, group=self._name)
        )


def _is_blank(found: Finding) -> bool:
    """Whether it says that a variable is not set: whoever left it open has said so."""
    return found.rule == "M501"


def _short(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {one}" for key, one in value.items()) + "}"
    return str(value)

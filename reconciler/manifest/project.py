"""The project file: who owns the groups, where they live, what a run may do."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.finding import Finding, Position, Severity, in_order
from reconciler.core.groups import Adopt, OnReplaceFailure, Replace
from reconciler.core.images import Images
from reconciler.core.jsonval import (
    JsonObject,
    WirePath,
    as_list,
    as_object,
    as_text,
    dig,
    text_map,
)
from reconciler.core.policy import Limits, Prune, duration_in
from reconciler.core.references import VaultReference
from reconciler.errors import UsageError
from reconciler.manifest.files import find_project_file, folder_of, read, shown, start_of
from reconciler.manifest.references import vault_reference
from reconciler.manifest.rules import finding, without_echoes
from reconciler.manifest.tags import merged_tags, tag_findings
from reconciler.manifest.wording import listed, quoted

if TYPE_CHECKING:
    from reconciler.manifest.document import Document

_LATER = ("hooks", "include")
_LIMITS = (
    "prune", "maxDeletes", "maxDeletePercent", "maxReplaces", "maxReplacePercent", "maxRestarts",
    "maxRestartPercent", "planValidFor",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the key lies that secrets are compared with: a variable, or a secret in a vault."""

    where: Position
    variable: str = ""
    reference: VaultReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project file as one environment sees it; without a file, what defaults say."""

    root: pathlib.Path  # the folder of the project file, or of the manifests where there is none
    file: pathlib.Path | None
    owner: str  # as in the tag: `owner` or `owner/environment`; empty without a project file
    name: str = ""  # the owner as written
    environment: str | None = None
    environments: tuple[str, ...] = ()
    cloud: str = "AzureCloud"
    subscription: str = ""
    tenant: str = ""
    resource_group: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    adopt: Adopt = Adopt.IDENTICAL
    replace: Replace = Replace.FORBID
    on_replace_failure: OnReplaceFailure = OnReplaceFailure.REPORT
    images: Images = Images.TAG
    protect: bool = False
    limits: Limits = field(default_factory=Limits)
    secret_key: KeySource | None = None
    lint: Mapping[str, Severity | None] = field(default_factory=dict)  # None: not heard
    known_resource_groups: tuple[str, ...] = ()  # all that defaults and environments name
    manifests: tuple[str, ...] = ()  # patterns; empty for every YAML file below the root
    patches: tuple[str, ...] = ()  # patterns of the environment
    all_patches: tuple[str, ...] = ()  # of every environment: these files are no manifests
    # `manifests/N`, `patches/N`, `subscription`, `tenant`
    where: Mapping[str, Position] = field(default_factory=dict, repr=False)
    cwd: pathlib.Path = field(default_factory=pathlib.Path.cwd, repr=False)


def open_project(
    paths: Sequence[pathlib.Path], *, cwd: pathlib.Path, environment: str | None
) -> tuple[Project | None, tuple[Finding, ...]]:
    """The project that the first path, or `cwd`, belongs to; None where its file has errors.

    Raises:
        UsageError: `environment` is not one of the project's.
    """
    here = pathlib.Path(os.path.normpath(pathlib.Path.cwd() / cwd))
    start = folder_of(pathlib.Path(os.path.normpath(here / paths[0])) if paths else here)
    file, second = find_project_file(start)
    if file is None:
        if environment is not None:
            raise UsageError(
                f"expected no environment, got {quoted(environment)}: there is no project file",
                hint="write aci-reconcile.yaml, or leave out -e",
            )
        return Project(root=start, file=None, owner="", cwd=here), ()
    if second is not None:
        says = f"expected one project file in a folder, got also {quoted(file.name)}"
        return None, (finding("M503", start_of(second, here), says, hint="removing one"),)
    return _read(file, here, environment)


def _read(
    file: pathlib.Path, cwd: pathlib.Path, environment: str | None
) -> tuple[Project | None, tuple[Finding, ...]]:
    from reconciler.manifest.source import parse

    raw = read(file, cwd)
    if isinstance(raw, Finding):
        return None, (raw,)
    documents, found = parse(
        shown(file, cwd), raw, noun="a project file with 'owner'", keys="'owner'"
    )
    findings = list(found)
    for extra in documents[1:]:
        findings.append(finding("M503", extra.at(()), "expected one document, got another"))
    if documents:
        reader = _Reader(file, cwd)
        data, problems = reader.check(documents[0])
        findings += problems
        if not any(f.is_error for f in findings):
            return reader.project(data, environment), in_order(findings)
    return None, in_order(findings)


class _Reader:
    """One project file that has been parsed."""

    def __init__(self, file: pathlib.Path, cwd: pathlib.Path) -> None:
        self.file = file
        self.cwd = cwd
        self.where: dict[WirePath, Position] = {}

    def check(self, document: Document) -> tuple[JsonObject, list[Finding]]:
        """What the file says, and all that is wrong with it."""
        from reconciler.manifest.lenient import repaired
        from reconciler.manifest.schemas import Kind, check
        from reconciler.manifest.variables import references

        findings = _not_yet(document)
        document = replace(document, data=_without_later(document.data))
        document, repairs = repaired(document, Kind.PROJECT)
        self.where = {path: document.at(path) for path in document.values}
        shape = check(document, Kind.PROJECT)
        return document.data, without_echoes(
            findings, repairs, references(document), shape, _meaning(document)
        )

    def project(self, data: JsonObject, environment: str | None) -> Project:
        from reconciler.manifest.lint.stated import stated_levels

        environments = as_object(data.get("environments"))
        if environment is not None and environment not in environments:
            known = listed(sorted(environments)) if environments else "none: the project has none"
            raise UsageError(
                f"expected an environment of {self.file.name}, got {quoted(environment)}",
                hint=f"known are {known}" if environments else "leave out -e",
            )
        chosen = as_object(environments.get(environment or ""))
        base: WirePath = ("environments", environment) if environment else ()
        name = as_text(data.get("owner"))
        settings = {**as_object(data.get("defaults")), **chosen}
        return replace(
            self._policies(data, chosen, base),
            name=name,
            owner=f"{name}/{environment}" if environment else name,
            environment=environment,
            environments=tuple(sorted(environments)),
            cloud=as_text(settings.get("cloud")) or "AzureCloud",
            subscription=as_text(settings.get("subscription")).lower(),
            tenant=as_text(settings.get("tenant")).lower(),
            resource_group=as_text(settings.get("resourceGroup")),
            location=as_text(settings.get("location")),
            tags=merged_tags(text_map(dig(data, "defaults", "tags")), text_map(chosen.get("tags"))),
            variables=_merged(data.get("variables"), chosen.get("variables")),
            protect=chosen.get("protect") is True,
            secret_key=self._secret_key(data, chosen, base),
            lint=stated_levels(data),
            known_resource_groups=_resource_groups(data),
            all_patches=_all_patches(data),
        )

    def _secret_key(self, data: JsonObject, chosen: JsonObject, base: WirePath) -> KeySource | None:
        origin, holder = (base, chosen) if "secretKey" in chosen else ((), data)
        if "secretKey" not in holder:
            return None
        node = as_object(holder["secretKey"])
        return KeySource(
            where=self.where[(*origin, "secretKey")],
            variable=as_text(node.get("fromEnv")),
            reference=vault_reference(node),
        )

    def _policies(self, data: JsonObject, chosen: JsonObject, base: WirePath) -> Project:
        """The project with what `policy` and `manifests` say."""
        general, special = as_object(data.get("policy")), as_object(chosen.get("policy"))
        policy = {**general, **special}
        places = {key: self.where[("policy", key)] for key in general if key in _LIMITS}
        places |= {key: self.where[(*base, "policy", key)] for key in special if key in _LIMITS}
        origin = base if "manifests" in chosen else ()
        patterns = as_list(chosen.get("manifests")) or as_list(data.get("manifests"))
        patches = as_list(chosen.get("patches"))
        return Project(
            root=self.file.parent,
            file=self.file,
            owner="",
            adopt=Adopt(policy.get("adopt", "identical")),
            replace=Replace(policy.get("replace", "forbid")),
            on_replace_failure=OnReplaceFailure(policy.get("onReplaceFailure", "report")),
            images=Images(policy.get("images", "tag")),
            limits=_limits(policy, places),
            manifests=tuple(as_text(pattern) for pattern in patterns),
            patches=tuple(as_text(pattern) for pattern in patches),
            where=self._places(origin, "manifests", patterns)
            | self._places(base, "patches", patches)
            | self._settings(chosen, base),
            cwd=self.cwd,
        )

    def _places(
        self, origin: WirePath, member: str, patterns: Sequence[object]
    ) -> dict[str, Position]:
        return {f"{member}/{i}": self.where[(*origin, member, i)] for i in range(len(patterns))}

    def _settings(self, chosen: JsonObject, base: WirePath) -> dict[str, Position]:
        """Where the environment, or else the defaults, say in which subscription they live."""
        found = {}
        for name in ("subscription", "tenant"):
            path = (*base, name) if name in chosen else ("defaults", name)
            if path in self.where:
                found[name] = self.where[path]
        return found


def _limits(policy: JsonObject, where: Mapping[str, Position]) -> Limits:
    def count(key: str, default: int) -> int:
        value = policy.get(key, default)
        return int(value) if isinstance(value, int | float) else default

    usual = Limits()
    return Limits(
        prune=Prune(policy.get("prune", "report")),
        max_deletes=count("maxDeletes", usual.max_deletes),
        max_delete_percent=count("maxDeletePercent", usual.max_delete_percent),
        max_replaces=count("maxReplaces", usual.max_replaces),
        max_replace_percent=_number(policy, "maxReplacePercent"),
        max_restarts=_number(policy, "maxRestarts"),
        max_restart_percent=_number(policy, "maxRestartPercent"),
        plan_valid=duration_in(as_text(policy.get("planValidFor")), usual.plan_valid),
        where=where,
    )


def _number(policy: JsonObject, key: str) -> int | None:
    value = policy.get(key)
    return int(value) if isinstance(value, int | float) else None


def _merged(general: object, special: object) -> Mapping[str, str]:
    """Two maps of strings, the second winning key by key."""
    first = text_map(general if isinstance(general, dict) else None)
    return {**first, **text_map(special if isinstance(special, dict) else None)}


def _resource_groups(data: JsonObject) -> tuple[str, ...]:
    named = [as_text(dig(data, "defaults", "resourceGroup"))]
    for settings in as_object(data.get("environments")).values():
        named.append(as_text(as_object(settings).get("resourceGroup")))
    by_folded: dict[str, str] = {}
    for name in filter(None, named):
        by_folded.setdefault(name.lower(), name)
    return tuple(by_folded.values())


def _all_patches(data: JsonObject) -> tuple[str, ...]:
    every = as_object(data.get("environments")).values()
    patterns = [p for one in every for p in as_list(as_object(one).get("patches"))]
    return tuple(dict.fromkeys(as_text(pattern) for pattern in patterns))


def _meaning(document: Document) -> Iterator[Finding]:
    """What the schema cannot say, of the defaults and of every environment."""
    from reconciler.manifest.lint.stated import level_findings
    from reconciler.manifest.semantics import region_findings

    general = text_map(dig(document.data, "defaults", "tags"))
    yield from tag_findings(document, ("defaults", "tags"))
    yield from region_findings(document, ("defaults", "location"))
    for name in as_object(document.data.get("environments")):
        yield from tag_findings(document, ("environments", name, "tags"), general)
        yield from region_findings(document, ("environments", name, "location"))
    yield from level_findings(document)


def _not_yet(document: Document) -> list[Finding]:
    """A finding for each key that a later version brings."""
    places: list[WirePath] = [(key,) for key in document.data if key in _LATER]
    for name, settings in as_object(document.data.get("environments")).items():
        places += [("environments", name, key) for key in as_object(settings) if key in _LATER]
    says = "expected a supported key, got {}: not supported yet"
    return [
        finding(
            "M207", document.at_key(path), says.format(quoted(str(path[-1]))), hint="removing it"
        )
        for path in places
    ]


def _without_later(data: JsonObject) -> JsonObject:
    result = {key: value for key, value in data.items() if key not in _LATER}
    environments = as_object(data.get("environments"))
    if environments:
        result["environments"] = {
            name: {k: v for k, v in settings.items() if k not in _LATER}
            if isinstance(settings, dict)
            else settings
            for name, settings in environments.items()
        }
    return result

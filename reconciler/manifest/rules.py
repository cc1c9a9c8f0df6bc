"""Every rule a manifest can break, by its stable id. M0 reading, M1 repaired with a warning,
M2 shape, M3 meaning, M4 secrets, M5 project and variables, M6 several together, M7 patches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.finding import Finding, Position, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its id never changes meaning, `summary` is true of manifests that keep it."""

    id: str
    severity: Severity
    summary: str


_ALL = (
    ("M001", _ERROR, "a file or folder that is named exists and can be read"),
    ("M002", _ERROR, "a file is UTF-8"),
    ("M003", _ERROR, "a file is YAML 1.2"),
    ("M004", _ERROR, "a key stands once in its mapping"),
    ("M005", _ERROR, "aliases are bounded and do not contain themselves"),
    ("M006", _ERROR, "tags stay within the YAML core schema"),
    ("M007", _ERROR, "a document is a mapping"),
    ("M008", _ERROR, "a file holds at least one document"),
    ("M009", _ERROR, "a key is a string"),
    ("M010", _ERROR, "nesting stays within 100 levels"),
    ("M011", _ERROR, "a document is a manifest"),
    ("M012", _ERROR, "a file that is named belongs to the project"),
    ("M013", _WARNING, "there are manifests where they are looked for"),
    ("M014", _ERROR, "a merge key '<<' merges mappings"),
    ("M015", _ERROR, "a document is a manifest, not another tool's form of one"),
    ("M101", _WARNING, "a key is spelled as Azure spells it"),
    ("M102", _WARNING, "a choice is spelled as Azure spells it"),
    ("M103", _WARNING, "a number or a boolean is not quoted"),
    ("M104", _WARNING, "what is absent is left out, not null"),
    ("M105", _WARNING, "the date in apiVersion is quoted"),
    ("M106", _WARNING, "what only Azure sets is left out"),
    ("M107", _WARNING, "an empty part of a newer API version is left out"),
    ("M108", _WARNING, "a value that Azure drops is left out"),
    ("M201", _ERROR, "a key is known"),
    ("M202", _ERROR, "a required key is present"),
    ("M203", _ERROR, "a value has the type that is due"),
    ("M204", _ERROR, "a value is one of those allowed"),
    ("M205", _ERROR, "a value lies in its range and keeps to its grammar"),
    ("M206", _ERROR, "a key is part of API version 2023-05-01"),
    ("M207", _ERROR, "a key is supported by this version of aci-reconcile"),
    ("M301", _ERROR, "names are unique in their list"),
    ("M302", _ERROR, "a mount names a volume of the group"),
    ("M303", _ERROR, "a volume has exactly one kind"),
    ("M304", _ERROR, "tags that aci-reconcile keeps for itself are not set"),
    ("M305", _ERROR, "a group has a resource group, a resource group a location"),
    ("M306", _ERROR, "a group can become healthy in the time it is given"),
    ("M401", _WARNING, "a secret is a reference, not written down"),
    ("M402", _WARNING, "a secret's reference can be followed"),
    ("M403", _WARNING, "a write-only value is given"),
    ("M404", _ERROR, "a secret's file lies inside the project or a --secrets-dir"),
    ("M405", _ERROR, "a value of a secret volume is base64"),
    ("M406", _WARNING, "the registry of an image tells what its tag points at"),
    ("M407", _ERROR, "a key that is referred to is one that opens what it is given for"),
    ("M501", _ERROR, "a variable is set"),
    ("M502", _ERROR, "a variable reference is '${var:NAME}' in a manifest"),
    ("M503", _ERROR, "a folder has one project file with one document"),
    ("M504", _ERROR, "a pattern of files is relative, stays inside and matches files"),
    ("M601", _ERROR, "one manifest declares a group"),
    ("M602", _ERROR, "dependsOn names another group of the project"),
    ("M603", _ERROR, "dependencies form no cycle"),
    ("M604", _ERROR, "ignore names a property that can be compared"),
    ("M605", _WARNING, "ignore names something that the manifest has"),
    ("M606", _ERROR, "a DNS label is asked for once in a region"),
    ("M701", _ERROR, "a patch names a group or resource group of the project, and changes it"),
    ("M702", _ERROR, "a patch alters or removes only what is there, and adds only what is not"),
    ("M703", _ERROR, "'$patch' stands where it means something"),
)

RULES: Mapping[str, Rule] = {
    name: Rule(id=name, severity=severity, summary=text) for name, severity, text in _ALL
}


def finding(rule: str, where: Position, says: str, *, path: str = "", hint: str = "") -> Finding:
    """A finding with the severity its rule has."""
    known = RULES[rule]
    return Finding(
        rule=rule,
        severity=known.severity,
        where=where,
        path=path,
        says=says,
        hint=hint,
        about=known.summary,
    )


def without_echoes(*stages: Iterable[Finding]) -> list[Finding]:
    """The findings of all stages, without those about a value that an earlier stage refused."""
    kept: list[Finding] = []
    refused: set[tuple[Position, str]] = set()
    for stage in stages:
        new = [found for found in stage if (found.where, found.path) not in refused]
        refused |= {(found.where, found.path) for found in new if found.is_error and found.path}
        kept += new
    return kept

"""What stands behind each rule, for `explain` and for docs/rules.md. Loaded only for them."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from reconciler.manifest.rules import RULES, Rule

_WIDTH = 86  # of what people read
_FAMILIES = {
    "M0": "Reading",
    "M1": "Repaired, with a warning",
    "M2": "Shape",
    "M3": "Meaning",
    "M4": "Secrets",
    "M5": "Project and variables",
    "M6": "Several manifests together",
    "M7": "Patches",
    "M8": "Advice",
    "M9": "Comments that silence a rule",
}
_HEAD = """\
# Rules

Made by `make rules` from the rules themselves. `aci-reconcile explain M801` prints one of them.

An **error** stops every command that needs the manifests (exit code 3), a **warning** does not. `validate` shows all
warnings; other commands leave out those of M8 and M9, and `plan` and `apply` say how many there are.

| to | on the command line | for good, in the project file | on one line of a manifest |
|---|---|---|---|
| make a warning an error | `validate -E M801` | `lint: {error: [M801]}` | |
| make an error a warning | `validate -W M307` | `lint: {warn: [M307]}` | |
| switch on what is off | `validate -W M821` | `lint: {warn: [M821]}` | |
| silence it | | `lint: {ignore: [M801]}` | `# aci-reconcile: ignore[M801] reason` |

A rule that is **always an error** can be neither demoted nor silenced: what breaks it cannot be read, or not be told
apart. A comment holds for its own line or, alone on a line, for the next line that says something; several ids are
separated by commas. It needs a reason (M901), and something to silence (M902).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Why there is a rule, and an example of each side: lines of YAML, each with its end, or words."""

    why: str
    wrong: str
    right: str


@cache
def guides() -> Mapping[str, Guide]:
    """The guide of every rule."""
    folder = resources.files("reconciler.manifest.lint") / "texts"
    found: dict[str, Guide] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            for name, texts in tomllib.loads(file.read_text(encoding="utf-8")).items():
                found[name] = Guide(**{key: text.removeprefix("\n") for key, text in texts.items()})
    return found


def weight_of(rule: Rule) -> str:
    """How much it weighs, in words."""
    if rule.is_firm:
        return "error, always"
    return f"off, else {rule.severity.value}" if rule.is_off else rule.severity.value


def told(rule: Rule) -> str:
    """A rule and its guide as text of several lines."""
    guide = guides()[rule.id]
    facts = (
        ("severity", weight_of(rule)),
        ("why", guide.why),
        ("wrong", guide.wrong),
        ("right", guide.right),
        ("link", rule.link),
    )
    lines = [f"{rule.id}: {rule.summary}"]
    for label, text in facts:
        lines_of = textwrap.wrap(text, _WIDTH) if label == "why" else text.splitlines()
        first, *rest = lines_of
        lines.append(f"  {label:<9} {first}")
        lines += [f"{'':12}{line}" for line in rest]
    return "\n".join(lines)


def page() -> str:
    """docs/rules.md."""
    parts = [_HEAD]
    for family, title in _FAMILIES.items():
        rules = [rule for rule in RULES.values() if rule.id.startswith(family)]
        rows = [
            f"| [{one.id}](#{one.id.lower()}) | {weight_of(one)} | {one.summary} |" for one in rules
        ]
        parts.append(
            "\n".join(
                [f"## {title}\n", "| id | severity | kept where |", "|---|---|---|", *rows, ""]
            )
        )
        parts += [_section(rule) for rule in rules]
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    guide = guides()[rule.id]
    lines = [
        f"### {rule.id}",
        "",
        f"**{rule.summary[0].upper()}{rule.summary[1:]}** ({weight_of(rule)}).",
        guide.why,
    ]
    if rule.link.startswith("https://"):
        lines.append(f"[Read on]({rule.link}).")
    for label, text in (("Wrong", guide.wrong), ("Right", guide.right)):
        if text.endswith("\n"):
            lines += ["", f"{label}:", "```yaml", text + "```"]
        else:
            lines += ["", f"{label}: `{text}`"]
    return "\n".join([*lines, ""])

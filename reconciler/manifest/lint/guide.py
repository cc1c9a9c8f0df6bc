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
_TEXTS = resources.files("reconciler.manifest.lint") / "texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """Why there is a rule, and an example of each side: whole lines of YAML, or words."""

    why: str
    wrong: str
    right: str


@cache
def guides() -> Mapping[str, Guide]:
    """The guide of every rule."""
    found: dict[str, Guide] = {}
    for file in sorted(_TEXTS.iterdir(), key=lambda one: one.name):
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
    parts = [(_TEXTS / "page.md").read_text(encoding="utf-8")]
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

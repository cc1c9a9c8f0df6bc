"""Write docs/reference: manifests and project files, commands, exit codes, from what is in force.

python docs/reference.py            writes them
python docs/reference.py --check    exits 1 when a committed page differs
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.cli.parser import parser
from reconciler.core.explain import explain
from reconciler.core.outcome import exit_code_of_all
from reconciler.errors import ExitCode

HERE = Path(__file__).parent
SCHEMAS = HERE.parent / "schemas"
MADE = "<!-- made by docs/reference.py: 'make reference' -->\n\n"
# Marked by people who carried runs out; what the code is for, and what to do next.
CODES = {
    ExitCode.DONE: ("done, or nothing to do", "every command", "nothing"),
    ExitCode.FAILED: (
        "failed: Azure, the network, a file of this machine, a bug",
        "every command; `doctor` where a check failed; `report` where a file could not be read",
        "read the error: it says what to do; `aci-reconcile doctor` looks at the usual causes",
    ),
    ExitCode.CHANGES: (
        "something is to be done",
        "`plan --detailed-exitcode`; `drift`, `diff` and `fmt --check` always; `convert` where"
        " something could not be carried",
        "apply; look at the drift; run `fmt`; look after what is listed",
    ),
    ExitCode.INVALID: ("manifests are invalid", "every command that reads them", "fix the YAML"),
    ExitCode.BLOCKED: (
        "blocked by a rail, a refusal, the preflight, a secret that cannot be had, or a no at the"
        " prompt; nothing was touched",
        "`plan`, `apply`, `destroy`, `adopt`, `start`, `stop`, `restart`",
        "consent by name, or change the request",
    ),
    ExitCode.STALE: (
        "a group moved since the plan, or the plan is not what was reviewed; nothing was written",
        "`apply`",
        "plan again",
    ),
    ExitCode.PARTIAL: (
        "partial: some actions failed or went stale, and something was written",
        "`apply`, `destroy`, `start`, `stop`, `restart`",
        "read the result, run again",
    ),
    ExitCode.UNHEALTHY: (
        "written, but not healthy, or not there in time; what depends on it was not started",
        "`apply`, `start`, `restart`, `status --until`",
        "look at the containers: `status NAME`, `logs NAME`",
    ),
    ExitCode.USAGE: ("the command line cannot be meant", "every command", "see `--help`"),
    ExitCode.INTERRUPTED: (
        "interrupted by Ctrl-C or a signal",
        "every command",
        "the result says what was in flight; run again",
    ),
}


# Manifests and project files

# What says which group a document is about; the table's facts are of what Azure answers.
_HEAD = (("type",), ("apiVersion",), ("name",))

Place = tuple[str, ...]


def manifest() -> str:
    """The page of manifests: Azure's part from schema and property table, ours from the schema."""
    whole = json.loads((SCHEMAS / "manifest.schema.json").read_text("utf-8"))
    group = whole["$defs"]["containerGroup"]
    home = whole["$defs"]["resourceGroup"]
    return (
        f"{MADE}# Manifests: every property\n\n"
        "Azure's vocabulary, as `az container create --file` takes it. `*` stands for each element"
        " of a list; in `ignore` and in plans its name stands there instead. *In place* says what a"
        " change costs: whether the group is written and restarts, or is deleted and made anew."
        " `aci-reconcile explain PATH` tells one of them in the terminal.\n\n"
        f"## A container group\n\n{_pages(whole, group)}"
        "## A resource group\n\n`type: Microsoft.Resources/resourceGroups`\n\n"
        f"{_pages(whole, home, is_azure=False)}"
    )


def project() -> str:
    """The page of project files."""
    whole = json.loads((SCHEMAS / "project.schema.json").read_text("utf-8"))
    return (
        f"{MADE}# The project file: every member\n\n"
        "`aci-reconcile.yaml` makes a folder a project. `NAME` stands for a name of your own.\n\n"
        f"## Members\n\n{_pages(whole, whole, is_azure=False)}"
    )


def _pages(whole: Mapping[str, Any], root: Mapping[str, Any], *, is_azure: bool = True) -> str:
    sections: dict[Place, list[str]] = {}
    for path, node, is_required in _members(whole, root, ()):
        owner = path[:-1]
        facts = _facts(path) if is_azure and path[0] != "reconcile" else {}
        sections.setdefault(owner, []).append(
            _entry(path[-1], node, facts, is_required=is_required)
        )
    text = ""
    for owner, entries in sections.items():
        text += f"### {_title(owner)}\n\n" if owner else ""
        text += "".join(entries) + "\n"
    return text


def _title(path: Place) -> str:
    return f"`{'/'.join(path)}`"


def _members(
    whole: Mapping[str, Any], node: Mapping[str, Any], path: Place
) -> Iterator[tuple[Place, Mapping[str, Any], bool]]:
    """Every member below `node`, breadth first within an object, with what its schema says."""
    required = node.get("required", ())
    below = []
    for name, item in node.get("properties", {}).items():
        found = _resolved(whole, item)
        yield (*path, name), found, name in required
        below.append(((*path, name), found))
    extra = node.get("additionalProperties")
    if isinstance(extra, dict) and _resolved(whole, extra).get("properties"):
        below.append(((*path, "NAME"), _resolved(whole, extra)))
    for place, found in below:
        inner = _resolved(whole, found["items"]) if "items" in found else found
        yield from _members(whole, inner, (*place, "*") if "items" in found else place)


def _resolved(whole: Mapping[str, Any], node: Any) -> Mapping[str, Any]:
    """The node that a reference leads to, under what stands beside the reference."""
    found: dict[str, Any] = dict(node) if isinstance(node, dict) else {}
    while "$ref" in found:
        target: Any = whole
        for part in found.pop("$ref").removeprefix("#/").split("/"):
            target = target[part]
        found = {**target, **found}
    return found


def _facts(path: Place) -> dict[str, str]:
    known = explain("/".join(path))
    if path in _HEAD or known is None or known.path != path:
        return {}
    return {label: text for label, text in known.facts if text not in ("none", "read-write")}


def _entry(name: str, node: Mapping[str, Any], facts: dict[str, str], *, is_required: bool) -> str:
    kind = _kind(node)
    head = f"`{name}` {kind}{', **required**' if is_required else ''}"
    lines = [f"- {head}: {_plain(node.get('description', ''))}".rstrip(": ")]
    default = facts.pop("default", "") or (json.dumps(node["default"]) if "default" in node else "")
    if default:
        lines.append(f"  - default: {_plain(default)}")
    lines += [f"  - {label}: {_plain(text)}" for label, text in facts.items() if text]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text as Markdown that says no more than the text."""
    for mark in ("\\", "*", "<", "_", "[", "`", "$"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _kind(node: Mapping[str, Any]) -> str:
    if "enum" in node:
        return "one of " + ", ".join(f"`{one}`" for one in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    kind = node.get("type")
    if kind == "array":
        return "list"
    if isinstance(kind, list):
        return " or ".join(_WORDS.get(one, one) for one in kind)
    if kind is None and (node.get("anyOf") or node.get("oneOf")):
        kinds = [
            _kind(one) for one in (node.get("anyOf") or node.get("oneOf")) if "$ref" not in one
        ]
        return " or ".join(dict.fromkeys(kinds)) or "value"
    return _WORDS.get(kind or "", kind or "value")


_WORDS = {"object": "mapping", "string": "text", "integer": "whole number", "null": "nothing"}


# Commands


def commands() -> str:
    """The page of commands, as their own help says it."""
    top = parser()
    (subs,) = [one for one in top._actions if isinstance(one, argparse._SubParsersAction)]
    helps = {one.dest: one.help or "" for one in subs._choices_actions}
    text = f"{MADE}# Commands\n\n| command | what it does |\n|---|---|\n"
    text += "".join(f"| [`{name}`](#{name}) | {_cell(helps[name])} |\n" for name in subs.choices)
    for name, command in subs.choices.items():
        text += f"\n## {name}\n\n```text\n{_help(command)}```\n"
    return text + (
        "\nWhat each exit code means: [exit codes](exit-codes.md). Formats of `-o`:"
        " [outputs](../outputs.md).\n"
    )


def _help(command: argparse.ArgumentParser) -> str:
    command.formatter_class = _Formatter
    return command.format_help().strip() + "\n"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The same on every terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=98, max_help_position=30)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# Exit codes


def exit_codes() -> str:
    """The page of exit codes."""
    text = f"{MADE}# Exit codes\n\n"
    text += "One meaning each, for every command; scripts may rely on them.\n\n"
    text += "| code | means | where | what next |\n|---|---|---|---|\n"
    for code in ExitCode:
        means, where, then = CODES[code]
        text += f"| {code.value} | {_cell(means)} | {where} | {then} |\n"
    return text + (
        "\nWhere one run is for several environments, one code stands for all: the first of"
        f" {_order()} that one of them ended with.\n"
    )


def _order() -> str:
    """The codes in the order in which they stand for several runs."""
    left, found = set(ExitCode), []
    while left:
        found.append(exit_code_of_all(left))
        left.remove(found[-1])
    return ", ".join(str(code.value) for code in found)


PAGES = {
    "manifest.md": manifest,
    "project.md": project,
    "commands.md": commands,
    "exit-codes.md": exit_codes,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with `--check`."""
    stale = 0
    for name, made in PAGES.items():
        page = HERE / "reference" / name
        if "--check" not in arguments:
            page.parent.mkdir(exist_ok=True)
            page.write_text(made(), encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != made():
            print(f"{page}: expected what the generator makes; run 'make reference'")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

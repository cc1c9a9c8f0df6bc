"""A report as SARIF 2.1.0: findings, refusals, limits, failures and drift on manifest lines.

For code scanning. What no manifest stands for lies on the first line of the project file, as a
result without a place is refused there. GitHub stores 5,000 results of a run (docs.github.com,
"SARIF results exceed one or more limits"); a file is kept within that, and says what it left out.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from reconciler import __version__
from reconciler.core.finding import Position
from reconciler.core.jsonval import Json, JsonObject
from reconciler.errors import ExitCode
from reconciler.report.as_json import sound
from reconciler.report.lines import safe
from reconciler.report.sarif_results import LEVELS, Result, Rule, results_of, rule_of
from reconciler.report.shape import Report
from reconciler.report.words import unstarted, web_link

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"  # as GitHub and the viewers call it
MOST = 5_000  # results
MOST_RELATED = 10  # further places of a result
_LONGEST = 1_000  # characters of a message
_FAILED = (ExitCode.FAILED, ExitCode.PARTIAL, ExitCode.USAGE, ExitCode.INTERRUPTED)
_DRIVE = re.compile(r"[A-Za-z]:/")


def as_sarif(report: Report) -> str:
    """The report as a SARIF log of one run, indented JSON that ends in one newline."""
    every = sorted(results_of(report), key=lambda one: LEVELS.index(one.level))
    shown = every[:MOST]
    rules = {one.rule: rule_of(one) for one in sorted(shown, key=lambda one: one.rule)}
    place = "".join(f"{part}/" for part in (report.command, report.environment) if part)
    run: JsonObject = {
        "tool": {
            "driver": {
                "name": "aci-reconcile",
                "version": __version__,
                "rules": [_rule(rule, about) for rule, about in rules.items()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "Where the command ran."}}},
        # The slash at the end makes all of it the category: environments do not displace another.
        "automationDetails": {"id": f"aci-reconcile/{place}"},
        "invocations": [_invocation(report, every[MOST:])],
        "results": list(_results(shown, list(rules))),
    }
    log: JsonObject = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(sound(log), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _rule(rule: str, about: Rule) -> JsonObject:
    return {
        "id": rule,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.title},
        "help": {"text": about.help},
        **({"helpUri": link} if (link := web_link(about.link)) else {}),
        "properties": {"tags": [about.tag]},
    }


def _invocation(report: Report, dropped: Sequence[Result]) -> JsonObject:
    """How the run ended, and all that has no place in a file."""
    told: list[Json] = [_notification("note", note) for note in report.notes]
    if (failure := report.failure) is not None:
        says = f"{failure.says}; {failure.hint}" if failure.hint else failure.says
        told.append(_notification("error", "\n".join((says, *failure.details))))
    if dropped:
        counts = Counter(one.level for one in dropped)
        kinds = " and ".join(
            f"{counts[level]} of level {level}" for level in LEVELS if counts[level]
        )
        says = f"{len(dropped)} results were left out, the least severe first: {kinds}"
        told.insert(0, _notification("warning", says))
    if report.drift is not None:
        fail_on = {*report.drift.fail_on}
        for untold in report.drift.untold:
            told.append(
                _notification("error" if untold.concerns & fail_on else "warning", untold.says)
            )
    if report.is_interrupted:
        says = "no outcome, it may be under way in Azure"
        told += [_notification("error", f"{one.target}: {says}") for one in unstarted(report)]
    return {
        "executionSuccessful": report.failure is None and report.exit_code not in _FAILED,
        "exitCode": int(report.exit_code),
        "exitCodeDescription": report.exit_code.name.lower(),
        "toolExecutionNotifications": told,
    }


def _notification(level: str, says: str) -> JsonObject:
    return {"level": level, "message": _message(says)}


def _results(shown: Sequence[Result], rules: list[str]) -> Iterator[JsonObject]:
    seen: Counter[str] = Counter()
    index = {rule: number for number, rule in enumerate(rules)}
    for one in shown:
        same = "\n".join((one.rule, *one.same)).encode("utf-8", "replace")
        digest = hashlib.sha256(same).hexdigest()
        seen[digest] += 1  # what is found twice in a file is told apart by its order
        result: JsonObject = {
            "ruleId": one.rule,
            "ruleIndex": index[one.rule],
            "level": one.level,
            "message": _message(one.says or one.rule),
            "locations": [_location(one)],
            "partialFingerprints": {"aciReconcile/v1": f"{digest}:{seen[digest]}"},
        }
        if one.related:
            result["relatedLocations"] = [
                {"id": number, **_physical(where), "message": _message(says)}
                for number, (where, says) in enumerate(one.related[:MOST_RELATED], start=1)
            ]
        yield result


def _location(one: Result) -> JsonObject:
    location = _physical(one.where)
    if one.group:
        location["logicalLocations"] = [{"name": safe(one.group), "kind": "resource"}]
    return location


def _physical(where: Position) -> JsonObject:
    mark = where.mark
    region: JsonObject = {"startLine": max(1, mark.line), "startColumn": max(1, mark.column)}
    return {"physicalLocation": {"artifactLocation": _artifact(where.file), "region": region}}


def _artifact(file: str) -> JsonObject:
    """Relative to the folder of the run, or absolute where the file lies on another path."""
    path = posixpath.normpath(file.replace("\\", "/"))
    if path.startswith("/") or _DRIVE.match(path):
        return {"uri": "file:///" + _quoted(path.lstrip("/"))}
    return {"uri": _quoted(path), "uriBaseId": _ROOT}


def _quoted(path: str) -> str:
    try:
        return quote(path, safe="/", errors="surrogateescape")  # the bytes of the file system
    except UnicodeEncodeError:
        return quote(path, safe="/", errors="replace")


def _message(text: str) -> JsonObject:
    """One line of plain text; `](` would make a link of what somebody named a group."""
    text = safe(text).replace("](", "] (")
    return {"text": text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"}

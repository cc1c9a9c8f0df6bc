"""How much findings weigh by the command line, and rules told in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.cli.options import Options
from reconciler.core.finding import Severity
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.manifest.lint.severities import Levels

_ID = re.compile(r"m[0-9]{3}\Z", re.IGNORECASE)


def levels_of(options: Options) -> Levels:
    """The severities that -W and -E ask for.

    Raises:
        UsageError: a rule is unknown, cannot be a warning, or is asked for at both levels.
    """
    from reconciler.manifest.lint.severities import problem_of

    for flag, rules, level in (
        ("-W", options.warn, Severity.WARNING),
        ("-E", options.error, Severity.ERROR),
    ):
        for rule in rules:
            if problem := problem_of(rule, level):
                raise UsageError(f"{flag} {rule}: {problem}", hint="docs/rules.md lists all")
    if both := sorted({*options.warn} & {*options.error}):
        raise UsageError(f"-W and -E both name {both[0]}", hint="drop one of them")
    return {
        **dict.fromkeys(options.warn, Severity.WARNING),
        **dict.fromkeys(options.error, Severity.ERROR),
    }


def is_rule(text: str) -> bool:
    """Whether a text is the id of a rule, known or not."""
    return _ID.match(text) is not None


def rule_in_words(text: str) -> str:
    """All that is known of a rule.

    Raises:
        UsageError: there is no such rule.
    """
    from reconciler.manifest.lint.guide import told
    from reconciler.manifest.lint.severities import problem_of
    from reconciler.manifest.rules import RULES

    rule = RULES.get(text.upper())
    if rule is None:
        raise UsageError(problem_of(text.upper(), None), hint="docs/rules.md lists all")
    return told(rule)

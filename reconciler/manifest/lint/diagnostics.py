"""Logs and extensions (azure-facts B.3, G32, G45)."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.finding import Finding
from reconciler.core.jsonval import as_list
from reconciler.manifest.lint.view import Group, GroupRule
from reconciler.manifest.wording import quoted


def metadata(group: Group) -> Iterator[Finding]:
    """M325: `LogAnalyticsMetadataNotAllowed`, for an empty one too."""
    analytics = group.inside.part("diagnostics", "logAnalytics")
    kind = analytics.text("logType")
    if analytics.data.get("metadata") is not None and kind != "ContainerInsights":
        got = quoted(kind) if kind else "none"
        says = f"expected 'logType: ContainerInsights' beside 'metadata', got {got}"
        yield group.say("M325", analytics.at("metadata"), says, "removing 'metadata'")


def extensions(group: Group) -> Iterator[Finding]:
    """M820: extensions are how virtual nodes of Kubernetes work."""
    if as_list(group.inside.data.get("extensions")):
        says = "expected no extension outside virtual nodes of Kubernetes, got one"
        yield group.say("M820", group.inside.at("extensions"), says, "removing it")


RULES: tuple[GroupRule, ...] = (metadata, extensions)

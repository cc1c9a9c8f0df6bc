"""What only all groups together can break (azure-facts F.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from reconciler.core.finding import Finding
from reconciler.manifest.document import Document
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import quoted

_MOST = 100  # groups of a subscription in a region, before anybody asks for more


def crowded(groups: Iterable[tuple[Document, str]]) -> Iterator[Finding]:
    """M823, once for each region: at the first group that is too many. Each with its location."""
    counts: Counter[str] = Counter()
    for document, location in groups:
        region = "".join(location.split()).lower()
        counts[region] += 1
        if region and counts[region] == _MOST + 1:
            says = f"expected at most {_MOST} groups in {quoted(location)}, got more"
            yield finding("M823", document.at(("name",)), says, path="name")

"""What a document declares: a container group or a resource group."""

from __future__ import annotations

from reconciler.core.finding import Finding
from reconciler.core.ids import GROUP_TYPE, RESOURCE_GROUP_TYPE
from reconciler.manifest.document import Document
from reconciler.manifest.rules import finding
from reconciler.manifest.schemas import Kind
from reconciler.manifest.wording import described, listed, near, quoted


def kind_of(document: Document) -> tuple[Kind | None, list[Finding]]:
    """What a document is checked as; a document that declares nothing of ours gets one finding."""
    folded = {key.lower(): key for key in document.data}
    key = folded.get("type", "")
    stated = document.data.get(key) if key else None
    if isinstance(stated, str):
        for known, kind in (
            (GROUP_TYPE, Kind.GROUP),
            (RESOURCE_GROUP_TYPE, Kind.RESOURCE_GROUP),
        ):
            if stated.lower() == known.lower():
                document.data[key] = known
                says = f"expected {quoted(known)}, got {quoted(stated)}"
                warning = finding("M102", document.at((key,)), says, path="type")
                return kind, [warning] if stated != known else []
        guess = near(stated, (GROUP_TYPE, RESOURCE_GROUP_TYPE))
        says = f"expected {listed((GROUP_TYPE, RESOURCE_GROUP_TYPE))}, got {quoted(stated)}"
        says += f": did you mean {quoted(guess)}?" if guess else ""
        return None, [finding("M011", document.at((key,)), says, path="type")]
    if stated is not None:
        says = f"expected {listed((GROUP_TYPE, RESOURCE_GROUP_TYPE))}, got {described(stated)}"
        return None, [finding("M011", document.at((key,)), says, path="type")]
    if "properties" in folded or "name" in folded:
        return Kind.GROUP, []
    says = "expected a manifest with 'name' and 'properties', got a mapping with neither"
    return None, [finding("M011", document.at(()), says)]

"""A manifest in its file brought to a live group, and proof that it then equals it."""

from __future__ import annotations

from reconciler.convert.accepting import accepted
from reconciler.convert.export import restated
from reconciler.convert.rewriting import NotRewritten, Target, rewritten
from reconciler.core.diff import diff
from reconciler.core.groups import DesiredGroup, LiveGroup, with_location
from reconciler.core.jsonval import pointer
from reconciler.manifest.build import Built, Context, build, prepared
from reconciler.manifest.lint.severities import Severities
from reconciler.manifest.project import Project
from reconciler.manifest.source import parse

__all__ = ["NotRewritten", "updated"]


def updated(live: LiveGroup, desired: DesiredGroup, project: Project, *, text: str) -> str:
    """The text of a file of manifests, of which `desired` says what is live.

    Line ends and a byte order mark stay as they are.

    Raises:
        NotRewritten: it would not come to that, as when a patch or the project says otherwise.
    """
    if desired.files:
        names = ", ".join(sorted(set(desired.files.values())))
        raise NotRewritten(f"patches change it: {names}")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    ends_in = "\r\n" if "\r\n" in text else "\n"
    text = text.removeprefix(mark).replace("\r\n", "\n")
    index = _index_of(text, desired)
    there = {key.lower() for key in live.tags}
    target = Target(
        text=text, index=index, variables=project.variables, ignored=desired.policy.ignore
    )
    gone = frozenset(key.lower() for key in desired.tags) - there
    after = rewritten(target, restated(live, desired), drop_tags=gone)
    found = _built(after, index, live, project)
    if any(one.is_error for one in found.findings):
        after = "\n".join(accepted(after.split("\n"), found.findings))
        found = _built(after, index, live, project)
    _prove(found, live)
    return mark + after.replace("\n", ends_in)


def _index_of(text: str, desired: DesiredGroup) -> int:
    documents, _ = parse(desired.where.file, text.encode())
    names = [document.data.get("name") for document in documents]
    at = [i for i, one in enumerate(documents) if one.at(("name",)) == desired.where]
    if not at:  # an update above it in the same file moved it
        at = [i for i, name in enumerate(names) if name == desired.id.name]
    if len(at) != 1:
        raise NotRewritten(f"the file holds {len(at)} manifests of that name")
    return at[0]


def _built(text: str, index: int, live: LiveGroup, project: Project) -> Built:
    """One manifest of a file, by the rules as they are where no project sets them."""
    documents, _ = parse("", text.encode())
    severities = Severities()
    severities.listen("", text.encode())
    around = Context(
        project=project, subscription=live.id.subscription, around=None, severities=severities
    )
    return build(prepared(documents[index]), around)


def _prove(found: Built, live: LiveGroup) -> None:
    desired = found.desired
    if not isinstance(desired, DesiredGroup):
        raise NotRewritten("what is live is no valid manifest")
    left = diff(with_location(desired, live.location), live).changes
    if left:
        names = ", ".join(pointer(change.path) for change in left[:3])
        raise NotRewritten(f"it would still differ in {names}")

"""What recorded pull events tell of the image that runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from reconciler.core.groups import live_group
from reconciler.core.images import pulled_digest
from tests.traffic.recordings import GROUPS, needs_recordings


@needs_recordings
def test_every_digest_that_azure_wrote_into_a_pull_event_is_read(
    tell: Callable[[str], None],
) -> None:
    counts: Counter[str] = Counter()
    for recorded in GROUPS:
        events = [event for view in live_group(recorded["get"]).containers for event in view.events]
        for message in (event.message for event in events if event.name == "Pulled"):
            digest = pulled_digest(message)
            assert bool(digest) == ("@sha256:" in message), message
            counts["by digest" if digest else "as given"] += 1
    tell(f"pull events: {dict(counts)}")
    assert counts["by digest"] > counts["as given"] > 0

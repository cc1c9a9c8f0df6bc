"""The runner of all points, and what `make soak` prints: how many points and cells, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.soak.processes import Runner, started


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """One for all points of a module."""
    with started() as one:
        yield one


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was played, whether it passed or not, as counts."""
    passed: Counter[tuple[str, str]] = Counter()
    every: Counter[tuple[str, str]] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if not isinstance(report, pytest.TestReport) or report.when != "call":
                continue
            for name, value in report.user_properties:
                if name.startswith("soak "):
                    key = (name.removeprefix("soak "), str(value))
                    every[key] += 1
                    passed[key] += report.passed
    if every:
        terminalreporter.section("soak")
    for key in sorted(every):
        kind, what = key
        terminalreporter.write_line(f"{kind:<8} {passed[key]:>4} of {every[key]:>4}  {what}")

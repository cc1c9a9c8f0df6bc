"""The page: whole by itself, harmless whatever is in it, and fit to be read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.binding import AsOf
from reconciler.core.plan import ActionKind, Rail
from reconciler.report.as_html import as_html
from reconciler.report.html_assets import DARK, LIGHT, SCRIPT, STYLE
from reconciler.report.html_markup import anchor
from tests.report.samples import PLANTED, SUBSCRIPTION, group_id, reports

SAMPLES = reports()
HOSTILE = (
    "</summary><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
)
VOID = {"meta", "input", "wbr", "br"}
LEAST_CONTRAST = 4.5  # of text, WCAG 2 level AA


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts but for script and style.

    Every element must be closed in its turn.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside: list[str] = []
        self.feed(text)
        self.close()
        assert self._inside == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def shape(self) -> list[str]:
        return [tag for tag, _ in self.tags]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))

    def named(self, attribute: str) -> list[str]:
        return [str(a[attribute]) for _, a in self.tags if attribute in a]

    def cards(self) -> list[tuple[str, bool]]:
        """The address of each block, and whether it is open."""
        found = (a for tag, a in self.tags if tag == "details" and "data-kinds" in a)
        return [(str(a["id"]), "open" in a) for a in found]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_asks_for_nothing_and_holds_no_secret(name: str) -> None:
    text = as_html(SAMPLES[name])
    page = Page(text)

    assert text == as_html(SAMPLES[name])
    assert PLANTED not in text
    assert {"src", "srcset", "action", "style", "data", "poster"}.isdisjoint(
        name for _, attrs in page.tags for name in attrs
    )
    assert all(link.startswith("#") for link in page.named("href"))
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(page.shape)
    assert page.shape.count("script") == page.shape.count("style") == 1
    assert not re.search(r"url\(|@import|@font-face", STYLE)
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]


def test_the_policy_lets_nothing_run_but_the_script() -> None:
    page = Page(as_html(SAMPLES["plan"]))

    policy = next(a for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy["content"]).split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert all(re.fullmatch(r"'sha256-[\w+/]+='", rules[f"{n}-src"]) for n in ("script", "style"))
    assert not re.search(r"innerHTML|outerHTML|document\.write|eval|insertAdjacentHTML", SCRIPT)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_is_one_document_that_a_screen_reader_finds_its_way_in(name: str) -> None:
    text = as_html(SAMPLES[name])
    page = Page(text)

    assert text.startswith("<!doctype html>\n")
    assert text.count("<html") == text.count("</html>") == page.shape.count("main") == 1
    assert next(attrs for tag, attrs in page.tags if tag == "html")["lang"] == "en"
    assert page.shape.count("title") == page.shape.count("h1") == 1
    levels = [int(tag[1]) for tag in page.shape if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    ids = page.named("id")
    assert len({*ids}) == len(ids)
    assert {*page.named("aria-labelledby"), *page.named("for")} <= {*ids}
    assert {link[1:] for link in page.named("href")} <= {*ids}
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")


@given(text=st.text(max_size=30) | st.just(HOSTILE))
def test_no_text_becomes_markup(text: str) -> None:
    plain, odd = (_saying(one) for one in ("plain", text or "x"))

    assert Page(as_html(odd)).shape == Page(as_html(plain)).shape


def _saying(one: str):
    """A report that says a text wherever a report can."""
    report = SAMPLES["plan-blocked"]
    fields = [replace(field, before=one, after=one) for field in report.actions[1].fields]
    return replace(
        report,
        environment=one,
        rails=(Rail(rule=one, says=one, allow=one),),
        notes=(one,),
        actions=tuple(
            replace(a, why=one, costs=(one,), notes=(one,), allow=one, file=one, fields=(*fields,))
            for a in report.actions
        ),
    )


def test_all_of_a_plan_is_on_its_page() -> None:
    report = SAMPLES["plan"]
    words = Page(as_html(report)).words

    for action in report.actions:
        assert str(action.target) in words
        assert action.why in words
        for field in action.fields:
            assert field.pointer in words


def test_what_destroys_comes_first_and_is_open() -> None:
    kinds = {anchor(one.target): one.kind for one in SAMPLES["plan"].actions}
    cards = [(kinds[name], is_open) for name, is_open in Page(as_html(SAMPLES["plan"])).cards()]

    assert cards[:3] == [
        (ActionKind.DELETE, True),
        (ActionKind.REPLACE, True),
        (ActionKind.UPDATE, False),
    ]
    assert {kind for kind, _ in cards[-4:]} == {ActionKind.NO_OP}


def test_many_that_destroy_are_closed() -> None:
    report = SAMPLES["plan"]
    gone = next(one for one in report.actions if one.kind is ActionKind.DELETE)
    fleet = tuple(replace(gone, target=group_id(f"g{number}")) for number in range(30))

    assert not any(is_open for _, is_open in Page(as_html(replace(report, actions=fleet))).cards())


def test_what_stops_a_plan_is_said_above_all_groups() -> None:
    words = Page(as_html(SAMPLES["plan-blocked"])).words

    above = words.partition(" Groups")[0]
    assert "In the way" in above
    assert "maxReplaces: 1 group to replace, the limit is 0" in above
    assert "allow it with --allow replace=1" in above
    assert "refused rg-shop-prod/billing: owned by 'payments/prod'" in above


def test_a_stranded_group_comes_with_the_command_that_creates_it_again() -> None:
    page = Page(as_html(SAMPLES["apply-partial"]))

    assert "run aci-reconcile apply groups/worker.yaml -e prod" in page.words
    assert page.cards()[0] == ("rg-shop-prod/worker", True)
    assert {f"rg-shop-prod/{n}" for n in ("db", "queue", "slow")} <= {n for n, _ in page.cards()}


def test_an_interrupted_result_names_what_may_go_on_in_azure() -> None:
    report = SAMPLES["apply-interrupted"]
    words = Page(as_html(report)).words

    assert "interrupted" in words
    assert words.count("it may be under way in Azure") >= 2
    assert all(operation in words for operation in report.under_way.values())


def test_drift_is_told_by_group_and_the_others_are_as_applied() -> None:
    report = SAMPLES["drift"]
    page = Page(as_html(report))
    kinds = dict(zip((name for name, _ in page.cards()), page.named("data-kinds"), strict=True))

    assert kinds["rg-shop-prod/web"] == "changed,pending"
    assert kinds["rg-shop-prod/queue"] == "as applied"
    assert kinds["rg-shop-prod/slow"] == "in transition"
    assert "changed (or pending), pending" in page.words
    assert "Could not be told" in page.words
    assert [name for name, is_open in page.cards() if is_open] == [
        f"rg-shop-prod/{name}" for name in ("mailer", "cache", "web", "db", "old-cron")
    ]
    assert all(row.says in page.words for row in report.drift.rows)


def test_no_drift_is_said() -> None:
    assert "no drift; 4 of 4 as applied" in Page(as_html(SAMPLES["drift-none"])).words


@pytest.mark.parametrize(("name", "says"), [
    ("plan-empty", "No groups."),
    ("status-empty", "No groups."),
    ("validate-clean", "Nothing was found."),
    ("validate", "/properties/restartPolcy: expected a known key, got 'restartPolcy'; try restart"),
    ("apply", "[('HAMLET', 386), ('HORATIO', 127)]"),
    ("apply-nothing", "Applied nothing: no changes"),
    ("apply-restored", "created again as it was before"),
    ("destroy", "Destroyed 1 of 1"),
    ("status", "last event: Back-off restarting failed container web"),
])  # fmt: skip
def test_each_kind_of_report_is_told(name: str, says: str) -> None:
    assert says in Page(as_html(SAMPLES[name])).words


def test_a_plan_against_a_snapshot_says_so() -> None:
    taken = AsOf(file="live.json", taken=datetime(2025, 1, 31, 12, tzinfo=UTC))

    words = Page(as_html(replace(SAMPLES["plan"], as_of=taken))).words
    assert "against the snapshot of 2025-01-31 12:00:00 UTC in live.json" in words


def test_the_anchor_of_a_group_and_of_its_resource_group_are_two() -> None:
    group = group_id("Web", "RG one")

    assert anchor(group) == "rg%20one/web"
    assert anchor(group.parent) == "rg%20one/"
    assert SUBSCRIPTION not in anchor(group)


def contrast(one: str, other: str) -> float:
    """The ratio as WCAG 2 computes it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_stands_out_from_what_is_below_it(palette) -> None:
    tinted = [name.removesuffix("-tint") for name in palette if name.endswith("-tint")]
    inks = ("ink", "dim", "accent", *tinted)
    pairs = [*product(inks, ("paper", "box")), *((name, f"{name}-tint") for name in tinted)]
    pairs += [("ink", "bad-tint"), ("accent", "bad-tint"), ("paper", "bad")]

    read = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in pairs}

    assert {pair: ratio for pair, ratio in read.items() if ratio < LEAST_CONTRAST} == {}
    assert len(pairs) == 21
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_two_palettes_name_the_same_colours_and_the_style_no_others() -> None:
    assert set(LIGHT) == set(DARK)
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) <= set(LIGHT)
    rest = STYLE
    for color in (*LIGHT.values(), *DARK.values()):
        rest = rest.replace(color, "")
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", rest)

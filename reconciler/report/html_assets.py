"""The style and the script of the page, inline: it must work from a folder, in ten years."""

from __future__ import annotations

from collections.abc import Mapping

# Colours by what they mean. A `-tint` lies under text of its colour, `paper` and `box` under all;
# every such pair reads well (WCAG 2, AA), which a test computes.
LIGHT: Mapping[str, str] = {
    "ink": "#1c2127",
    "dim": "#56606b",
    "paper": "#ffffff",
    "box": "#f6f8fa",
    "line": "#d4dae0",
    "accent": "#0a58b5",
    "bad": "#ab1f18",
    "bad-tint": "#fdebe9",
    "good": "#14662c",
    "good-tint": "#e4f5e8",
    "change": "#7a4d00",
    "change-tint": "#fdf1d3",
    "tags": "#0a58b5",
    "tags-tint": "#e6f0fc",
}
DARK: Mapping[str, str] = {
    "ink": "#e5e9ee",
    "dim": "#9ba6b2",
    "paper": "#101418",
    "box": "#171c22",
    "line": "#333b45",
    "accent": "#7db8ff",
    "bad": "#ff958d",
    "bad-tint": "#3b1c1b",
    "good": "#74d58e",
    "good-tint": "#15301d",
    "change": "#e8b64f",
    "change-tint": "#33280f",
    "tags": "#7db8ff",
    "tags-tint": "#15273e",
}


def _variables(palette: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{color}" for name, color in palette.items())


STYLE = f"""
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
@media print {{ :root {{ color-scheme: light; {_variables(LIGHT)} }} }}
* {{ box-sizing: border-box }}
[hidden] {{ display: none !important }}
body {{
  margin: 0 auto; max-width: 72rem; padding: 1.25rem 1.5rem 3rem;
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  overflow-wrap: anywhere;
}}
h1, h2, h3 {{ line-height: 1.25; margin: 0 }}
h1 {{ font-size: 1.45rem; font-weight: 600; display: flex; flex-wrap: wrap; gap: .3rem .6rem;
  align-items: center }}
h2 {{ font-size: 1.05rem; margin: 1.75rem 0 .5rem }}
h3 {{ font-size: .9rem; margin: .8rem 0 .3rem }}
p {{ margin: .5rem 0 }}
a {{ color: var(--accent) }}
ul {{ margin: .3rem 0; padding-left: 1.2rem }}
code, pre, .path {{ font-family: ui-monospace, monospace; font-size: .9em }}
.lead {{ font-size: 1.1rem; margin: .6rem 0 .8rem }}
.dim, dt {{ color: var(--dim) }}
.name {{ font-weight: 600 }}
.loud, .replace, .alarm {{ font-weight: 600 }}
.bad, .loud, .replace, .alarm {{ color: var(--bad) }}
.good {{ color: var(--good) }}
.change {{ color: var(--change) }}
.tags {{ color: var(--tags) }}
.pill {{
  display: inline-block; border-radius: .3rem; padding: .05rem .45rem; font-size: .8rem;
  line-height: 1.4; font-weight: 600; white-space: nowrap; background: var(--box);
  border: 1px solid var(--line);
}}
.pill.bad, .pill.loud, .pill.replace {{ background: var(--bad-tint); border-color: currentColor }}
.pill.good {{ background: var(--good-tint); border-color: transparent }}
.pill.change {{ background: var(--change-tint); border-color: transparent }}
.pill.tags {{ background: var(--tags-tint); border-color: transparent }}
.pill.alarm {{ background: var(--bad); color: var(--paper); border-color: transparent }}
.facts {{ display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; margin: 0; font-size: .87rem }}
.facts dt, .facts dd {{ display: inline; margin: 0 }}
.facts dt::after {{ content: " " }}
.stops {{
  border: 1px solid var(--bad); border-left-width: .3rem; border-radius: .3rem;
  background: var(--bad-tint); padding: .6rem .9rem; margin: 1.1rem 0 0;
}}
.stops h2 {{ margin: 0 0 .3rem; color: var(--bad) }}
.stops li {{ margin: .15rem 0 }}
.command {{ user-select: all }}
form {{
  display: flex; flex-wrap: wrap; gap: .4rem .9rem; align-items: center; padding: .5rem 0;
  background: var(--paper); font-size: .9rem;
}}
fieldset {{ border: 0; margin: 0; padding: 0; min-width: 0; flex: 1 0 100%; display: flex;
  flex-wrap: wrap; gap: .2rem .9rem }}
legend {{ float: left; padding: 0; color: var(--dim) }}
form label {{ display: inline-flex; gap: .35rem; align-items: center; white-space: nowrap }}
.find {{ flex: 1 1 16rem; max-width: 32rem }}
input[type=search], button {{
  font: inherit; color: var(--ink); background: var(--paper); padding: .25rem .6rem;
  border: 1px solid var(--dim); border-radius: .3rem;
}}
input[type=search] {{ flex: 1; min-width: 0 }}
::placeholder {{ color: var(--dim); opacity: 1 }}
input[type=checkbox] {{ accent-color: var(--accent); margin: 0; width: 1rem; height: 1rem }}
button {{ cursor: pointer }}
button:hover {{ background: var(--box) }}
:focus-visible {{ outline: 2px solid var(--accent); outline-offset: 1px }}
output {{ color: var(--dim); margin-right: auto; font-variant-numeric: tabular-nums }}
.card {{
  border: 1px solid var(--line); border-left: .25rem solid var(--line); border-radius: .3rem;
  margin: .3rem 0; content-visibility: auto; contain-intrinsic-size: auto 2.4rem;
  scroll-margin-top: 1rem;
}}
.card.bad, .card.loud, .card.replace, .card.alarm {{ border-left-color: var(--bad);
  color: inherit; font-weight: inherit }}
.card.good {{ border-left-color: var(--good); color: inherit }}
.card.change {{ border-left-color: var(--change); color: inherit }}
.card.tags {{ border-left-color: var(--tags); color: inherit }}
.card.dim {{ color: inherit }}
summary {{
  cursor: pointer; list-style: none; display: flex; align-items: baseline; gap: .6rem;
  padding: .35rem .7rem;
}}
summary::-webkit-details-marker {{ display: none }}
summary::before {{ content: "\\25b8"; color: var(--dim); width: .8em; flex: none }}
details[open] > summary::before {{ content: "\\25be" }}
summary:hover {{ background: var(--box) }}
summary .name {{ flex: 0 1 auto }}
summary .gist {{ flex: 1 1 0; min-width: 0; color: var(--dim); white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; font-size: .9rem }}
details[open] > summary .gist {{ visibility: hidden }}
.body {{ padding: .1rem .9rem .8rem 2.1rem; font-size: .93rem }}
.body dl {{ display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem .9rem;
  margin: .3rem 0 .6rem }}
.body dl > div {{ display: contents }}
.body dt, .body dd {{ margin: 0 }}
.body dd ul {{ margin: 0 }}
table {{ border-collapse: collapse; width: 100%; font-size: .9rem }}
caption {{ text-align: left; color: var(--dim); padding: .2rem 0 }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-top: 1px solid var(--line); font-weight: 400 }}
td {{ overflow-wrap: break-word }}
td code, td del, td ins, td:last-child {{ overflow-wrap: anywhere }}
thead th {{ color: var(--dim); border-top: 0; white-space: nowrap }}
.diff {{ table-layout: fixed }}
.diff th:first-child {{ width: 38% }}
.diff th:last-child {{ width: 9.5rem }}
.diff small {{ display: block; color: var(--dim) }}
del, ins {{ text-decoration: none; font-family: ui-monospace, monospace; font-size: .92em;
  white-space: pre-wrap; display: block; border-radius: .2rem; padding: 0 .3rem }}
del {{ color: var(--bad); background: var(--bad-tint) }}
ins {{ color: var(--good); background: var(--good-tint) }}
del::before {{ content: "\\2212\\a0" }}
ins::before {{ content: "+\\a0" }}
del b, ins b {{ font-weight: 700; text-decoration: underline; text-underline-offset: .15em }}
pre {{ margin: .2rem 0; max-height: 24rem; overflow: auto; white-space: pre-wrap;
  background: var(--box); border: 1px solid var(--line); border-radius: .3rem;
  padding: .5rem .7rem }}
@media screen and (min-width: 44rem) and (min-height: 30rem) {{
  form {{ position: sticky; top: 0; z-index: 1; border-bottom: 1px solid var(--line) }}
  .card, tr {{ scroll-margin-top: 5.5rem }}
}}
@media screen and (max-width: 44rem) {{
  body {{ padding: 1rem .8rem 2rem }}
  summary {{ flex-wrap: wrap; gap: .1rem .5rem }}
  summary .gist {{ flex-basis: 100%; white-space: normal; padding-left: 1.3rem }}
  details[open] > summary .gist {{ display: none }}
  .body {{ padding-left: .9rem }}
  .find {{ flex-basis: 100%; max-width: none }}
  table, tbody, tr, th, td, .diff th:first-child {{ display: block; width: auto }}
  caption {{ display: block }}
  thead {{ position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }}
  tr {{ border-top: 1px solid var(--line); padding: .4rem 0 }}
  tr th, tr td {{ border-top: 0; padding: .1rem 0 }}
  td[data-label]::before {{ content: attr(data-label) " "; color: var(--dim) }}
  td:empty {{ display: none }}
}}
@media print {{
  body {{ max-width: none; padding: 0; font-size: 10pt }}
  form > :not(output) {{ display: none }}
  .card {{ content-visibility: visible; break-inside: avoid-page }}
  .stops {{ break-inside: avoid }}
  summary {{ break-after: avoid }}
  summary::before {{ content: none }}
  summary .gist {{ white-space: normal }}
  details[open] > summary .gist {{ display: none }}
  .diff th:last-child {{ width: 7rem }}
  pre {{ max-height: none }}
  del, ins, .pill, .stops {{ print-color-adjust: exact }}
}}
"""

# A row is a block that opens, or a row of a table; `data-kinds` says which boxes show it.
SCRIPT = """
(function () {
  'use strict';
  var form = document.getElementById('filter');
  var rows = Array.from(document.querySelectorAll('[data-kinds]'));
  if (!form) return;
  var find = document.getElementById('find');
  var count = document.getElementById('count');
  var none = document.getElementById('none');
  var boxes = Array.from(form.querySelectorAll('input[type=checkbox]'));
  var kinds = rows.map(function (row) { return row.dataset.kinds.split(','); });
  var texts = null;

  function index() {
    texts = texts || rows.map(function (row) { return row.textContent.toLowerCase(); });
  }

  function show() {
    var words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    var wanted = boxes.filter(function (box) { return box.checked; })
      .map(function (box) { return box.value; });
    var seen = 0;
    if (words.length) index();
    rows.forEach(function (row, at) {
      var fits = (!wanted.length || kinds[at].some(function (kind) {
        return wanted.indexOf(kind) >= 0;
      })) && words.every(function (word) { return texts[at].indexOf(word) >= 0; });
      if (row.hidden === fits) row.hidden = !fits;
      if (fits) seen += 1;
    });
    count.textContent = seen + ' of ' + rows.length + ' shown';
    none.hidden = seen > 0;
  }

  function showAll() {
    find.value = '';
    boxes.forEach(function (box) { box.checked = false; });
    show();
  }

  function setOpen(isOpen) {
    rows.forEach(function (row) { if ('open' in row && !row.hidden) row.open = isOpen; });
  }

  function named() {
    var name = location.hash.slice(1).toLowerCase();
    return name.indexOf('/') >= 0 && document.getElementById(name);
  }

  function reveal() {
    var row = named();
    if (!row) return;
    if (row.hidden) showAll();
    if ('open' in row) row.open = true;
    row.scrollIntoView();
    (row.querySelector('summary') || row).focus({preventScroll: true});
  }

  function escape(event) {
    var card = event.target.closest && event.target.closest('details[open]');
    if (event.target === find) { find.value = ''; show(); event.preventDefault(); }
    else if (card) { card.open = false; card.querySelector('summary').focus(); }
  }

  var opened = [];
  window.addEventListener('beforeprint', function () {
    opened = rows.filter(function (row) { return 'open' in row && !row.open && !row.hidden; });
    opened.forEach(function (row) { row.open = true; });
  });
  window.addEventListener('afterprint', function () {
    opened.forEach(function (row) { row.open = false; });
    opened = [];
  });

  form.addEventListener('input', show);
  form.addEventListener('submit', function (event) { event.preventDefault(); });
  form.addEventListener('click', function (event) {
    if (event.target.value === 'open') setOpen(true);
    if (event.target.value === 'close') setOpen(false);
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape') escape(event);
  });
  // The address of what somebody opens can be handed on.
  document.addEventListener('click', function (event) {
    var summary = event.target.closest && event.target.closest('summary');
    var card = summary && summary.parentNode;
    if (card && card.id && !card.open) history.replaceState(null, '', '#' + card.id);
  });
  window.addEventListener('hashchange', reveal);
  // Once loaded, the browser has gone to the address itself, and would take the focus back.
  window.addEventListener('load', function () { reveal(); setTimeout(index); });
  form.hidden = false;
  show();
})();
"""

"""The style and the script of the page, inline: it must work from a folder, in ten years."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d5d9de;--dim:#59636e;--bad:#b3261e;
--good:#1a7f37;--change:#8a5a00;--box:#f5f7f9}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--paper:#14171a;--line:#3a4048;--dim:#9aa4af;
--bad:#ff8a80;--good:#6fd58a;--change:#e9b44c;--box:#1d2126}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem}h3{font-size:1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0 1rem}
dt,.dim{color:var(--dim)}dd{margin:0}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;background:var(--box)}
summary{cursor:pointer;padding:.5rem .8rem}details>:not(summary){margin:.4rem .8rem}
.badge{display:inline-block;border:1px solid currentColor;border-radius:.3rem;padding:0 .4rem;
margin-right:.4rem;font-size:.85rem}
.bad,.loud,.replace,.alarm{color:var(--bad)}.good,.tags{color:var(--good)}.change{color:var(--change)}
.alarm{border:2px solid var(--bad);border-radius:.4rem;padding:.5rem .8rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;min-width:36rem;font-size:.9rem}
td:last-child,th{white-space:nowrap}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-top:1px solid var(--line)}
del{color:var(--bad);text-decoration:none}ins{color:var(--good);text-decoration:none}
pre{overflow-x:auto;border:1px solid var(--line);padding:.5rem}code,pre{font-size:.9em}
form{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center;margin:.8rem 0}
form[hidden]{display:none}input[type=search]{font:inherit;padding:.25rem .5rem;max-width:100%}
@media print{form{display:none}details{break-inside:avoid}}
"""

SCRIPT = """
(function(){
var form=document.getElementById('filter');if(!form)return;
var rows=Array.prototype.slice.call(document.querySelectorAll('#groups details'));
var texts=rows.map(function(r){return r.textContent.toLowerCase()});
var box=document.getElementById('text'),count=document.getElementById('count');
function show(){
var words=box.value.toLowerCase().split(/\\s+/),off={},seen=0;
form.querySelectorAll('input[type=checkbox]').forEach(function(c){if(!c.checked)off[c.value]=1});
rows.forEach(function(r,i){
var fits=!off[r.dataset.kind]&&words.every(function(w){return texts[i].indexOf(w)>=0});
r.hidden=!fits;if(fits)seen++});
count.textContent=seen+' of '+rows.length+' shown'}
form.hidden=false;form.addEventListener('input',show);
form.addEventListener('submit',function(e){e.preventDefault()});show()})();
"""

# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the status page looks: light and dark, on a phone, and in print. Nothing is loaded from elsewhere.

This util is private to the collection: no release promises that it stays as it is.
"""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark; --ground: #f4f6f9; --card: #fff; --text: #18212d; --soft: #4d5866; --line: #c9d1dc;
  --good: #19703a; --note: #855400; --bad: #b3261e; --good-ground: #e3f4e8; --note-ground: #fdf1d8; --bad-ground: #fde7e5; --link: #0b57b0; }
@media (prefers-color-scheme: dark) { :root { --ground: #10151c; --card: #1a222d; --text: #e7ecf3; --soft: #a7b3c2; --line: #3a4655;
  --good: #5fd184; --note: #e8b04b; --bad: #ff8d85; --good-ground: #14301f; --note-ground: #352a12; --bad-ground: #3b1c1b; --link: #85b8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
header, main, footer { max-width: 80rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; } h3, h4 { font-size: 1rem; margin: 0; }
p { margin: .2rem 0; } ul { margin: 0; padding: 0; list-style: none; } a { color: var(--link); }
.soft, footer { color: var(--soft); font-size: .875rem; }
.icon { width: .95em; height: .95em; flex: none; vertical-align: -.1em; fill: currentColor; margin-right: .35em; }
.good { color: var(--good); } .note { color: var(--note); } .bad { color: var(--bad); }
.verdict { display: inline-block; margin-top: .6rem; padding: .35rem .8rem; border-radius: 2rem; font-weight: 600; }
.verdict.good { background: var(--good-ground); } .verdict.note { background: var(--note-ground); } .verdict.bad { background: var(--bad-ground); }
.troubles li { background: var(--card); border-left: .3rem solid currentColor; padding: .4rem .8rem; margin: .3rem 0; border-radius: .3rem; }
.troubles li span { color: var(--text); }
.box { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.top { display: flex; flex-direction: column; align-items: center; text-align: center; }
.balancer { width: 34rem; max-width: 100%; }
.wire { width: 2px; height: 1.4rem; background: var(--line); margin: 0 auto; }
.rules { display: flex; flex-wrap: wrap; gap: .4rem; justify-content: center; margin-top: .5rem; }
.rules li, .task { border: 1px solid var(--line); border-radius: .4rem; padding: .15rem .5rem; font-size: .875rem; }
.zones { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 0 1rem; border-top: 2px solid var(--line); }
.zone { position: relative; padding-top: 1.2rem; }
.zone::before { content: ""; position: absolute; top: 0; left: 50%; width: 2px; height: 1.2rem; background: var(--line); }
.zone > .frame { border: 1px dashed var(--line); border-radius: .8rem; padding: .7rem; height: 100%; }
.zone h3 { color: var(--soft); font-weight: 600; margin-bottom: .5rem; }
.host { margin-bottom: .7rem; border-left: .3rem solid var(--line); }
.host.good { border-left-color: var(--good); } .host.note { border-left-color: var(--note); } .host.bad { border-left-color: var(--bad); }
.host, .host h4, .task span, .balancer, td span.plain { color: var(--text); }
.host .head { display: flex; justify-content: space-between; gap: .5rem; flex-wrap: wrap; align-items: baseline; }
.role { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem; font-size: .8rem; color: var(--soft); white-space: nowrap; }
.tasks { display: flex; flex-wrap: wrap; gap: .35rem; margin-top: .5rem; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
caption { text-align: left; } th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-size: .875rem; font-weight: 600; } tbody th { color: var(--text); font-size: 1rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.times { max-width: 24rem; } .times td:last-child { text-align: right; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 42rem) {
  .services thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .services tr, .services td, .services tbody th { display: block; width: 100%; border: 0; padding: .1rem .7rem; }
  .services tr { border-bottom: 1px solid var(--line); padding: .45rem 0; }
  .services td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); font-size: .875rem; }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --card: #fff; --text: #000; --soft: #333; --line: #888; --good: #14572d; --note: #6b4300;
    --bad: #8f1d17; --good-ground: #fff; --note-ground: #fff; --bad-ground: #fff; --link: #000; }
  body { font-size: 10pt; } header, main, footer { padding: 0; max-width: none; }
  .host, .balancer, tr, .troubles li { break-inside: avoid; } h2 { break-after: avoid; } .verdict { border: 1px solid currentColor; }
  .zones { grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); }
}
"""

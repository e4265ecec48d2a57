// Copyright (c) 2026 The dockhost.azure authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The page: head, views, and the stream of events that keeps them as the lab is.
import { count, h } from "./dom.js";
import { conditions, operations } from "./doing.js";
import { drawing } from "./drawing.js";
import { machines, resources } from "./lists.js";
import { requests } from "./requests.js";

const stream = requests();
const VIEWS = { lab: ["Lab", drawing()], resources: ["Resources", resources()], machines: ["Machines", machines()], operations: ["Operations", operations()],
  conditions: ["Conditions", conditions()], requests: ["Requests", { element: h("div", {}), refresh() {} }] };
const main = document.getElementById("main");
const tabs = document.getElementById("tabs");
let current = "lab";

function open(name, focus = false) {
  current = name in VIEWS ? name : "lab";
  document.body.dataset.view = current;
  for (const tab of tabs.children) {
    const mine = tab.dataset.view === current;
    tab.setAttribute("aria-selected", String(mine));
    tab.tabIndex = mine ? 0 : -1;
    if (mine) { main.setAttribute("aria-labelledby", tab.id); if (focus) tab.focus(); if (tabs.scrollWidth > tabs.clientWidth) tab.scrollIntoView({ block: "nearest", inline: "center" }); }
  }
  if (location.hash !== `#${current}`) history.replaceState(null, "", `#${current}`);
  main.replaceChildren(VIEWS[current][1].element);
  refresh();
}

for (const [name, [label]] of Object.entries(VIEWS)) {
  tabs.append(h("button", { type: "button", role: "tab", id: `tab-${name}`, "data-view": name, "aria-controls": "main", onclick: () => open(name) }, label));
}
main.setAttribute("role", "tabpanel");
tabs.addEventListener("keydown", (event) => {
  const names = Object.keys(VIEWS).filter((n) => document.getElementById(`tab-${n}`).offsetParent), at = names.indexOf(current);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
  if (to !== undefined) { event.preventDefault(); open(names[(to + names.length) % names.length], true); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement?.tagName ?? "")) {
    event.preventDefault();
    (main.querySelector("input[type=search]") ?? document.getElementById("request-filter")).focus();
  }
});
addEventListener("hashchange", () => { const name = location.hash.slice(1); if (name in VIEWS) open(name); });

// Views follow the lab, but no more than twice a second, and not while nobody looks.
let busy = false, wanted = false;
async function refresh() {
  if (busy || document.hidden) { wanted = true; return; }
  busy = true; wanted = false;
  let again = false;
  try { again = await VIEWS[current][1].refresh(); } catch { link("not connected", "bad"); }
  await new Promise((done) => { setTimeout(done, 500); });
  busy = false;
  if (wanted || (again && VIEWS[current][1].lively)) refresh();
}
document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(); });

function link(text, tone) {
  const badge = document.getElementById("link");
  if (badge.textContent !== text) badge.textContent = text;
  badge.className = `badge ${tone}`;
}

function head(s) {
  document.title = `azlab ${s.name}`;
  document.getElementById("lab-name").textContent = s.name;
  const c = s.conditions, special = [c.faults.length ? count(c.faults.length, "fault") : "", c.throttling.on ? "throttling" : "", c.hold ? "held" : "", c.latency_scale ? `latency × ${c.latency_scale}` : ""].filter(Boolean);
  const facts = [["Resources", s.resources.toLocaleString("en")], ["Machines", s.virtual_machines ? `${s.running.toLocaleString("en")} of ${s.virtual_machines.toLocaleString("en")} run` : "0"],
    ["In flight", s.operations.toLocaleString("en")], ["Conditions", special.join(", ") || "none set"], ["Hosts", s.machines === "docker" ? "real (docker)" : "model only"], ["API", s.url]];
  document.getElementById("facts").replaceChildren(...facts.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));
}

async function connect() {
  const last = await stream.start();
  const events = new EventSource(`/page/events?since=${last}`);
  events.addEventListener("open", () => link("live", "good"));
  events.addEventListener("error", () => link("not connected", "bad"));
  events.addEventListener("requests", (e) => stream.add(JSON.parse(e.data).rows));
  events.addEventListener("changed", (e) => { head(JSON.parse(e.data)); refresh(); });
}

document.getElementById("stream").append(stream.element);
open(location.hash.slice(1));
connect().catch(() => link("not connected", "bad"));

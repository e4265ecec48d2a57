// Copyright (c) 2026 The dockhost.azure authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Operations in flight with their progress, and the conditions of the lab, which can be changed here.
import { ask, change, count, empty, h, linkTo, replace, seconds, state } from "./dom.js";

function flying(o) {
  const label = `${o.effect}, ${seconds(o.seconds)}`;
  return h("li", { class: "operation" }, h("div", {}, h("strong", {}, o.effect), " ", linkTo(o.resource, undefined, "op ")),
    h("progress", { max: "1", value: o.progress ?? undefined, "aria-label": label }),
    h("span", { class: "muted" }, o.expected > 0.05 ? `${seconds(o.seconds)} of about ${seconds(o.expected)}` : seconds(o.seconds)));
}

const ended = (o) => h("li", { class: "operation" }, h("div", {}, h("strong", {}, o.effect), " ", linkTo(o.resource, undefined, "past ")), state(o.status), h("span", { class: "muted" }, seconds(o.seconds)),
  o.error ? h("p", { class: "error" }, o.error) : null);

export function operations() {
  const element = h("section", {});
  const refresh = async () => {
    const found = await ask("operations");
    replace(element, h("h2", {}, count(found.count, "operation"), " in flight"), found.count ? h("ul", { class: "operations" }, found.in_flight.map(flying)) : empty("Nothing is going on."),
      h("h2", {}, "Ended"), found.past.length ? h("ul", { class: "operations" }, found.past.map(ended)) : empty("Nothing has ended yet."));
    return found.count > 0;
  };
  return { element, refresh, lively: true };
}

const EXAMPLES = [
  ["The next machine gets 503", { method: "PUT", path: "virtualMachines/[^/]+$", status: 503, code: "ServiceUnavailable", message: "The service is unavailable." }],
  ["The next machine has no capacity", { path: "virtualMachines/.*create vm", operation: { code: "AllocationFailed", message: "Allocation failed." } }],
  ["Every third read is cut", { method: "GET", nth: 3, times: 1, cut: "after" }],
  ["Every write waits 2 s", { method: "PUT", times: 0, delay: 2 }]];

export function conditions() {
  const said = h("p", { class: "said", role: "status" });
  const faults = h("div", {});
  const now = h("dl", { class: "now" });
  const run = async (work, done) => {
    try { await work(); said.textContent = done; said.className = "said"; await refresh(); } catch (problem) { said.textContent = problem.message; said.className = "said error"; }
  };
  const number = (label, name, step, hint) => h("label", { class: "field" }, h("span", {}, label), h("input", { type: "number", name, min: "0", step, required: true, "aria-describedby": `${name}-hint` }), h("small", { id: `${name}-hint` }, hint));
  const check = (label, name) => h("label", { class: "check" }, h("input", { type: "checkbox", name }), " ", label);
  const settings = h("form", { class: "card", onsubmit: (e) => {
    e.preventDefault();
    const f = e.target.elements;
    run(async () => {
      await change("POST", "/conditions", { latency_scale: Number(f.scale.value), jitter: Number(f.jitter.value), page_size: Number(f.size.value), core_quota: Number(f.quota.value),
        throttling: { on: f.throttling.checked, scale: Number(f.buckets.value) } });
      await change("POST", "/latencies", { hold: f.hold.checked });
    }, "The conditions are set.");
  } }, h("h2", {}, "Time and limits"), h("div", { class: "fields" },
    number("Latency scale", "scale", "any", "0: at once; 1: as slow as Azure"), number("Jitter", "jitter", "any", "0.2: ± 20 %"), number("Page size", "size", "1", "0: lists are never cut"), number("Core quota", "quota", "1", "per region"),
    number("Size of the buckets", "buckets", "any", "of throttling; 1: as Azure's")), check("Throttling (429 as Azure sends it)", "throttling"), check("Hold: no operation ends", "hold"), h("button", { class: "main" }, "Set"));
  const area = h("textarea", { name: "rule", rows: "8", spellcheck: "false", "aria-label": "Fault as JSON" });
  const choice = h("select", { "aria-label": "Example", onchange: (e) => { area.value = JSON.stringify(EXAMPLES[e.target.value][1], null, 1); } }, EXAMPLES.map(([t], i) => h("option", { value: i }, t)));
  area.value = JSON.stringify(EXAMPLES[0][1], null, 1);
  const adding = h("form", { class: "card", onsubmit: (e) => {
    e.preventDefault();
    run(async () => {
      let rule;
      try { rule = JSON.parse(area.value); } catch (problem) { throw new Error(`This is no JSON: ${problem.message}`); }
      await change("POST", "/faults", rule);
    }, "The fault is set.");
  } }, h("h2", {}, "Add a fault"), h("label", { class: "field" }, h("span", {}, "Example"), choice), area, h("button", { class: "main" }, "Add"));
  const element = h("section", { class: "conditions" }, said, now, h("div", { class: "cards" }, settings, h("div", { class: "card" }, h("h2", {}, "Faults in force"), faults), adding));

  const refresh = async () => show((await ask("summary")).conditions);
  const show = (c) => {
    now.replaceChildren(...[["Latency", c.latency_scale ? `${c.latency_scale} × Azure's` : "none"], ["Throttling", c.throttling.on ? `on, buckets × ${c.throttling.scale}` : "off"],
      ["Operations", c.hold ? "held" : "run"], ["Overrides", String(c.overrides.length)]].map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))),
      ...c.overrides.map((o) => h("div", {}, h("dt", {}, `${o.method} ${o.type}`), h("dd", {}, `${o.seconds} s`))));
    if (!settings.contains(document.activeElement)) {
      const f = settings.elements;
      [f.scale.value, f.jitter.value, f.size.value, f.quota.value, f.buckets.value] = [c.latency_scale, c.jitter, c.page_size, c.core_quota, c.throttling.scale];
      [f.throttling.checked, f.hold.checked] = [c.throttling.on, c.hold];
    }
    replace(faults, c.faults.length ? h("ul", { class: "operations" }, c.faults.map((r) => h("li", { class: "fault", "data-key": `rule ${r.id}` }, h("div", {}, h("strong", {}, `${r.method || "any"} `), h("code", {}, r.path || "any path")), h("span", { class: "muted" },
      `${effect(r)} · from request ${r.nth} on, ${r.times ? `${r.times}×` : "always"} · struck ${r.struck}×`),
      h("button", { type: "button", "data-key": `fault ${r.id}`, onclick: () => run(() => change("DELETE", `/faults/${r.id}`), "The fault is gone.") }, "Remove"))))
      : empty("No faults: requests get what Azure would answer."));
  };
  return { element, refresh };
}

const effect = (r) => [r.delay ? `waits ${r.delay} s` : "", r.cut ? `cut ${r.cut} the effect` : "", r.status ? `answers ${r.status} ${r.code}` : "", r.operation ? `operation fails: ${r.operation.code}` : ""].filter(Boolean).join(", ");

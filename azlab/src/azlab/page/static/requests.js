// Copyright (c) 2026 The dockhost.azure authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The requests as they come: a bounded list that the lab's events fill.
import { ask, clock, copyable, dialog, empty, h, later, replace } from "./dom.js";

const KEEP = 1000, SHOWN = 200;
const tone = (status) => (status === 0 || status >= 500 ? "bad" : status >= 400 ? "warn" : "good");
const word = (status) => (status === 0 ? "cut" : String(status));

function matches(r, chosen) {
  if (chosen.method && r.method !== chosen.method) return false;
  if (chosen.errors && r.status > 0 && r.status < 400) return false;
  if (!chosen.polls && r.poll) return false;
  const text = `${r.method} ${r.path}?${r.query} ${r.status} ${r.client} ${r.note} ${r.request_id} ${r.client_request_id}`.toLowerCase();
  return chosen.words.every((w) => text.includes(w));
}

// The end of a path says most: the subscription is the same in all of them, and the group stands below.
const GROUP = /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/([^/]+)\/providers\/Microsoft\./i;
const tail = (path) => path.replace(GROUP, "").replace(/^\/subscriptions\/[0-9a-f-]{36}/i, "") || path;
const groupOf = (path) => GROUP.exec(path)?.[1];

async function details(row) {
  try {
    const r = await ask(`requests/${row.seq}`);
    const list = (title, all) => (Object.keys(all ?? {}).length ? [h("h3", {}, title), h("dl", { class: "headers" }, Object.entries(all).map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))))] : []);
    dialog(`${r.method} ${word(r.status)}`, h("p", { class: "id" }, r.path + (r.query ? `?${r.query}` : "")),
      list("Request", { Time: clock(r.time), Duration: `${r.milliseconds} ms`, Client: r.client, "User agent": r.user_agent, "Request id": r.request_id ? copyable(r.request_id, "request id") : "–", "Client request id": r.client_request_id ? copyable(r.client_request_id, "client request id") : "–", ...(r.note ? { Note: r.note } : {}) }),
      list("Error", r.error), list("Headers of the request", r.request_headers), list("Headers of the answer", r.response_headers),
      h("p", { class: "muted" }, "Bodies are not kept, since they hold secrets; neither are tokens."));
  } catch (problem) {
    dialog("Request", empty(problem.message));
  }
}

function line(r, seen) {
  return h("button", { type: "button", class: r.seq > seen ? "request new" : "request", "data-key": `request ${r.seq}`, "data-seq": r.seq, onclick: () => details(r) },
    h("span", { class: `method ${r.method}` }, r.method), h("span", { class: `status ${tone(r.status)}` }, word(r.status)), h("span", { class: "path", title: r.path }, tail(r.path)),
    h("span", { class: "muted" }, `${clock(r.time)}${groupOf(r.path) ? ` · ${groupOf(r.path)}` : ""} · ${r.milliseconds < 10 ? r.milliseconds : Math.round(r.milliseconds)} ms · ${r.client}${r.note ? ` · ${r.note}` : ""}`));
}

export function requests() {
  const chosen = { words: [], method: "", errors: false, polls: true };
  let rows = [], paused = false, waiting = 0, seen = 0;
  const list = h("div", { class: "requests", role: "log", "aria-live": "off", "aria-label": "Requests" });
  const tally = h("span", { class: "muted", id: "tally" });
  const show = () => {
    const found = rows.filter((r) => matches(r, chosen));
    replace(list, found.length ? found.slice(-SHOWN).reverse().map((r) => line(r, seen)) : empty(rows.length ? "No request matches." : "No requests yet."));
    tally.textContent = `${found.length.toLocaleString("en")} of the last ${rows.length.toLocaleString("en")}${paused ? `, ${waiting} new` : ""}`;
    seen = rows.at(-1)?.seq ?? 0;
  };
  const set = (name, value) => { chosen[name] = value; show(); };
  const hold = h("button", { type: "button", "aria-pressed": "false", onclick: () => { paused = !paused; waiting = 0; hold.setAttribute("aria-pressed", String(paused)); hold.textContent = paused ? "Go on" : "Pause"; show(); } }, "Pause");
  const check = (label, name) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: chosen[name], onchange: (e) => set(name, e.target.checked) }), " ", label);
  const element = h("section", { class: "stream" }, h("div", { class: "stream-head" }, h("h2", {}, "Requests"), tally, hold),
    h("div", { class: "bar" }, h("label", { class: "field wide" }, h("span", {}, "Filter requests"), h("input", { type: "search", id: "request-filter", placeholder: "path, status, client, request id", spellcheck: "false", oninput: later(80, (e) => set("words", e.target.value.toLowerCase().split(/\s+/).filter(Boolean))) })),
      h("label", { class: "field" }, h("span", {}, "Method"), h("select", { onchange: (e) => set("method", e.target.value) }, ["", "GET", "PUT", "POST", "PATCH", "DELETE"].map((m) => h("option", { value: m }, m || "all")))),
      check("errors only", "errors"), check("polls", "polls")), list);
  return { element,
    add(more) { rows = rows.concat(more).slice(-KEEP); if (paused) { waiting += more.length; tally.textContent = `paused, ${waiting} new`; } else show(); },
    async start() { const found = await ask("requests"); rows = found.rows; seen = found.last; show(); return found.last; } };
}

// Copyright (c) 2026 The dockhost.azure authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The lists: resources and machines, a page of rows at a time; the lab filters and counts.
import { ask, count, empty, h, kind, later, linkTo, pager, replace, state, tags } from "./dom.js";

const SIZE = 50;

function select(label, value, options, onchange) {
  return h("label", { class: "field" }, h("span", {}, label),
    h("select", { onchange: (e) => onchange(e.target.value) }, options.map(([v, text]) => h("option", { value: v, selected: v === value }, text))));
}

function table(caption, heads, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads.map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, rows)));
}

const cell = (label, ...content) => h("td", { "data-label": label }, ...content);

// A view with a field for words, choices below it, and a list that follows.
function listView({ placeholder, load, choices, show, nothing }) {
  const chosen = { words: "", page: 0 };
  const bar = h("div", { class: "choices" });
  const list = h("div", { class: "list" });
  let last = 0;
  const refresh = async () => {
    const number = ++last;
    try {
      const found = await load(chosen, { offset: chosen.page * SIZE, limit: SIZE });
      if (number !== last) return;
      if (chosen.page && !found.rows.length) { chosen.page = 0; return refresh(); }
      if (!bar.contains(document.activeElement)) bar.replaceChildren(...choices(found, chosen, set));
      replace(list, found.rows.length ? show(found, chosen) : empty(chosen.words || found.filtered ? "Nothing matches." : nothing),
        pager(chosen.page, found.total, SIZE, (page) => { chosen.page = page; refresh(); }));
    } catch (problem) {
      replace(list, empty(problem.message));
    }
  };
  const set = (name) => (value) => { chosen[name] = value; chosen.page = 0; document.activeElement?.blur?.(); refresh(); };
  const typed = later(150, (value) => { chosen.words = value; chosen.page = 0; refresh(); });
  const element = h("section", {},
    h("div", { class: "bar" }, h("label", { class: "field wide" }, h("span", {}, "Filter"),
      h("input", { type: "search", placeholder, spellcheck: "false", autocomplete: "off", oninput: (e) => typed(e.target.value) })), bar), list);
  return { element, refresh };
}

export const resources = () => listView({
  placeholder: "words in name, type, state, tag=value",
  load: (chosen, page) => ask("resources", { words: chosen.words, type: chosen.type, group: chosen.group, ...page })
    .then((found) => ({ ...found, filtered: chosen.type || chosen.group })),
  choices: (found, chosen, set) => [
    select("Group", chosen.group ?? "", [["", "all groups"], ...Object.entries(found.groups).map(([g, n]) => [g, `${g} (${n})`])], set("group")),
    select("Type", chosen.type ?? "", [["", "all types"], ...Object.entries(found.types).map(([t, n]) => [t, `${kind(t)} (${n})`])], set("type"))],
  nothing: "There are no resources yet. Point a client at this lab: azlab env says how.",
  show: (found) => {
    let before = "";
    const rows = found.rows.flatMap((r) => {
      const heading = r.group !== before ? [h("tr", { class: "group" }, h("th", { colspan: "5", scope: "colgroup" }, r.group, " ",
        h("span", { class: "muted" }, count(found.groups[r.group] ?? 0, "resource"))))] : [];
      before = r.group;
      return [...heading, h("tr", {}, cell("Name", linkTo(r.id)), cell("Type", kind(r.type)), cell("State", state(r.state), r.power ? [" ", state(r.power)] : null),
        cell("Location", r.location), cell("Tags", tags(r.tags)))];
    });
    return table(count(found.total, "resource"), ["Name", "Type", "State", "Location", "Tags"], rows);
  },
});

export const machines = () => listView({
  placeholder: "words in name, group, state, tag=value",
  load: (chosen, page) => ask("machines", { words: chosen.words, power: chosen.power, ...page }).then((found) => ({ ...found, filtered: chosen.power })),
  choices: (found, chosen, set) => [select("Power", chosen.power ?? "", [["", "all"], ...Object.entries(found.power).map(([p, n]) => [p, `${p} (${n})`])], set("power"))],
  nothing: "There are no machines yet.",
  show: (found) => table(count(found.total, "machine"), ["Name", "Power", "Provisioning", "Private", "Public", "Size", "Image", "Group"],
    found.rows.map((m) => h("tr", {}, cell("Name", linkTo(m.id), tags(m.tags)), cell("Power", state(m.power)),
      cell("Provisioning", state(m.state), m.error ? h("p", { class: "error" }, m.error) : null), cell("Private", h("code", {}, m.private.join(", "))),
      cell("Public", h("code", {}, m.public.join(", ") || "–")), cell("Size", m.size, m.zones.length ? ` · zone ${m.zones.join(", ")}` : ""), cell("Image", m.image), cell("Group", m.group)))),
});

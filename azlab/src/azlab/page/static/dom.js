// Copyright (c) 2026 The dockhost.azure authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What all views share: building elements (text is always set as text, never as markup), asking the lab, formats.

// What elements do is kept beside them, so that one that stays while the lab goes on can take over what its successor does.
const doing = new WeakMap();
function listen(element, type, work) {
  if (!doing.has(element)) doing.set(element, {});
  if (!(type in doing.get(element))) element.addEventListener(type, (event) => doing.get(element)[type]?.(event));
  doing.get(element)[type] = work;
}

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) listen(element, name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
  return element;
}

export async function ask(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== "" && v !== undefined));
  const answer = await fetch(`/page/data/${path}?${query}`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// A change of a condition: the admin API takes it from this page only with the page's key.
export async function change(method, path, body) {
  const key = document.querySelector("meta[name=azlab-key]").content;
  const answer = await fetch(path, { method, headers: { "Content-Type": "application/json", "X-Azlab-Page": key },
    body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export const later = (milliseconds, work) => {
  let timer = 0;
  return (...values) => { clearTimeout(timer); timer = setTimeout(() => work(...values), milliseconds); };
};

export const short = (id) => String(id).split("/").pop();
export const kind = (type) => String(type).replace(/^Microsoft\./, "");
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
export const seconds = (s) => (s < 90 ? `${s < 10 ? s.toFixed(1) : Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`);
export const clock = (epoch) => new Date(epoch * 1000).toLocaleTimeString("en-GB");

// States are told by a sign and a word; colour only repeats them.
const SIGNS = { running: ["●", "good"], succeeded: ["✓", "good"], healthy: ["✓", "good"], stopped: ["■", "off"], deallocated: ["○", "off"],
  failed: ["✕", "bad"], canceled: ["⊘", "bad"], deleting: ["◌", "busy"], inprogress: ["◔", "busy"] };
export function state(word) {
  const [sign, tone] = SIGNS[String(word).toLowerCase()] ?? (word ? ["◔", "busy"] : ["–", "off"]);
  return h("span", { class: `state ${tone}` }, h("span", { "aria-hidden": "true" }, sign), " ", word || "none");
}

export const tags = (all) => h("span", { class: "tags" }, Object.entries(all ?? {}).map(([k, v]) => h("span", { class: "tag" }, v === "" ? k : `${k}: ${v}`)));

// A button that puts a text on the clipboard and says so; where the browser does not allow it, it says that.
export function copier(text, label, name = label) {
  const button = h("button", { type: "button", class: "copy", "aria-label": name, onclick: async () => {
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "Not allowed by the browser"; }
    setTimeout(() => { button.textContent = label; }, 2000);
  } }, label);
  return button;
}
export const copyable = (text, what) => h("span", { class: "copyable" }, h("code", {}, text), " ", copier(text, "Copy", `Copy ${what}`));
export const empty = (...text) => h("p", { class: "empty" }, ...text);

// Put new content in place. What is there and is in the new content too stays the same element, so that neither the
// keyboard's focus nor a click that has begun is lost when the lab goes on meanwhile. Siblings with a data-key are the
// same when their keys are; others when they are the next of their tag.
export function replace(parent, ...children) {
  arrange(parent, children.flat(9).filter(Boolean));
}

const sign = (node) => `${node.nodeName} ${node.dataset?.key ?? ""}`;

function arrange(parent, wanted) {
  const free = new Map();
  for (const node of parent.childNodes) free.set(sign(node), [...(free.get(sign(node)) ?? []), node]);
  const placed = wanted.map((fresh) => { const old = free.get(sign(fresh))?.shift(); return old ? become(old, fresh) : fresh; });
  for (const gone of [...free.values()].flat()) gone.remove();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let at = parent.firstChild;
  for (const node of placed) { if (node === at) at = at.nextSibling; else parent.insertBefore(node, at); }
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return old;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [had, does] = [doing.get(old) ?? {}, doing.get(fresh) ?? {}];
  for (const type of Object.keys({ ...had, ...does })) listen(old, type, does[type]);
  arrange(old, [...fresh.childNodes]);
  return old;
}

export function pager(page, total, size, go) {
  if (total <= size) return null;
  const from = page * size + 1;
  return h("div", { class: "pager" },
    h("button", { type: "button", "data-key": "page-before", "aria-disabled": page === 0 ? "true" : "false", onclick: () => page > 0 && go(page - 1) }, "← Before"),
    h("span", {}, `${from.toLocaleString("en")}–${Math.min(total, from + size - 1).toLocaleString("en")} of ${total.toLocaleString("en")}`),
    h("button", { type: "button", "data-key": "page-next", "aria-disabled": from + size > total ? "true" : "false", onclick: () => from + size <= total && go(page + 1) }, "Next →"));
}

export function dialog(title, ...content) {
  const box = document.getElementById("details");
  box.replaceChildren(h("div", { class: "dialog-head" }, h("h2", { id: "details-title" }, title),
    h("button", { type: "button", class: "quiet", onclick: () => box.close() }, "Close")), ...content.flat().filter(Boolean));
  if (!box.open) box.showModal();
  box.scrollTop = 0;
}

export async function showResource(id) {
  try {
    const text = JSON.stringify(await ask("resource", { id }), null, 2);
    dialog(short(id), h("p", { class: "id" }, id), copier(text, "Copy JSON"), h("pre", { tabindex: "0", "aria-label": "JSON" }, text));
  } catch (problem) {
    dialog(short(id), empty(problem.message));
  }
}

export const linkTo = (id, text = short(id), scope = "") => h("button", { type: "button", class: "link", title: id, "data-key": scope + id, onclick: () => showResource(id) }, text);

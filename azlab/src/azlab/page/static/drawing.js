// Copyright (c) 2026 The dockhost.azure authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The drawing of the lab: balancers above the networks whose hosts they lead to.
import { ask, copyable, count, empty, h, linkTo, replace, showResource, state } from "./dom.js";

const POOL = 12;

function host(item, scope) {
  const power = item.machine ? item.power || item.state : "no machine";
  return h("button", { type: "button", class: `host ${item.power || "none"}`, "data-key": scope + item.id, title: item.id, onclick: () => showResource(item.id) },
    h("strong", {}, item.name), state(power), h("code", {}, item.address), item.public ? h("code", { class: "public" }, `↔ ${item.public}`) : null);
}

function subnet(item) {
  const powers = Object.entries(item.power).map(([p, n]) => `${n} ${p}`).join(", ");
  return h("section", { class: "subnet", "aria-label": `Subnet ${item.name}` },
    h("div", { class: "box-head" }, h("h4", {}, item.name), h("code", {}, item.prefix), h("span", { class: "muted" }, powers || "no hosts")),
    item.security || item.gateway ? h("p", { class: "notes" }, item.security ? h("span", { class: "note" }, `security group ${item.security}`) : null,
      item.gateway ? h("span", { class: "note" }, `NAT gateway ${item.gateway}`) : null) : null,
    h("div", { class: "hosts" }, item.hosts.map((x) => host(x, `${item.id} `))),
    item.count > item.hosts.length ? h("p", { class: "muted" }, `and ${(item.count - item.hosts.length).toLocaleString("en")} more: see Machines`) : null);
}

function network(item) {
  return h("article", { class: "network" },
    h("div", { class: "box-head" }, h("h3", {}, linkTo(item.id, item.name, "network ")), h("code", {}, item.prefixes.join(", ")), h("span", { class: "muted" }, `virtual network · ${item.group} · ${item.location}`)),
    item.subnets.length ? item.subnets.map(subnet) : empty("no subnets"));
}

function rule(item, probes) {
  const probe = probes.find((p) => p.name === item.probe);
  return h("li", {}, h("span", { class: "port" }, `${item.protocol} ${item.from}`), h("span", { "aria-label": "leads to" }, " → "), h("span", {}, item.pools.join(", ") || "no pool"), h("span", { class: "port" }, `:${item.to}`),
    probe ? h("span", { class: "muted" }, ` probe ${probe.protocol} ${probe.port}${probe.path} every ${probe.interval} s`) : h("span", { class: "muted" }, " no probe"),
    item.healthy ? h("span", { class: "muted" }, `, ${item.healthy.length} healthy`) : null);
}

// A pool shows those members first that do not serve: of a hundred that do, a dozen say as much.
function pool(item, healthy) {
  const serves = (m) => (healthy ? healthy.includes(m.address) : m.power === "running");
  const members = [...item.members].sort((a, b) => serves(a) - serves(b)).slice(0, POOL);
  return h("div", { class: "pool" }, h("h4", {}, item.name, " ", h("span", { class: "muted" }, count(item.count, "member"))),
    h("ul", {}, members.map((m) => h("li", {}, h("span", { class: "member" }, m.name), " ", h("code", {}, m.address), " ",
      healthy ? state(healthy.includes(m.address) ? "healthy" : "failed") : state(m.power)))),
    item.count > members.length ? h("p", { class: "muted" }, `and ${(item.count - members.length).toLocaleString("en")} more`) : null);
}

function balancer(item) {
  const health = (name) => { const probed = item.rules.find((r) => r.healthy && r.pools.includes(name)); return probed?.healthy; };
  return h("article", { class: "balancer" },
    h("div", { class: "box-head" }, h("h3", {}, linkTo(item.id, item.name, "balancer ")), item.frontends.map((f) => h("code", { class: f.public ? "public" : "" }, f.address || f.name)),
      h("span", { class: "muted" }, `load balancer · ${item.group}`)),
    item.rules.length ? h("ul", { class: "rules" }, item.rules.map((r) => rule(r, item.probes))) : h("p", { class: "muted" }, "no rules"),
    item.nat ? h("p", { class: "muted" }, count(item.nat, "inbound NAT rule")) : null,
    h("div", { class: "pools" }, item.pools.map((p) => pool(p, health(p.name)))));
}

// What an empty lab says: how a client gets to it.
function start() {
  const name = document.getElementById("lab-name").textContent || "default";
  const line = (text, command) => h("li", {}, h("p", {}, text), copyable(command, "command"));
  return h("div", { class: "card start" }, h("h2", {}, "Nothing here yet"), h("p", { class: "muted" }, "Networks, hosts and load balancers appear as a client makes them. In a shell on this machine:"),
    h("ul", {}, line("bash, zsh and the like:", `eval "$(azlab env --name ${name})"`), line("or fish:", `azlab env --name ${name} --shell fish | source`), line("then your own playbook, script or command, unchanged:", "ansible-playbook site.yml")));
}

export function drawing() {
  const element = h("section", { class: "drawing" });
  const refresh = async () => {
    try {
      const found = await ask("drawing");
      replace(element, !found.networks.length && !found.balancers.length
        ? start()
        : [h("div", { class: "balancers" }, found.balancers.map(balancer)), h("div", { class: "networks" }, found.networks.map(network)),
          found.more.networks || found.more.balancers ? h("p", { class: "muted" }, `Not drawn: ${count(found.more.networks, "network")}, ${count(found.more.balancers, "load balancer")}; see Resources.`) : null]);
    } catch (problem) {
      replace(element, empty(problem.message));
    }
  };
  return { element, refresh };
}

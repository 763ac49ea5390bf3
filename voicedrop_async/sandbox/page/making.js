// Asking the desk (/_sandbox), and making what the page is made of.
// Nothing that came from outside is ever read as markup: texts go in as texts.

const GOOD = new Set(["Completed", "Finished"]);
const BAD = new Set(["Failed", "Unsent", "Terminated"]);

export const main = document.getElementById("main");
export const number = new Intl.NumberFormat("en-GB");
export const byId = (id) => document.getElementById(id);

export async function ask(path, options = {}) {
  const response = await fetch(`/_sandbox${path}`, options);
  if (response.ok) return response.json();
  const { error = `answered ${response.status}` } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(error), { status: response.status });
}

export const change = (path, content) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function moment(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  const shown = at.toLocaleString("en-GB", today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" });
  return make("time", { datetime: text, title: text }, shown);
}

export function badge(word, kind = GOOD.has(word) ? "good" : BAD.has(word) ? "bad" : "") {
  return make("span", { class: `badge ${kind}` }, word.replace(/(?<=[a-z])(?=[A-Z])/g, " "));
}

export function answered(entry) {
  if (entry.status === null) return badge(entry.note ? "not received" : entry.fault ? "no answer" : "under way", entry.note || entry.fault ? "bad" : "warn");
  return badge(String(entry.status), entry.status < 300 ? "good" : "bad");
}

export function facts(rows) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of rows) {
    if (value !== undefined && value !== null && value !== "") list.append(make("dt", {}, name), make("dd", {}, value));
  }
  return list;
}

export function part(title, ...children) {
  return make("section", { class: "part" }, make("h2", {}, title), ...children);
}

export function text(content) {
  return make("pre", { tabindex: "0" }, content);
}

export function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

export const seconds = (value) => (value === undefined ? undefined : `${number.format(value)} s`);
export const counted = (count, one, many) => `${number.format(count)} ${count === 1 ? one : many}`;

// The page of the sandbox: it asks the desk what there is, twice a second while somebody looks, and shows it.

import { ask, byId, change, counted, main, make, number } from "./making.js";
import { listView, lists, oneView } from "./views.js";

const LOOK = 500; // milliseconds between two looks

// ---- going from view to view

let refresh = async () => {}; // asks what the present view shows, and shows it
let looking = Promise.resolve(); // one look at a time,
let next = null; // and at most one that waits
let notBefore = 0; // a look through a long list is not begun again at once

function look() {
  next ??= looking = looking.then(async () => {
    next = null;
    const began = performance.now();
    try {
      await refresh();
      trouble = null;
    } catch (error) {
      trouble = error;
    }
    tell(trouble);
    notBefore = performance.now() + 4 * (performance.now() - began);
  });
  return looking;
}

function decoded(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // typed by hand, with a percent sign
  }
}

function open({ keep = false } = {}) {
  const [path, asked] = location.hash.replace(/^#\/?/, "").split("?");
  const [kind, ...names] = path.split("/");
  const view = Object.hasOwn(lists, kind) || kind === "faults" ? kind : "campaigns";
  const shown = view === "faults" ? "campaigns" : view;
  const name = decoded(names.join("/"));
  const query = new URLSearchParams(asked);
  const focus = keep ? document.activeElement : null;
  document.title = `${view === "faults" ? "Faults" : lists[view].title} – Sandbox`;
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.hash === `#/${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (keep) {
    const form = main.querySelector(".find");
    refresh = listView(shown, query, find);
    main.querySelector(".find").replaceWith(form); // the one that is typed into
    focus?.focus();
  } else {
    refresh = name ? oneView(shown, name) : listView(shown, query, find);
  }
  return look();
}

function find(asked) {
  history.replaceState(null, "", `#/messages?${asked}`);
  open({ keep: true });
}

addEventListener("hashchange", async () => {
  await open();
  scrollTo(0, 0);
  (document.body.dataset.view === "faults" ? byId("faults") : main.querySelector("h1")).focus();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

// ---- staying alive

let stamp = "";
let changed = false;

let trouble = null; // why the last look at the present view failed

function tell(error) {
  const life = !error ? "live" : error.status ? "refused" : "lost";
  const words = { live: "Live", refused: `Refused: ${error?.message}`, lost: "Not reached; is it still running?" }[life];
  if (life === "lost") stamp = "";
  if (byId("life").textContent !== words) byId("life").textContent = words; // or it would be read aloud again
  byId("life").dataset.life = life;
}

let faultsShown = "";
let aboutFaults = false; // whether what was said last is about those that wait; once one is used up, it is no longer so

function said(words, { refused = false, faults = false } = {}) {
  byId("said").className = refused ? "refused" : "";
  byId("said").textContent = words;
  aboutFaults = faults;
}

function showFaults(faults) {
  const of = (path) => (path ? `, ${path}` : "");
  const words = [
    ...faults.waiting.map((one) => `${one.times > 1 ? `Next ${number.format(one.times)}:` : "Next:"} ${one.fault}${of(one.path)}`),
    ...faults.delays.map((one) => `Slow by ${one.seconds} s${of(one.path)}`),
    ...(faults.page_size_cap === null ? [] : [`Pages of ${number.format(faults.page_size_cap)} at most`]),
  ];
  const list = byId("waiting");
  faultsShown = JSON.stringify(faults);
  byId("clear").disabled = !words.length;
  document.querySelector("[data-count=faults]").textContent = words.length || "";
  list.replaceChildren(...(words.length ? words.map((word) => make("li", {}, word)) : [make("li", { class: "none" }, "None waits: all is well.")]));
}

function showCounts(overview) {
  for (const [name, count] of Object.entries(overview.counts)) {
    document.querySelector(`[data-count=${name}]`).textContent = number.format(count);
  }
  byId("urls").replaceChildren(
    ...Object.entries(overview.urls).map(([name, url]) => make("div", {}, make("dt", {}, name), make("dd", {}, make("code", {}, url)))),
  );
}

async function watch() {
  if (!document.hidden) {
    try {
      const overview = await ask("");
      const now = JSON.stringify([overview.counts, overview.faults, overview.urls]);
      if (now !== stamp) {
        stamp = now;
        showCounts(overview);
        if (JSON.stringify(overview.faults) !== faultsShown && aboutFaults) said("");
        showFaults(overview.faults);
        changed = true;
      }
      if ((changed || overview.moving) && performance.now() > notBefore) {
        changed = false;
        await look();
      }
      tell(trouble);
    } catch (error) {
      tell(error);
    }
  }
  setTimeout(watch, LOOK);
}

// ---- faults

const value = (id) => Number(byId(id).value);
const chosen = () => ({ path: byId("path").value || null });
const PROXY = "<!doctype html><title>Bad gateway</title><h1>502 Bad gateway</h1>";

function lever(id, work, done, { faults = false } = {}) {
  byId(id).addEventListener("click", async () => {
    try {
      const answer = await work();
      said(done(answer), { faults });
      if (faults) showFaults(answer);
      else showFaults((await ask("")).faults);
    } catch (error) {
      said(`Refused: ${error.message}`, { refused: true });
    }
  });
}

function failing(id, fault) {
  const words = () => (value("times") === 1 ? "The next request fails so." : `The next ${number.format(value("times"))} requests fail so.`);
  lever(id, () => change("/faults", { ...fault(), ...chosen(), times: value("times") }), words, { faults: true });
}

failing("too-many", () => ({ status: 429, retry_after: value("retry-after") }));
failing("drop-after", () => ({ drop: "after_acting" }));
failing("drop-before", () => ({ drop: "before_acting" }));
failing("cut", () => ({ cut: true }));
failing("html", () => ({ status: 502, body: PROXY }));
lever("slow", () => change("/delay", { seconds: value("seconds"), ...chosen() }), () => (value("seconds") ? "Answers are slow now." : "Answers are quick again."));
lever("cap", () => change("/cap_page_size", { size: value("size") }), () => `Pages have ${number.format(value("size"))} at most now.`);
lever("expire", () => change("/expire_tokens", {}), () => "Every token has expired.");
lever("grow", () => change("/grow", { count: value("count") }), (answer) => `${counted(answer.ids.length, "message", "messages")} came at the head of the list.`);
lever("shrink", () => change("/shrink", { count: value("count") }), (answer) => `${counted(answer.ids.length, "message", "messages")} went from the head of the list.`);
lever("clear", () => ask("/faults", { method: "DELETE" }), () => {
  byId("faults").focus(); // the button has nothing more to do
  return "No fault waits any more.";
});

open();
watch();

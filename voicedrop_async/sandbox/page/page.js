// The page of the sandbox: it asks the desk (/_sandbox) what there is, twice a second while somebody looks, and shows it.
// Nothing that came from outside is ever read as markup: texts go in as texts.

const LOOK = 500; // milliseconds between two looks
const PART = 50; // entries of a list at once
const STATUSES = ["Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy", "NoAnswer", "Failed", "Unknown", "Unsent", "Terminated"];
const GOOD = new Set(["Completed", "Finished"]);
const BAD = new Set(["Failed", "Unsent", "Terminated"]);

const main = document.getElementById("main");
const number = new Intl.NumberFormat("en-GB");
const byId = (id) => document.getElementById(id);

// ---- asking

async function ask(path, options = {}) {
  const response = await fetch(`/_sandbox${path}`, options);
  if (response.ok) return response.json();
  const { error = `answered ${response.status}` } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(error), { status: response.status });
}

const change = (path, content) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });

// ---- making

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function moment(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  const shown = at.toLocaleString("en-GB", today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" });
  return make("time", { datetime: text, title: text }, shown);
}

function badge(word, kind = GOOD.has(word) ? "good" : BAD.has(word) ? "bad" : "") {
  return make("span", { class: `badge ${kind}` }, word.replace(/(?<=[a-z])(?=[A-Z])/g, " "));
}

function answered(entry) {
  if (entry.status === null) return badge(entry.note ? "not received" : entry.fault ? "no answer" : "under way", entry.note || entry.fault ? "bad" : "warn");
  return badge(String(entry.status), entry.status < 300 ? "good" : "bad");
}

function facts(rows) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of rows) {
    if (value !== undefined && value !== null && value !== "") list.append(make("dt", {}, name), make("dd", {}, value));
  }
  return list;
}

function part(title, ...children) {
  return make("section", { class: "part" }, make("h2", {}, title), ...children);
}

function text(content) {
  return make("pre", { tabindex: "0" }, content);
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

const seconds = (value) => (value === undefined ? undefined : `${number.format(value)} s`);
const counted = (count, one, many) => `${number.format(count)} ${count === 1 ? one : many}`;

// ---- lists: one row is a link; a row that is still there stays the same element, so that the focus stays on it

const lists = {
  campaigns: {
    title: "Campaigns",
    key: (one) => one.tracking_id,
    empty: ["Nothing was sent yet.", "Send a campaign to the address below, and watch it here."],
    row: (one) => [
      make("b", {}, one.name ?? "(no name)"),
      badge(one.state),
      make("progress", { value: one.over, max: one.recipients, "aria-label": "Calls that are over" }),
      make("span", { class: "meta" }, make("span", {}, `${number.format(one.over)} of ${counted(one.recipients, "call", "calls")} over`), moment(one.created_at)),
    ],
  },
  messages: {
    title: "Messages",
    key: (one) => one.messageId,
    empty: ["No message was found."],
    row: (one) => [
      make("b", {}, one.to),
      badge(one.status.status),
      make(
        "span",
        { class: "meta" },
        make("span", {}, one.campaign ?? (one.conversationTrackingId ? "A conversation" : "")),
        one.duration ? make("span", {}, seconds(one.duration)) : null,
        one.recordings.length ? make("span", {}, counted(one.recordings.length, "recording", "recordings")) : null,
        moment(one.status.date),
      ),
    ],
  },
  requests: {
    title: "Requests",
    key: (one) => one.number,
    empty: ["No request has arrived yet."],
    row: (one) => [
      make("b", {}, `${one.method} ${one.path}`),
      answered(one),
      make(
        "span",
        { class: "meta" },
        make("span", {}, one.site),
        one.bytes ? make("span", {}, counted(one.bytes, "byte", "bytes")) : null,
        one.fault ? make("span", { class: "fault" }, one.fault) : null,
        moment(one.at),
      ),
    ],
  },
  callbacks: {
    title: "Callbacks",
    key: (one) => one.number,
    empty: ["No callback was sent yet.", "A campaign that names a callback on this machine is told of here."],
    row: (one) => [
      make("b", {}, `${one.about === "message" ? "Message" : "Campaign"}: ${one.news}`),
      answered(one),
      make(
        "span",
        { class: "meta" },
        make("span", {}, one.url),
        one.attempt > 1 ? make("span", {}, `attempt ${one.attempt}`) : null,
        one.note ? make("span", { class: "fault" }, one.note) : null,
        moment(one.at),
      ),
    ],
  },
};

function fill(list, kind, entries) {
  const { key, row } = lists[kind];
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  entries.forEach((entry, place) => {
    const name = String(key(entry));
    const content = JSON.stringify(entry);
    let item = before.get(name);
    before.delete(name);
    if (!item) {
      item = make("li", { "data-key": name }, make("a", { class: "row", href: `#/${kind}/${encodeURIComponent(name)}` }));
    }
    if (item.content !== content) {
      item.content = content;
      item.firstChild.replaceChildren(...row(entry));
    }
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  for (const gone of before.values()) gone.remove();
}

function listView(kind, query) {
  const { title, empty } = lists[kind];
  const offset = Number(query.get("offset") ?? 0);
  const list = make("ol", { class: "rows" });
  const none = make("div", { class: "empty", hidden: "" }, ...empty.map((line) => make("p", {}, line)));
  const seen = make("span", {});
  const newer = make("a", { hidden: "" }, "Newer");
  const older = make("a", { hidden: "" }, "Older");
  const head = make("div", { class: "head" }, make("h1", { tabindex: "-1" }, title));
  const pages = make("nav", { class: "pages", "aria-label": "Parts of the list" }, newer, seen, older);
  main.replaceChildren(head, ...(kind === "messages" ? [finder(query)] : []), list, none, pages);

  function place(link, at, there) {
    const asked = new URLSearchParams(query);
    asked.set("offset", at);
    link.href = `#/${kind}?${asked}`;
    link.hidden = !there;
  }

  return async () => {
    const asked = new URLSearchParams(query);
    asked.set("limit", PART);
    const answer = await ask(`/${kind}?${asked}`);
    const entries = answer[kind];
    const here = answer.kept ?? answer.total;
    const more = answer.more ?? offset + entries.length < here;
    fill(list, kind, entries);
    list.hidden = !entries.length;
    none.hidden = Boolean(entries.length);
    place(newer, Math.max(offset - PART, 0), offset > 0);
    place(older, offset + PART, more);
    const total = here === null ? "" : ` of ${number.format(here)}`;
    const countedOnly = answer.kept < answer.total ? ` (${number.format(answer.total)} in all, the last ones are kept)` : "";
    seen.textContent = entries.length ? `${number.format(offset + 1)} to ${number.format(offset + entries.length)}${total}${countedOnly}` : "";
  };
}

function finder(query) {
  const search = make("input", { type: "search", value: query.get("search") ?? "", placeholder: "Number, id, campaign or text" });
  const status = make("select", {}, make("option", { value: "" }, "Any"));
  for (const word of STATUSES) status.append(make("option", { value: word }, word));
  status.value = query.get("status") ?? "";
  const campaign = query.get("campaign");
  const form = make("form", { class: "find", role: "search" }, make("label", {}, "Search", search), make("label", {}, "Status", status));
  if (campaign) form.append(make("a", { href: "#/messages", class: "back" }, "Of one campaign; show all"));
  let soon;
  function find() {
    clearTimeout(soon);
    const asked = new URLSearchParams();
    for (const [name, value] of [["search", search.value.trim()], ["status", status.value], ["campaign", campaign]]) {
      if (value) asked.set(name, value);
    }
    history.replaceState(null, "", `#/messages?${asked}`);
    open({ keep: true });
  }
  search.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(find, 200);
  });
  status.addEventListener("change", find);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });
  return form;
}

// ---- one thing

const whole = {
  campaigns: (one) => [
    one.name ?? "(no name)",
    badge(one.state),
    make("progress", { value: one.over, max: one.recipients, "aria-label": "Calls that are over" }),
    facts([
      ["Over", `${number.format(one.over)} of ${counted(one.recipients, "call", "calls")}`],
      ["Tracking id", one.tracking_id],
      ["Accepted", moment(one.created_at)],
      ["Begins", moment(one.starts_at)],
      ["Ends", moment(one.ends_at)],
    ]),
    part("Calls", facts(STATUSES.filter((status) => one.statuses[status]).map((status) => [status, number.format(one.statuses[status])]))),
    make("p", {}, make("a", { href: `#/messages?campaign=${encodeURIComponent(one.tracking_id)}` }, "Its messages")),
    part("As it was sent", text(JSON.stringify(one.body, null, 2))),
  ],
  messages: (one) => [
    `Message to ${one.to}`,
    badge(one.status.status),
    facts([
      ["Campaign", one.campaign],
      ["From", one.from],
      ["Status since", moment(one.status.date)],
      ["Spoken", one.message?.text],
      ["Played", one.fileURL],
      ["Lasted", seconds(one.duration)],
      ["Price", one.price === undefined ? undefined : String(one.price)],
      ["Answered by", one.answeredBy],
      ["Country", one.country],
      ["Message id", one.messageId],
      ["Conversation", one.conversationTrackingId],
    ]),
    part("As tracking shows it", text(JSON.stringify(one, null, 2))),
  ],
  requests: (one) => [
    `${one.method} ${one.path}`,
    answered(one),
    facts([
      ["Arrived", moment(one.at)],
      ["At", one.site],
      ["Answered", one.status === null ? (one.fault ? "never: the connection was dropped" : "not yet") : String(one.status)],
      ["Fault", one.fault],
      ["Number", number.format(one.number)],
    ]),
    one.query.length ? part("Query", facts(one.query)) : null,
    part("Headers", facts(Object.entries(one.headers))),
    part("Body", one.body ? text(pretty(one.body)) : make("p", {}, "None.")),
  ],
  callbacks: (one) => [
    `${one.about === "message" ? "Message" : "Campaign"}: ${one.news}`,
    answered(one),
    facts([
      ["Sent", moment(one.at)],
      ["To", one.url],
      ["Attempt", String(one.attempt)],
      ["Answered", one.status === null ? `not: ${one.note}` : one.status === 200 ? "200, received" : `${one.status}: only 200 counts as received`],
      [one.about === "message" ? "Message id" : "Tracking id", make("a", { href: `#/${one.about}s/${encodeURIComponent(one.id)}` }, one.id)],
    ]),
    part("Body", text(JSON.stringify(one.body, null, 2))),
  ],
};

function oneView(kind, name) {
  const title = make("h1", { tabindex: "-1" }, lists[kind].title);
  const head = make("div", { class: "head" }, title);
  const rest = make("div", {});
  main.replaceChildren(make("a", { class: "back", href: `#/${kind}` }, `All ${kind}`), head, rest);
  let shown;
  return async () => {
    let one;
    try {
      one = await ask(`/${kind}/${encodeURIComponent(name)}`);
    } catch (error) {
      if (error.status !== 404) throw error;
      rest.replaceChildren(make("div", { class: "empty" }, make("p", {}, "There is none, or it is not kept any more.")));
      return;
    }
    const content = JSON.stringify(one);
    if (content === shown) return;
    shown = content;
    const [heading, mark, ...parts] = whole[kind](one);
    title.textContent = heading;
    head.replaceChildren(title, mark);
    rest.replaceChildren(...parts.filter(Boolean));
    if (title.isConnected) document.title = `${heading} – Sandbox`;
  };
}

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
    refresh = listView(shown, query);
    main.querySelector(".find").replaceWith(form); // the one that is typed into
    focus?.focus();
  } else {
    refresh = name ? oneView(shown, name) : listView(shown, query);
  }
  return look();
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

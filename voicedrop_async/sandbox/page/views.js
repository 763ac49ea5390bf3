// What the page shows: lists of what there is, and one thing whole. Each view asks for it anew whenever it is looked at.

import { answered, ask, badge, counted, facts, main, make, moment, number, part, pretty, seconds, text } from "./making.js";

const PART = 50; // entries of a list at once
const STATUSES = ["Queued", "Initiated", "Ringing", "InProgress", "Completed", "Busy", "NoAnswer", "Failed", "Unknown", "Unsent", "Terminated"];

// ---- lists: one row is a link; a row that is still there stays the same element, so that the focus stays on it

export const lists = {
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

export function listView(kind, query, find) {
  const { title, empty } = lists[kind];
  const offset = Number(query.get("offset") ?? 0);
  const list = make("ol", { class: "rows" });
  const none = make("div", { class: "empty", hidden: "" }, ...empty.map((line) => make("p", {}, line)));
  const seen = make("span", {});
  const newer = make("a", { hidden: "" }, "Newer");
  const older = make("a", { hidden: "" }, "Older");
  const head = make("div", { class: "head" }, make("h1", { tabindex: "-1" }, title));
  const pages = make("nav", { class: "pages", "aria-label": "Parts of the list" }, newer, seen, older);
  main.replaceChildren(head, ...(kind === "messages" ? [finder(query, find)] : []), list, none, pages);

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

function finder(query, find) {
  const search = make("input", { type: "search", value: query.get("search") ?? "", placeholder: "Number, id, campaign or text" });
  const status = make("select", {}, make("option", { value: "" }, "Any"));
  for (const word of STATUSES) status.append(make("option", { value: word }, word));
  status.value = query.get("status") ?? "";
  const campaign = query.get("campaign");
  const form = make("form", { class: "find", role: "search" }, make("label", {}, "Search", search), make("label", {}, "Status", status));
  if (campaign) form.append(make("a", { href: "#/messages", class: "back" }, "Of one campaign; show all"));
  let soon;
  function wish() {
    clearTimeout(soon);
    const asked = new URLSearchParams();
    for (const [name, value] of [["search", search.value.trim()], ["status", status.value], ["campaign", campaign]]) {
      if (value) asked.set(name, value);
    }
    find(asked);
  }
  search.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(wish, 200);
  });
  status.addEventListener("change", wish);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wish();
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

export function oneView(kind, name) {
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

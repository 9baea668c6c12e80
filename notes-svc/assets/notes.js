/* SPDX-License-Identifier: MIT
 *
 * What the pages can do beyond forms and links: typed text is kept in this browser until it is saved, comments
 * come and go without a reload, what others change appears by itself, limits are counted while one types. Every
 * page works without this file, and every part of it works without the browser's storage. What people wrote
 * enters the page as text only; the one exception is a note's body, which the server has made to HTML by the
 * renderer that makes its pages too. */
"use strict";

/* --- Drafts: one record per user and form, in localStorage --- */

const user = document.getElementById("signed-in-user")?.textContent ?? "";
let storageFailed = false;

function draftName(kind, key) {
  return `notes-draft:${kind}:${JSON.stringify([user, key])}`;
}

function readDraft(name) {
  try {
    const draft = JSON.parse(localStorage.getItem(name));
    return draft && typeof draft.fields === "object" ? draft : null;
  } catch {
    return null;
  }
}

function writeDraft(name, draft) {
  try {
    localStorage.setItem(name, JSON.stringify(draft));
    storageFailed = false;
  } catch {
    storageFailed = true;
  }
}

function dropDraft(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    /* What was never stored need not be dropped. */
  }
}

/* --- Small helpers --- */

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const announceAfterMs = 100;

/* The page's own region. A page of the release before, which has none, gets one: it may be heard less well. */
function statusRegion() {
  let region = document.getElementById("status");
  if (!region) {
    region = element("p", { id: "status", className: "visually-hidden" });
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  return region;
}

const toAnnounce = new Set();
let announceTimer = 0;

/* For people who hear the page: says what has changed. It is heard when the text of what was there before changes:
 * so the region is the page's own, it is emptied first, and what is said twice is heard twice. What comes in the same
 * moment is said together. */
function announce(text) {
  const status = statusRegion();
  status.textContent = "";
  toAnnounce.add(text);
  announceTimer ||= setTimeout(() => {
    status.textContent = [...toAnnounce].join(" ");
    toAnnounce.clear();
    announceTimer = 0;
  }, announceAfterMs);
}

const draftedNames = ["title", "body", "notekey", "message"];

/* What is typed in a form, by field. Hidden fields are not typed. */
function typedFields(form) {
  return [...form.elements].filter((field) => draftedNames.includes(field.name) && field.type !== "hidden");
}

function typedText(form) {
  return Object.fromEntries(typedFields(form).map((field) => [field.name, field.value]));
}

function isSameText(form, fields) {
  return typedFields(form).every((field) => (fields[field.name] ?? "") === field.value);
}

function fill(form, fields) {
  for (const field of typedFields(form)) {
    if (typeof fields[field.name] === "string") {
      field.value = fields[field.name];
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

/* --- Limits: counted from 80 % on --- */

function usedAmount(field) {
  if (field.dataset.maxBytes) {
    return new TextEncoder().encode(field.value).length;
  }
  let count = 0;
  for (const character of field.value) {
    count += character ? 1 : 0; /* code points, as the server counts */
  }
  return count;
}

function watchLimit(field) {
  const limit = Number(field.dataset.maxBytes ?? field.dataset.maxChars);
  const shown = document.getElementById(`${field.id}-count`);
  const unit = field.dataset.maxBytes ? "byte" : "character";
  const amount = (number) => `${number.toLocaleString("en")} ${unit}${number === 1 ? "" : "s"}`;
  const count = () => {
    /* A text of n UTF-16 units has at most 3n bytes: most keystrokes need no exact count. */
    const isNear = field.value.length * (field.dataset.maxBytes ? 3 : 1) >= limit * 0.8;
    const used = isNear ? usedAmount(field) : 0;
    shown.classList.toggle("count-over", used > limit);
    if (used > limit) {
      shown.textContent = `${amount(used - limit)} too many`;
    } else if (used >= limit * 0.8) {
      shown.textContent = `${amount(limit - used)} left`;
    } else {
      shown.textContent = "";
    }
  };
  if (shown && limit > 0) {
    field.addEventListener("input", count);
    count();
  }
}

/* --- Drafts of forms --- */

/* Says that a form holds a kept text, and lets one change between that text and the page's own. Each press puts
 * what is typed by then aside, so that none loses anything. Returns what takes the notice away. */
function showRestored(form, original, originalVersion) {
  const version = form.elements.namedItem("version");
  const said = element("span");
  const button = element("button", { type: "button", className: "button-quiet" });
  const notice = element("div", { className: "notice" }, said, button);
  let aside = { fields: original, version: originalVersion };
  let isDiscarded = false;
  const say = () => {
    said.textContent = isDiscarded ? "What you typed here earlier is discarded." : "We kept what you typed here earlier.";
    button.textContent = isDiscarded ? "Undo" : "Discard it";
    announce(said.textContent);
  };
  button.addEventListener("click", (event) => {
    if (event.detail > 1) {
      return; /* the second half of a double click */
    }
    const typed = { fields: typedText(form), version: version ? version.value : null };
    if (version) {
      version.value = aside.version;
    }
    fill(form, aside.fields);
    aside = typed;
    isDiscarded = !isDiscarded;
    say();
    typedFields(form)[0].focus();
  });
  say();
  form.prepend(notice);
  return () => !isDiscarded && notice.remove();
}

/* Keeps the text of a form. Returns what ends the keeping, for after a save. */
function keepDraft(form, name, mayRestore) {
  const version = form.elements.namedItem("version");
  const original = typedText(form);
  const originalVersion = version ? version.value : null;
  let dropNotice = () => {};
  let timer = 0;

  const store = (isSent) => {
    clearTimeout(timer);
    timer = 0;
    if (isSameText(form, original) && mayRestore) {
      dropDraft(name);
      return;
    }
    writeDraft(name, { fields: typedText(form), version: version ? version.value : null, isSent });
  };

  const draft = readDraft(name);
  if (draft && mayRestore && !isSameText(form, draft.fields)) {
    fill(form, draft.fields);
    if (version && draft.version) {
      /* The text was typed over that version: saved over a newer one, both are shown. Never a silent overwrite. */
      version.value = draft.version;
    }
    dropNotice = showRestored(form, original, originalVersion);
  }

  form.addEventListener("input", () => {
    if (!timer) {
      timer = setTimeout(() => store(false), 400);
    }
  });
  form.addEventListener("submit", () => store(true));
  addEventListener("pagehide", () => {
    if (timer) {
      store(false);
    }
  });
  addEventListener("beforeunload", (event) => {
    if (storageFailed && !form.dataset.sent && !isSameText(form, original)) {
      event.preventDefault();
    }
  });
  return () => {
    clearTimeout(timer);
    timer = 0;
    dropDraft(name);
    dropNotice();
  };
}

/* The form of a note. Whether the save succeeded is known on the page that comes next: the note's own page
 * drops the draft (dropSavedDrafts), any page with a form means that it did not. */
function keepNoteForm(form) {
  const name = draftName("note", form.dataset.savedKey);
  const unsend = () => {
    const draft = readDraft(name);
    if (draft?.isSent) {
      writeDraft(name, { ...draft, isSent: false });
    }
  };
  unsend();
  addEventListener("pageshow", unsend);
  keepDraft(form, name, "restore" in form.dataset);
}

/* On a note's page: a draft that was sent from the page one comes from, and that this note now holds, is saved. */
function dropSavedDrafts(note) {
  const cameFromForm = /^\/notes\/(add|edit|save)$/.test(pathOf(document.referrer));
  const title = document.getElementById("notetitle").textContent.trim();
  for (const key of [note.dataset.key, ""]) {
    const name = draftName("note", key);
    const draft = readDraft(name);
    const isNewer = draft && Number(note.dataset.version) > Number(draft.version);
    if (cameFromForm && draft?.isSent && isNewer && String(draft.fields.title).trim() === title) {
      dropDraft(name);
    }
  }
}

function pathOf(address) {
  try {
    const url = new URL(address);
    return url.origin === location.origin ? url.pathname : "";
  } catch {
    return "";
  }
}

/* --- Sending a form once --- */

function setSent(form, isSent) {
  if (isSent) {
    form.dataset.sent = "";
  } else {
    delete form.dataset.sent;
  }
  for (const button of form.querySelectorAll("button[type=submit]")) {
    button.setAttribute("aria-disabled", String(isSent));
  }
}

/* A second press does nothing for a while: a lost connection must not lock the form for good. */
function guardSecondSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") {
    return;
  }
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  setSent(form, true);
  setTimeout(() => setSent(form, false), 8000);
}

/* --- Comments without a reload --- */

const answerTimeoutMs = 15000; /* longer than the server takes to give up on a request */
const sendingAfterMs = 400; /* a usual answer is here before that */

/* What an error says, beside the form that it is about: scripts are told the field before it. */
function reasonOf(error) {
  const start = `${error?.field}: `;
  return error?.message?.startsWith(start) ? error.message.slice(start.length) : error?.message;
}

/* Sends a form and returns { answer } or { problem: a sentence, isOfField: what was typed is wrong, needsLogin,
 * isUnknown: it may have been done }. */
async function send(form) {
  let response;
  let answer = null;
  try {
    response = await fetch(form.getAttribute("action"), {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
      redirect: "manual",
      signal: AbortSignal.timeout?.(answerTimeoutMs),
    });
    answer = await response.text();
  } catch (error) {
    return { problem: error instanceof DOMException ? "No answer came." : "The site can’t be reached.", isUnknown: true };
  }
  if (response.type === "opaqueredirect" || response.status === 401) {
    return { problem: "You are no longer logged in.", needsLogin: true };
  }
  try {
    answer = JSON.parse(answer);
  } catch {
    answer = null;
  }
  if (response.ok && answer) {
    return { answer };
  }
  const problem = reasonOf(answer) ?? `That did not work (${response.status}). Please try again.`;
  return { problem, isOfField: Boolean(answer?.field) };
}

/* Sends a form as `send` does; its button says `word` when that takes a while. */
async function sendShown(form, word) {
  const button = form.querySelector("button[type=submit]");
  const content = [...button.childNodes];
  const timer = setTimeout(() => {
    button.textContent = word;
    announce(word);
  }, sendingAfterMs);
  const result = await send(form);
  clearTimeout(timer);
  button.replaceChildren(...content);
  setSent(form, false);
  return result;
}

function hiddenField(name, value) {
  return element("input", { type: "hidden", name, value });
}

function commentDestroyForm(comment, commentForm) {
  const form = element("form", { className: "comment-destroy", method: "post" });
  form.setAttribute("action", "/notes/comment/destroy");
  for (const name of ["csrf", "key"]) {
    form.append(hiddenField(name, commentForm.elements.namedItem(name).value));
  }
  form.append(hiddenField("id", comment.id));
  form.append(element("button", { type: "submit", className: "button-quiet" }, "Delete",
    element("span", { className: "visually-hidden", textContent: ` the comment of ${comment.from}` })));
  return form;
}

/* A time as the server's pages write it. */
function peopleTime(date) {
  return date.toUTCString().replace(/^\w+, 0?(\d+ \w+ \d+) (\d+:\d+).*/, "$1, $2 UTC");
}

function showTime(time, date) {
  time.dateTime = date.toISOString();
  time.textContent = peopleTime(date);
  time.title = date.toLocaleString();
  return time;
}

const commentIdStart = "note-message-";

function commentNumber(item) {
  return Number(item.id.slice(commentIdStart.length));
}

/* The numbers of comments that were there and are not: an answer that comes late must not bring one back. */
const goneComments = new Set();

/* Adds a comment to the list, unless it is there. The newest is first: those of several servers, and answers to
 * one's own, may come in another order than they were made. */
function showComment(comment, commentForm) {
  const id = commentIdStart + comment.id;
  if (document.getElementById(id)) {
    return;
  }
  const item = element("li", { className: "comment comment-new", id },
    element("p", { className: "meta" },
      element("bdi", { className: "comment-author", textContent: comment.from }), " ",
      showTime(element("time"), new Date(comment.timestamp))),
    element("p", { className: "comment-text", dir: "auto", textContent: comment.message }));
  if (comment.canDestroy) {
    item.append(commentDestroyForm(comment, commentForm));
  }
  const list = document.getElementById("noteMessages");
  const older = [...list.children].find((there) => commentNumber(there) < comment.id);
  list.insertBefore(item, older ?? null);
  showWhetherEmpty();
}

function showWhetherEmpty() {
  document.querySelector(".no-comments").hidden = document.querySelector(".comment") !== null;
}

/* A draft waits for those who log in again; the page's own form token does not. */
function sayProblem(shown, { problem = "", needsLogin = false }) {
  shown.textContent = problem;
  if (needsLogin) {
    shown.append(" ", element("a", { href: "/users/login", textContent: "Log in again" }), ".");
  }
}

function showCommentProblem(form, result) {
  const field = form.elements.namedItem("message");
  sayProblem(document.getElementById("message-error"), result);
  if (result.isOfField) {
    field.setAttribute("aria-invalid", "true");
  } else {
    field.removeAttribute("aria-invalid");
  }
}

/* The comment that was sent last and has no answer (yet): { isSame(comment), isThere, arrive() }. */
let unanswered = null;

/* A comment that comes by the live socket may be the one whose answer is missing. */
function settleComment(comment) {
  if (unanswered?.isSame(comment)) {
    unanswered.isThere = true;
    unanswered.arrive();
  }
}

async function sendComment(form, endDraft) {
  const field = form.elements.namedItem("message");
  const sentText = field.value;
  const lastId = Math.max(0, ...[...document.querySelectorAll(".comment")].map(commentNumber));
  let isOver = false;
  const finish = (news = "Your comment is there.") => {
    unanswered = null;
    showCommentProblem(form, {});
    announce(news);
    if (field.value === sentText) {
      fill(form, { message: "" });
      endDraft();
    }
  };
  const sent = {
    /* An older one may say the same. */
    isSame: ({ id, from, message }) => id > lastId && from === user && message.trim() === sentText.trim(),
    isThere: false,
    arrive: () => isOver && finish(),
  };
  unanswered = sent;
  showCommentProblem(form, {});
  const result = await sendShown(form, "Sending…");
  isOver = true;
  if (result.isUnknown && !sent.isThere) {
    result.problem += " Whether your comment was saved is not known; your text stays here.";
  } else if (result.isUnknown || result.answer) {
    if (goneComments.has(result.answer?.id)) {
      finish("Your comment was saved, and is no longer here.");
    } else {
      if (result.answer) {
        showComment(result.answer, form);
      }
      finish();
    }
    field.focus();
    return;
  } else {
    unanswered = null;
  }
  showCommentProblem(form, result);
  field.focus();
}

async function destroyComment(form) {
  const item = form.closest(".comment");
  const result = await sendShown(form, "Deleting…");
  item.querySelector(".form-error")?.remove();
  if (result.problem) {
    const error = element("p", { className: "form-error" });
    error.setAttribute("role", "alert");
    item.append(error);
    if (result.isUnknown) {
      result.problem += " Whether the comment was deleted is not known.";
    }
    sayProblem(error, result);
    return;
  }
  goneComments.add(commentNumber(item));
  item.remove();
  showWhetherEmpty();
  announce("The comment is deleted.");
  document.getElementById("comments-title").focus();
}

function startComments(note) {
  const form = document.querySelector(".comment-form");
  let endDraft = () => {};
  if (form) {
    /* A form that comes back with a refusal holds what was typed last. */
    const wasRefused = form.elements.namedItem("message").getAttribute("aria-invalid") === "true";
    endDraft = keepDraft(form, draftName("comment", note.dataset.key), !wasRefused);
  }
  document.addEventListener("submit", (event) => {
    const isComment = event.target === form;
    if (event.defaultPrevented || !(isComment || event.target.matches(".comment-destroy"))) {
      return;
    }
    event.preventDefault();
    if ("sent" in event.target.dataset) {
      return;
    }
    setSent(event.target, true);
    if (isComment) {
      sendComment(form, endDraft);
    } else {
      destroyComment(event.target);
    }
  });
}

/* --- Live updates: the Socket.IO protocol over the browser's own WebSocket --- */

const retryMinMs = 1000;
const retryMaxMs = 5000;
const connectTimeoutMs = 10000; /* a server that hangs is connected to by its kernel, and says nothing */
const offlineAfterMs = 5000; /* shorter absences, such as a restart, are nobody's concern */
const missedWithinMs = 10000; /* what was missed comes at once, and first, when there is a connection */

/* A quiet line at the foot of the page while there has been no connection for offlineAfterMs. */
function showOffline(isOffline) {
  let hint = document.getElementById("live-hint");
  if (!hint && isOffline) {
    hint = element("p", { id: "live-hint", className: "live-hint", hidden: true,
      textContent: "Not connected. What others change appears when the connection is back." });
    document.body.append(hint);
  }
  if (hint && hint.hidden === isOffline) {
    announce(isOffline ? hint.textContent : "Connected again.");
    hint.hidden = !isOffline;
  }
}

/* Holds a socket to one namespace and opens it again whenever it closes. `greet` gives what is said at each
 * connect; `onEvent` gets name, data and when what it tells of was done: now, or null when that may have been while the
 * page was not connected, as what answers the greeting: a page that the browser kept may be old at its first connection.
 * Returns a function that sends an event. */
function openLive(namespace, greet, onEvent) {
  const address = new URL("/socket.io/?EIO=4&transport=websocket", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  let socket = null;
  let tries = 0;
  let retryTimer = 0;
  let wordTimer = 0; /* runs out when the server has been silent for too long */
  let offlineTimer = 0;
  let silenceMs = 0;
  let isConnected = false;
  let missedUntil = 0;

  const say = (packet) => {
    if (socket?.readyState === WebSocket.OPEN) {
      socket.send(packet);
    }
  };
  const setConnected = (isNow) => {
    isConnected = isNow;
    if (isNow) {
      document.documentElement.dataset.live = "on";
    } else {
      delete document.documentElement.dataset.live;
    }
  };
  const expectWord = (withinMs) => {
    clearTimeout(wordTimer);
    wordTimer = setTimeout(lose, withinMs);
  };
  const expectConnection = () => {
    offlineTimer ||= setTimeout(() => showOffline(true), offlineAfterMs);
  };
  const rest = () => {
    for (const timer of [retryTimer, wordTimer, offlineTimer]) {
      clearTimeout(timer);
    }
    offlineTimer = 0;
  };
  const hear = (text) => {
    if (isConnected) {
      expectWord(silenceMs);
    }
    if (text === "2") {
      say("3");
    } else if (text.startsWith("0")) {
      const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
      silenceMs = pingInterval + pingTimeout;
      missedUntil = performance.now() + missedWithinMs;
      say(`40${namespace},${JSON.stringify(greet())}`);
    } else if (text.startsWith(`40${namespace},`)) {
      tries = 0;
      rest();
      expectWord(silenceMs);
      showOffline(false);
      setConnected(true);
    } else if (text.startsWith(`42${namespace},`)) {
      const [name, data] = JSON.parse(text.slice(namespace.length + 3));
      onEvent(name, data, performance.now() < missedUntil ? null : new Date());
      missedUntil = 0;
    }
  };
  const open = () => {
    clearTimeout(retryTimer);
    const opened = new WebSocket(address);
    socket = opened;
    expectWord(connectTimeoutMs);
    expectConnection();
    opened.addEventListener("message", (event) => opened === socket && hear(event.data));
    opened.addEventListener("close", () => opened === socket && lose());
  };
  /* The close of a socket to a server that hangs is not waited for. */
  const lose = () => {
    const lost = socket;
    socket = null;
    lost?.close();
    clearTimeout(wordTimer);
    setConnected(false);
    expectConnection();
    tries += 1;
    const spread = Math.min(retryMaxMs - retryMinMs, 500 * 2 ** tries);
    retryTimer = setTimeout(open, retryMinMs + Math.random() * spread);
  };

  open();
  /* A page that is kept in memory holds no socket; one that comes back opens it anew. */
  addEventListener("pagehide", () => {
    const last = socket;
    socket = null;
    rest();
    setConnected(false);
    if (last?.readyState === WebSocket.OPEN) {
      last.close();
    }
  });
  addEventListener("pageshow", (event) => event.persisted && open());
  addEventListener("online", () => !socket && open());
  return (name) => say(`42${namespace},${JSON.stringify([name])}`);
}

/* Follows one note. Its revisions are compared for equality only: an event that does not follow on ours means
 * that something was missed, and the whole state is asked for. */
function followNote(key, startRevision, handlers) {
  let revision = startRevision;
  const ask = openLive("/notes", () => ({ key, revision }), (name, data) => {
    if (name === "notedestroyed") {
      revision = 0;
    } else if (name === "snapshot" || data.previous === revision) {
      revision = data.revision;
    } else if (data.revision === revision) {
      return;
    } else {
      ask("snapshot");
      return;
    }
    handlers[name]?.(data);
  });
}

/* A wide table and a long line of code can be scrolled by the keyboard, too: not every browser sees to that by itself. */
const scrollers = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) {
      target.tabIndex = 0;
    } else {
      target.removeAttribute("tabindex");
    }
  }
});
let shownHtml = ""; /* of the body, as it came */

function watchBody(shownBody) {
  shownHtml = shownBody.innerHTML.trim();
  scrollers.disconnect();
  shownBody.querySelectorAll("pre, table").forEach((part) => scrollers.observe(part));
}

/* Returns whether it was another text. */
function showText({ title, body, html }) {
  const shownTitle = document.getElementById("notetitle");
  const shownBody = document.getElementById("notebody");
  const fresh = element("template");
  if (html === null) {
    fresh.content.append(element("pre", { className: "plain", dir: "auto", textContent: body }));
  } else {
    fresh.innerHTML = html;
  }
  if (shownTitle.textContent === title && shownHtml === fresh.innerHTML.trim()) {
    return false;
  }
  shownTitle.textContent = title;
  document.title = `${title} · Notes`;
  shownBody.replaceChildren(fresh.content);
  watchBody(shownBody);
  return true;
}

/* When the note was changed. When that is not known, nothing. */
function showChanged(note, date) {
  const time = note.querySelector(".note-head time");
  time.parentElement.hidden = date === null;
  if (date) {
    showTime(time, date);
  }
}

/* Whose note it is: another one's, when it was deleted and made again under its key. */
function showAuthor(note, author) {
  const meta = note.querySelector(".note-head .meta");
  const name = meta.querySelector("bdi");
  note.dataset.author = author ?? "";
  if (!author) {
    name?.parentElement.remove();
  } else if (name) {
    name.textContent = author;
  } else {
    meta.prepend(element("span", {}, "by ", element("bdi", { textContent: author })), " ");
  }
}

function showGone(note, isGone) {
  let notice = document.getElementById("note-gone");
  if (isGone && (!notice || notice.hidden)) {
    announce("This note has been deleted.");
  }
  if (isGone && !notice) {
    notice = element("div", { id: "note-gone", className: "notice" },
      element("span", { textContent: "This note has been deleted." }), element("a", { href: "/", textContent: "All notes" }));
    note.prepend(notice);
  }
  if (notice) {
    notice.hidden = !isGone;
  }
  /* A comment that was begun stays to be copied; it can't be sent any more. */
  for (const actions of document.querySelectorAll("main .actions, .comment-destroy")) {
    actions.hidden = isGone;
  }
}

function dropComment(item) {
  const hadFocus = item.contains(document.activeElement);
  goneComments.add(commentNumber(item));
  item.remove();
  showWhetherEmpty();
  if (hadFocus) {
    document.getElementById("comments-title").focus();
  }
}

const commentsOnPage = 20;

/* Takes a link away, or what holds it; who was on it goes to `next`. */
function dropLink(link, next) {
  const hadFocus = link?.contains(document.activeElement);
  link?.remove();
  if (hadFocus) {
    next.tabIndex = -1;
    next.focus();
  }
}

/* The list becomes what the server has: the newest comments. A full list may have older ones, which the server does not
 * say: the link to them is the server's page's own, or made for comments that were here and were not deleted. */
function showComments(note, comments, show) {
  const wanted = new Set(comments.map((comment) => commentIdStart + comment.id));
  const lastId = comments.at(-1)?.id;
  let hasOlder = false;
  for (const item of document.querySelectorAll("#noteMessages > .comment")) {
    if (!wanted.has(item.id)) {
      hasOlder ||= commentNumber(item) < lastId;
      dropComment(item);
    }
  }
  comments.forEach(show);
  const section = document.querySelector(".comments");
  let link = section.querySelector("a[rel=next]");
  if (comments.length < commentsOnPage) {
    dropLink(link?.parentElement, document.getElementById("comments-title"));
    return;
  }
  if (!link && hasOlder) {
    link = element("a", { rel: "next", textContent: "Older comments →" });
    section.append(element("p", { className: "pages" }, link));
  }
  link?.setAttribute("href", `/notes/view?key=${encodeURIComponent(note.dataset.key)}&before=${lastId}`);
}

function startNoteLive(note) {
  const form = document.querySelector(".comment-form");
  const hasNewest = !("older" in note.dataset);
  const show = (comment) => {
    const mayDestroy = user !== "" && (comment.from === user || note.dataset.author === user);
    showComment({ ...comment, canDestroy: mayDestroy && form !== null }, form);
    settleComment(comment);
  };
  followNote(note.dataset.key, Number(note.dataset.revision), {
    snapshot(state) {
      showAuthor(note, state.author);
      showGone(note, false);
      if (showText(state)) {
        showChanged(note, null);
        announce("The note was changed.");
      }
      if (hasNewest) {
        showComments(note, state.comments, show);
      }
    },
    noteupdated(change) {
      showText(change);
      showChanged(note, new Date());
      announce("The note was changed.");
    },
    notedestroyed() {
      showGone(note, true);
    },
    newmessage(comment) {
      if (hasNewest) {
        show(comment);
      }
    },
    destroymessage({ id }) {
      goneComments.add(id);
      const item = document.getElementById(commentIdStart + id);
      if (item) {
        dropComment(item);
      }
    },
  });
}

/* Somebody who edits is told that the note has changed below; what is typed stays as it is. */
function startEditLive(form) {
  const shown = element("div", { className: "notice", id: "edit-notice", hidden: true });
  form.prepend(shown);
  const tell = (text) => {
    if (shown.hidden || shown.textContent !== text) {
      announce(text);
    }
    shown.textContent = text;
    shown.hidden = false;
  };
  const title = form.elements.namedItem("title");
  const body = form.elements.namedItem("body");
  const compare = (state) => {
    if (state.title !== title.defaultValue || state.body !== body.defaultValue) {
      tell("This note has been saved by somebody else meanwhile. Your text stays here; when you save, you will see both.");
    }
  };
  followNote(form.dataset.savedKey, Number(form.dataset.revision), {
    snapshot: compare,
    noteupdated: compare,
    notedestroyed() {
      tell("This note has been deleted meanwhile. Your text stays here.");
    },
  });
}

/* --- The list of notes --- */

function titleItem({ key, title }, known) {
  const item = known ?? element("li", {}, element("a", { dir: "auto" }), element("p", { className: "meta" }));
  const link = item.querySelector("a");
  link.setAttribute("href", `/notes/view?key=${encodeURIComponent(key)}`);
  link.textContent = title;
  return item;
}

/* What an item's line says of its change. When that is not known, nothing. */
function showChange(item, date) {
  const meta = item.querySelector(".meta");
  const author = date && meta.querySelector("bdi");
  meta.replaceChildren(...(author ? [author, " · "] : []), ...(date ? [showTime(element("time"), date)] : []));
}

/* Items that moved up have changed, at `date` or nobody knows when. */
function showTitles(list, titles, date) {
  const old = new Map();
  list.querySelectorAll(".note-list > li").forEach((item, place) => {
    const link = item.querySelector("a");
    const key = new URL(link.href).searchParams.get("key");
    old.set(key, { item, place, title: link.textContent });
  });
  const focused = document.activeElement;
  const items = [];
  let place = Infinity;
  for (const entry of [...titles].reverse()) {
    const known = old.get(entry.key);
    const item = titleItem(entry, known?.item);
    if (!known && place === Infinity && old.size > 0) {
      showChange(item, null); /* it came from the next page, as another went */
    } else if (!known || known.place > place || known.title !== entry.title) {
      showChange(item, date);
    } else {
      place = known.place;
    }
    items.unshift(item);
  }
  const shown = element("ul", { className: "note-list" }, ...items);
  shown.setAttribute("role", "list");
  const nothing = element("div", { className: "empty" }, element("p", { className: "empty-title", textContent: "Nothing is written yet." }));
  list.replaceChildren(items.length > 0 ? shown : nothing);
  if (list.contains(focused)) {
    focused.focus();
  }
}

/* The way to the second page, as the server's page has it. */
function showOlder(list, hasOlder) {
  const pages = document.querySelector("nav.pages");
  if (!hasOlder) {
    dropLink(pages, list);
  } else if (!pages) {
    const made = element("nav", { className: "pages" }, element("span", { textContent: "Page 1" }),
      element("a", { rel: "next", href: "/?page=2", textContent: "Older →" }));
    made.setAttribute("aria-label", "Pages");
    list.after(made);
  }
}

function startHomeLive(list) {
  let revision = Number(list.dataset.revision);
  openLive("/home", () => ({ revision }), (name, data, date) => {
    if (name === "notetitles" && data.revision !== revision) {
      revision = data.revision;
      showTitles(list, data.notelist, date);
      showOlder(list, data.hasOlder === true);
    }
  });
}

/* --- Start --- */

const note = document.getElementById("note");
const noteForm = document.querySelector(".note-form");

document.querySelectorAll("[data-max-chars], [data-max-bytes]").forEach(watchLimit);
if (note && user) {
  dropSavedDrafts(note);
  startComments(note);
}
if (noteForm) {
  keepNoteForm(noteForm);
}
if (note) {
  watchBody(document.getElementById("notebody"));
  startNoteLive(note);
}
if (noteForm?.dataset.savedKey && noteForm.dataset.revision) {
  startEditLive(noteForm);
}
const titles = document.querySelector("#notetitles[data-live]");
if (titles) {
  startHomeLive(titles);
}
document.addEventListener("submit", guardSecondSubmit);

/* A page that comes back from the browser's memory may be sent again. */
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    document.querySelectorAll("form[data-sent]").forEach((form) => setSent(form, false));
  }
});

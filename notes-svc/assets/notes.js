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

/* For people who hear the page: says what has changed. */
function announce(text) {
  let status = document.getElementById("status");
  if (!status) {
    status = element("p", { id: "status", className: "visually-hidden" });
    status.setAttribute("role", "status");
    document.body.append(status);
  }
  status.textContent = text;
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
  const unit = field.dataset.maxBytes ? "bytes" : "characters";
  const count = () => {
    /* A text of n UTF-16 units has at most 3n bytes: most keystrokes need no exact count. */
    const isNear = field.value.length * (field.dataset.maxBytes ? 3 : 1) >= limit * 0.8;
    const used = isNear ? usedAmount(field) : 0;
    shown.classList.toggle("count-over", used > limit);
    if (used > limit) {
      shown.textContent = `${(used - limit).toLocaleString("en")} ${unit} too many`;
    } else if (used >= limit * 0.8) {
      shown.textContent = `${(limit - used).toLocaleString("en")} ${unit} left`;
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

function showRestored(form, name, original, originalVersion) {
  const discard = element("button", { type: "button", className: "button-quiet", textContent: "Discard it" });
  const notice = element("div", { className: "notice" },
    element("span", { textContent: "We kept what you typed here earlier." }), discard);
  notice.setAttribute("role", "status");
  discard.addEventListener("click", () => {
    fill(form, original);
    if (originalVersion !== null) {
      form.elements.namedItem("version").value = originalVersion;
    }
    dropDraft(name);
    notice.remove();
    typedFields(form)[0].focus();
  });
  form.prepend(notice);
  return notice;
}

/* Keeps the text of a form. Returns what ends the keeping, for after a save. */
function keepDraft(form, name, mayRestore) {
  const version = form.elements.namedItem("version");
  const original = typedText(form);
  const originalVersion = version ? version.value : null;
  let notice = null;
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
    notice = showRestored(form, name, original, originalVersion);
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
    notice?.remove();
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

/* Sends a form and returns { answer } or { problem: a sentence, needsLogin }. */
async function send(form) {
  let response;
  try {
    response = await fetch(form.getAttribute("action"), {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
      redirect: "manual",
    });
  } catch {
    return { problem: "The site can’t be reached. Nothing was sent; your text stays here. Please try again." };
  }
  if (response.type === "opaqueredirect" || response.status === 401) {
    return { problem: "You are no longer logged in.", needsLogin: true };
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) {
    return { answer };
  }
  return { problem: answer?.message ?? `That did not work (${response.status}). Please try again.` };
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

function shownTime(timestamp) {
  const time = element("time", { dateTime: timestamp, textContent: "just now" });
  time.title = new Date(timestamp).toLocaleString();
  return time;
}

/* Adds a comment on top of the list, unless it is there. */
function showComment(comment, commentForm) {
  const id = `note-message-${comment.id}`;
  if (document.getElementById(id)) {
    return;
  }
  const item = element("li", { className: "comment comment-new", id },
    element("p", { className: "meta" },
      element("bdi", { className: "comment-author", textContent: comment.from }), " ", shownTime(comment.timestamp)),
    element("p", { className: "comment-text", dir: "auto", textContent: comment.message }));
  if (comment.canDestroy) {
    item.append(commentDestroyForm(comment, commentForm));
  }
  document.getElementById("noteMessages").prepend(item);
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
  const { problem } = result;
  const field = form.elements.namedItem("message");
  sayProblem(document.getElementById("message-error"), result);
  if (problem) {
    field.setAttribute("aria-invalid", "true");
  } else {
    field.removeAttribute("aria-invalid");
  }
}

async function sendComment(form, endDraft) {
  const field = form.elements.namedItem("message");
  const sentText = field.value;
  const result = await send(form);
  const { answer, problem } = result;
  setSent(form, false);
  showCommentProblem(form, result);
  if (problem) {
    field.focus();
    return;
  }
  showComment(answer, form);
  announce("Your comment is there.");
  if (field.value === sentText) {
    fill(form, { message: "" });
    endDraft();
  }
  field.focus();
}

async function destroyComment(form) {
  const item = form.closest(".comment");
  const result = await send(form);
  setSent(form, false);
  item.querySelector(".form-error")?.remove();
  if (result.problem) {
    const error = element("p", { className: "form-error" });
    error.setAttribute("role", "alert");
    item.append(error);
    sayProblem(error, result);
    return;
  }
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

/* A quiet line at the foot of the page while the site can't be reached for longer than a moment. */
function showOffline(isOffline) {
  let hint = document.getElementById("live-hint");
  if (!hint && isOffline) {
    hint = element("p", { id: "live-hint", className: "live-hint",
      textContent: "Not connected. What others change appears when the connection is back." });
    hint.setAttribute("role", "status");
    document.body.append(hint);
  }
  if (hint) {
    hint.hidden = !isOffline;
  }
}

/* Holds a socket to one namespace and opens it again whenever it closes. `greet` gives what is said at each
 * connect; `onEvent` gets name and data. Returns a function that sends an event. */
function openLive(namespace, greet, onEvent) {
  const address = new URL("/socket.io/?EIO=4&transport=websocket", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  let socket = null;
  let tries = 0;
  let retryTimer = 0;
  let silenceTimer = 0;
  let silenceMs = 0;

  const say = (packet) => {
    if (socket?.readyState === WebSocket.OPEN) {
      socket.send(packet);
    }
  };
  const expectWord = () => {
    clearTimeout(silenceTimer);
    if (silenceMs > 0) {
      silenceTimer = setTimeout(() => socket?.close(), silenceMs);
    }
  };
  const hear = (text) => {
    expectWord();
    if (text === "2") {
      say("3");
    } else if (text.startsWith("0")) {
      const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
      silenceMs = pingInterval + pingTimeout;
      say(`40${namespace},${JSON.stringify(greet())}`);
    } else if (text.startsWith(`40${namespace},`)) {
      tries = 0;
      showOffline(false);
      document.documentElement.dataset.live = "on";
    } else if (text.startsWith(`42${namespace},`)) {
      onEvent(...JSON.parse(text.slice(namespace.length + 3)));
    }
  };
  const open = () => {
    clearTimeout(retryTimer);
    const opened = new WebSocket(address);
    socket = opened;
    opened.addEventListener("message", (event) => opened === socket && hear(event.data));
    opened.addEventListener("close", () => opened === socket && retry());
  };
  const retry = () => {
    socket = null;
    clearTimeout(silenceTimer);
    delete document.documentElement.dataset.live;
    tries += 1;
    showOffline(tries > 2);
    const spread = Math.min(retryMaxMs - retryMinMs, 500 * 2 ** tries);
    retryTimer = setTimeout(open, retryMinMs + Math.random() * spread);
  };

  open();
  /* A page that is kept in memory holds no socket; one that comes back opens it anew. */
  addEventListener("pagehide", () => {
    const last = socket;
    socket = null;
    clearTimeout(retryTimer);
    clearTimeout(silenceTimer);
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

function justNow(time) {
  time.dateTime = new Date().toISOString();
  time.textContent = "just now";
}

function showText(note, { title, body, html }) {
  const shownBody = document.getElementById("notebody");
  document.getElementById("notetitle").textContent = title;
  document.title = `${title} · Notes`;
  if (html === null) {
    const plain = element("pre", { className: "plain", dir: "auto", textContent: body });
    shownBody.replaceChildren(plain);
  } else {
    shownBody.innerHTML = html;
  }
}

function showGone(note, isGone) {
  let notice = document.getElementById("note-gone");
  if (isGone && !notice) {
    notice = element("div", { id: "note-gone", className: "notice" },
      element("span", { textContent: "This note has been deleted." }), element("a", { href: "/", textContent: "All notes" }));
    notice.setAttribute("role", "status");
    note.prepend(notice);
  }
  if (notice) {
    notice.hidden = !isGone;
  }
  for (const actions of note.querySelectorAll(".actions")) {
    actions.hidden = isGone;
  }
}

function dropComment(item) {
  const hadFocus = item.contains(document.activeElement);
  item.remove();
  showWhetherEmpty();
  if (hadFocus) {
    document.getElementById("comments-title").focus();
  }
}

const commentsOnPage = 20;

/* The list becomes what the server has: the newest comments, and a link to older ones where there may be some. */
function showComments(note, comments, show) {
  const wanted = new Set(comments.map((comment) => `note-message-${comment.id}`));
  for (const item of document.querySelectorAll("#noteMessages > .comment")) {
    if (!wanted.has(item.id)) {
      dropComment(item);
    }
  }
  [...comments].reverse().forEach(show);
  if (comments.length < commentsOnPage) {
    return;
  }
  const section = document.querySelector(".comments");
  let link = section.querySelector("a[rel=next]");
  if (!link) {
    link = element("a", { rel: "next", textContent: "Older comments →" });
    section.append(element("p", { className: "pages" }, link));
  }
  link.setAttribute("href", `/notes/view?key=${encodeURIComponent(note.dataset.key)}&before=${comments.at(-1).id}`);
}

function startNoteLive(note) {
  const form = document.querySelector(".comment-form");
  const hasNewest = !("older" in note.dataset);
  const show = (comment) => {
    const mayDestroy = user !== "" && (comment.from === user || note.dataset.author === user);
    showComment({ ...comment, canDestroy: mayDestroy && form !== null }, form);
  };
  followNote(note.dataset.key, Number(note.dataset.revision), {
    snapshot(state) {
      note.dataset.author = state.author ?? "";
      showGone(note, false);
      showText(note, state);
      if (hasNewest) {
        showComments(note, state.comments, show);
      }
    },
    noteupdated(change) {
      showText(note, change);
      justNow(note.querySelector(".note-head time"));
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
      const item = document.getElementById(`note-message-${id}`);
      if (item) {
        dropComment(item);
      }
    },
  });
}

/* Somebody who edits is told that the note has changed below; what is typed stays as it is. */
function startEditLive(form) {
  const shown = element("div", { className: "notice", id: "edit-notice", hidden: true });
  shown.setAttribute("role", "status");
  form.prepend(shown);
  const tell = (text) => {
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

/* Items that moved up have changed; what their line says of author and time is the past. */
function showTitles(list, titles) {
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
    if (!known || known.place > place || known.title !== entry.title) {
      item.querySelector(".meta").textContent = "changed lately";
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

function startHomeLive(list) {
  let revision = Number(list.dataset.revision);
  openLive("/home", () => ({ revision }), (name, data) => {
    if (name === "notetitles" && data.revision !== revision) {
      revision = data.revision;
      showTitles(list, data.notelist);
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

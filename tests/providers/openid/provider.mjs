// SPDX-License-Identifier: MIT
// oidc-provider, the certified one, on 127.0.0.1, with what a test tells it at /control: accounts, clients, keys.
//     node provider.mjs ISSUER PORT [KEY-FILE CERTIFICATE-FILE]
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import Provider from "oidc-provider";

const [issuer, port, keyFile, certificateFile] = process.argv.slice(2);
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const BODY_MAX_BYTES = 100000;

// --- what a test may change ---

const accounts = {}; // what one types -> claims
let clients = [];
let codeSeconds = 60;
let keys = [];

function newKey(type, options) {
  const kid = randomBytes(6).toString("hex");
  return { ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), kid, use: "sig" };
}

const newKeys = () => [
  newKey("rsa", { modulusLength: 2048 }),
  ...["P-256", "P-384", "P-521"].map((namedCurve) => newKey("ec", { namedCurve })),
  newKey("ed25519", {}),
];

// --- the provider ---

async function grantAll(ctx) {
  const { client, params, session } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}

function findAccount(_ctx, sub) {
  const found = Object.values(accounts).find((account) => account.sub === sub);
  return found && { accountId: sub, claims: () => found };
}

const newProvider = () =>
  new Provider(issuer, {
    clients,
    jwks: { keys },
    findAccount,
    loadExistingGrant: grantAll,
    pkce: { required: () => true, methods: ["S256"] },
    claims: {
      openid: ["sub"],
      profile: ["name", "given_name", "family_name", "middle_name", "preferred_username", "picture"],
      email: ["email", "email_verified"],
    },
    clockTolerance: 0,
    cookies: { keys: ["signs the cookies of a test"] },
    enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true, logoutSource } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AuthorizationCode: () => codeSeconds, AccessToken: 600, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
  });

let provider;

// --- its pages ---

const page = (main) => `<!DOCTYPE html><html lang="en"><head><title>Provider</title></head><body><main>${main}</main></body></html>`;

function logoutSource(ctx, form) {
  ctx.body = page(`<h1>Sign out</h1>${form}<button form="op.logoutForm" name="logout" value="yes">Yes</button>`);
}

function answer(rs, status, type, text) {
  rs.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" });
  rs.end(text);
}

async function bodyOf(rq) {
  let text = "";
  for await (const chunk of rq) {
    text += chunk;
    if (text.length > BODY_MAX_BYTES) throw new Error("a body too large");
  }
  return text;
}

// One types an account's name, without a password, or declines.
async function interact(rq, rs) {
  const { uid } = await provider.interactionDetails(rq, rs);
  if (rq.method !== "POST") {
    const form = `<form method="post" action="/interaction/${uid}"><input name="account" autofocus>
      <button name="do" value="sign in">Sign in</button><button name="do" value="decline">Decline</button></form>`;
    return answer(rs, 200, "text/html; charset=utf-8", page("<h1>Sign in at the provider</h1>" + form));
  }
  const fields = new URLSearchParams(await bodyOf(rq));
  const account = accounts[fields.get("account")];
  if (fields.get("do") === "decline") {
    return provider.interactionFinished(rq, rs, { error: "access_denied", error_description: "declined by the person" });
  }
  if (!account) return answer(rs, 400, "text/plain", "no such account");
  return provider.interactionFinished(rq, rs, { login: { accountId: account.sub } });
}

// --- what a test tells it ---

const commands = {
  accounts: (more) => Object.assign(accounts, more),
  clients: (all) => (clients = all),
  codeSeconds: (seconds) => (codeSeconds = seconds),
  rotate: (keepsOld) => (keys = keepsOld ? [...newKeys(), ...keys] : newKeys()),
};

async function control(rq, rs) {
  const told = JSON.parse(await bodyOf(rq));
  for (const [name, value] of Object.entries(told)) commands[name]?.(value);
  if (told.clients || "rotate" in told) provider = newProvider(); // what it has stored outlives it
  const isCodeGood = told.code && !!(await provider.AuthorizationCode.find(told.code));
  answer(rs, 200, "application/json", JSON.stringify({ isCodeGood, kids: keys.map(({ kid }) => kid) }));
}

async function serve(rq, rs) {
  try {
    if (rq.url === "/control") return await control(rq, rs);
    if (rq.url.startsWith("/interaction/")) return await interact(rq, rs);
    return await provider.callback()(rq, rs);
  } catch (error) {
    console.error(error);
    return answer(rs, 500, "text/plain", String(error));
  }
}

keys = newKeys();
provider = newProvider();
const server = keyFile ? https.createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, serve) : http.createServer(serve);
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));

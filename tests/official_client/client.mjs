// SPDX-License-Identifier: MIT
// Socket.IO's client, unmodified, on one namespace. Reads commands as JSON lines, writes what happens as JSON lines.
//     node client.mjs URL NAMESPACE AUTH-JSON [COOKIE]
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, namespace, auth, cookie] = process.argv.slice(2);
const tell = (what, ...rest) => console.log(JSON.stringify([what, ...rest]));
const socket = io(url + namespace, {
  transports: ["websocket"],
  auth: JSON.parse(auth),
  extraHeaders: cookie ? { Cookie: cookie } : {},
  reconnectionDelay: 100,
  reconnectionDelayMax: 500,
});
socket.on("connect", () => tell("connect", socket.id));
socket.on("disconnect", (reason) => tell("disconnect", reason));
socket.on("connect_error", (error) => tell("connect_error", error.message));
socket.onAny((name, ...data) => tell("event", name, ...data));

const commands = {
  emit: (name, ...data) => socket.emit(name, ...data),
  call: (name, ...data) => socket.timeout(10000).emit(name, ...data, (error, answer) => tell("answer", error ? String(error) : answer)),
  drop: () => socket.io.engine.close(), // as when the network goes: the client comes back by itself
  end: () => socket.disconnect(),
};
createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, ...rest] = JSON.parse(line);
  commands[name](...rest);
}).on("close", () => process.exit());

// SPDX-License-Identifier: MIT
// Makes the Node version's tables with its own Sequelize models, and rows in them.
//
//   node make_tables.mjs mysql '{"host":...,"port":...,"username":...,"password":...,"database":...}' < rows.json
//   node make_tables.mjs sqlite < rows.json > statements.jsonl
//
// For SQLite it prints each statement that Sequelize runs as {"sql","values"}: no SQLite library for Node is needed.
import { readFileSync } from "node:fs";
import { DataTypes, Model, Sequelize } from "sequelize";

function record(sql, values, done) {
  console.log(JSON.stringify({ sql, values }));
  setImmediate(() => done.call({ changes: 1, lastID: 1 }, null, []));
}

// As much of the sqlite3 package as Sequelize uses: (sql, callback) or (sql, values, callback).
class Database {
  constructor(name, mode, done) {
    setImmediate(done, null);
  }
  serialize(work) {
    work();
  }
  run(sql, ...rest) {
    record(sql, rest.length > 1 ? rest[0] : {}, rest.at(-1) ?? (() => {}));
  }
  all(...all) {
    this.run(...all);
  }
  close(done) {
    setImmediate(done, null);
  }
}

const [dialect, options] = process.argv.slice(2);
const recorder = { Database, OPEN_READWRITE: 2, OPEN_CREATE: 4, OPEN_FULLMUTEX: 65536, cached: {} };
const sequelize =
  dialect === "mysql"
    ? new Sequelize({ dialect, logging: false, ...JSON.parse(options) })
    : new Sequelize({ dialect, logging: false, storage: ":memory:", dialectModule: recorder });

class SQNote extends Model {}
SQNote.init(
  {
    notekey: { type: DataTypes.STRING, primaryKey: true, unique: true },
    title: DataTypes.STRING,
    body: DataTypes.TEXT,
  },
  { sequelize, modelName: "SQNote" },
);

class SQMessage extends Model {}
SQMessage.init(
  {
    id: { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true },
    from: DataTypes.STRING,
    namespace: DataTypes.STRING,
    message: DataTypes.STRING(1024),
    room: DataTypes.STRING,
    timestamp: DataTypes.DATE,
  },
  { sequelize, modelName: "SQMessage" },
);

class SQUser extends Model {}
SQUser.init(
  {
    username: { type: DataTypes.STRING, unique: true },
    password: DataTypes.STRING,
    provider: DataTypes.STRING,
    familyName: DataTypes.STRING,
    givenName: DataTypes.STRING,
    middleName: DataTypes.STRING,
    emails: DataTypes.STRING(2048),
    photos: DataTypes.STRING(2048),
  },
  { sequelize, modelName: "SQUser" },
);

const rows = JSON.parse(readFileSync(0, "utf8"));
await sequelize.sync();
for (const [model, some] of [
  [SQNote, rows.notes],
  [SQMessage, rows.messages],
  [SQUser, rows.users],
])
  for (const row of some) await model.create(row, { silent: true });
await sequelize.close();

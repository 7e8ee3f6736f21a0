// PostGraphile 5 as its documentation advises for production: the Amber preset, lists instead of connections,
// registered operations, the citizen handed to row-level security by a setting.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { PersistedPlugin } from "@grafserv/persisted";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const { PEER_DATABASE, PEER_POOL, PEER_PORT, PEER_OPERATIONS, PEER_SCHEMA_FILE } = process.env;
const persistedOperations = Object.fromEntries(
  readdirSync(PEER_OPERATIONS).map((file) => [basename(file, ".graphql"), readFileSync(join(PEER_OPERATIONS, file), "utf8")]),
);

const pgl = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [PersistedPlugin],
  disablePlugins: ["NodePlugin", "MutationPlugin"],
  pgServices: [
    makePgService({
      pool: new pg.Pool({ connectionString: PEER_DATABASE, max: Number(PEER_POOL) }),
      schemas: ["book", "directory"],
    }),
  ],
  schema: { defaultBehavior: "-connection list -insert -update -delete" },
  grafast: {
    explain: false,
    context: (request) => ({ pgSettings: { "peer.citizen": request.node.req.headers["x-citizen"] } }),
  },
  grafserv: {
    graphqlPath: "/graphql",
    graphiql: false,
    watch: false,
    persistedOperations,
    hashFromPayload: (request) => request.documentId,
    allowUnpersistedOperation: false,
  },
});

if (PEER_SCHEMA_FILE) {
  const { printSchema } = await import("postgraphile/graphql");
  writeFileSync(PEER_SCHEMA_FILE, printSchema(await pgl.getSchema()));
}
const server = createServer();
server.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await pgl.createServ(grafserv).addTo(server);
server.listen(Number(PEER_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));

// Fastify and mercurius with its JIT, loaders written by hand, one transaction and one connection a request.
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const { PEER_DATABASE, PEER_POOL, PEER_PORT, PEER_OPERATIONS } = process.env;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIMESTAMPTZ = 1184;
pg.types.setTypeParser(TIMESTAMPTZ, (text) => text); // a Date would only be written as text again
const pool = new pg.Pool({ connectionString: PEER_DATABASE, max: Number(PEER_POOL) });

const schema = `
  type Facility { name: String! }
  type Diagnosis { role: String! code: String! name: String }
  type Visit { id: ID! startedAt: String! kindCode: String! reason: String dischargeDiagnosis: String
    facility: Facility! diagnoses: [Diagnosis!]! }
  type Item { line: Int! drugName: String! strength: String quantity: String! unit: String! dose: String instruction: String }
  type Prescription { id: ID! orderedAt: String! facility: Facility! items: [Item!]! }
  type Result { line: Int! name: String! valueText: String value: String unit: String }
  type Report { id: ID! resultedAt: String! category: String! serviceName: String conclusion: String
    facility: Facility! results: [Result!]! }
  type Query {
    visits(first: Int!): [Visit!]!
    prescriptions(first: Int!): [Prescription!]!
    testResults(first: Int!, category: Category): [Report!]!
  }
  enum Category { LABORATORY IMAGING FUNCTIONAL }
`;

const VISITS = `SELECT id, started_at AS "startedAt", kind_code AS "kindCode", reason,
  discharge_diagnosis AS "dischargeDiagnosis", facility_code
  FROM book.visit ORDER BY started_at DESC, id DESC LIMIT $1`;
const PRESCRIPTIONS = `SELECT id, ordered_at AS "orderedAt", facility_code
  FROM book.prescription ORDER BY ordered_at DESC, id DESC LIMIT $1`;
const REPORT = `SELECT id, resulted_at AS "resultedAt", category, service_name AS "serviceName", conclusion, facility_code
  FROM book.test_report`;
const REPORTS = `${REPORT} ORDER BY resulted_at DESC, id DESC LIMIT $1`;
const REPORTS_OF = `${REPORT} WHERE category = $2 ORDER BY resulted_at DESC, id DESC LIMIT $1`;
const FACILITIES = `SELECT code, name FROM directory.facility WHERE code = ANY($1)`;
const DIAGNOSES = `SELECT d.visit_id AS of, d.role, d.code, n.name_vi AS name FROM book.visit_diagnosis d
  LEFT JOIN LATERAL (SELECT e.name_vi FROM code.entry e WHERE e.system = 'icd10' AND e.code = d.code
                     ORDER BY e.valid_from DESC LIMIT 1) n ON true
  WHERE d.visit_id = ANY($1) ORDER BY d.visit_id, d.line`;
const ITEMS = `SELECT prescription_id AS of, line, drug_name AS "drugName", strength, quantity, unit, dose, instruction
  FROM book.prescription_item WHERE prescription_id = ANY($1) ORDER BY prescription_id, line`;
const RESULTS = `SELECT report_id AS of, line, name, value_text AS "valueText", value, unit
  FROM book.test_result WHERE report_id = ANY($1) ORDER BY report_id, line`;

async function begin(citizen) {
  if (!UUID.test(citizen)) throw new Error("no citizen");
  const client = await pool.connect();
  client.query(`BEGIN; SELECT set_config('peer.citizen', '${citizen}', true)`).catch(() => {});
  return client;
}

async function rows(context, name, text, values) {
  context.client ??= begin(context.citizen);
  const client = await context.client;
  return (await client.query({ name, text, values })).rows;
}

function children(name, text) {
  return {
    opts: { cache: false },
    async loader(queries, context) {
      const found = new Map(queries.map(({ obj }) => [obj.id, []]));
      for (const row of await rows(context, name, text, [[...found.keys()]])) found.get(row.of).push(row);
      return queries.map(({ obj }) => found.get(obj.id));
    },
  };
}

const facility = {
  opts: { cache: false },
  async loader(queries, context) {
    const codes = [...new Set(queries.map(({ obj }) => obj.facility_code))];
    const found = new Map((await rows(context, "facilities", FACILITIES, [codes])).map((row) => [row.code, row]));
    return queries.map(({ obj }) => found.get(obj.facility_code));
  },
};

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema,
  jit: 1,
  context: (request) => ({ citizen: request.headers["x-citizen"], client: null }),
  persistedQueryProvider: {
    isPersistedQuery: (request) => request.documentId,
    getHash: (request) => request.documentId,
    getQueryFromHash: async (hash) => operations[hash],
  },
  resolvers: {
    Query: {
      visits: (_, { first }, context) => rows(context, "visits", VISITS, [first]),
      prescriptions: (_, { first }, context) => rows(context, "prescriptions", PRESCRIPTIONS, [first]),
      testResults: (_, { first, category }, context) =>
        category ? rows(context, "reports_of", REPORTS_OF, [first, category]) : rows(context, "reports", REPORTS, [first]),
    },
  },
  loaders: {
    Visit: { facility, diagnoses: children("diagnoses", DIAGNOSES) },
    Prescription: { facility, items: children("items", ITEMS) },
    Report: { facility, results: children("results", RESULTS) },
  },
});
const operations = Object.fromEntries(
  readdirSync(PEER_OPERATIONS).map((file) => [basename(file, ".graphql"), readFileSync(join(PEER_OPERATIONS, file), "utf8")]),
);
await app.ready();
app.graphql.addHook("onResolution", async (_execution, context) => {
  const client = await context.client;
  client?.query("COMMIT").then(() => client.release(), (error) => client.release(error));
});
await app.listen({ host: "127.0.0.1", port: Number(PEER_PORT) });
process.on("SIGTERM", () => process.exit(0));

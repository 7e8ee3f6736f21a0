// Runs the server audits of graphql-http, one after the other, and prints each outcome as a line of JSON.
import { serverAudits } from 'graphql-http';

for (const audit of serverAudits({ url: process.argv[2] })) {
  const result = await audit.fn();
  const said = result.response && (await result.response.clone().text().catch(() => ''));
  const { id, name, status, reason = null } = { ...result, name: audit.name };
  console.log(JSON.stringify({ id, name, status, reason, said: said || null }));
}

// The audits of `graphql-http`, by who wrote the specification of GraphQL over HTTP: every MUST and every SHOULD.
// node audit.mjs URL TOKEN
import { auditServer } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const fetchFn = (address, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  return fetch(address, { ...init, headers });
};
const results = await auditServer({ url: `${url}/graphql`, fetchFn });
const failed = results.filter((result) => result.status !== 'ok');
const counted = (level) => results.filter(({ name }) => name.startsWith(level)).length;
console.log(`${counted('MUST')} MUST, ${counted('SHOULD')} SHOULD, ${counted('MAY')} MAY`);
for (const { id, name, reason } of failed) console.log(`${id} ${name}: ${reason}`);
if (counted('MUST') === 0 || counted('SHOULD') === 0) throw new Error('nothing was audited');
process.exitCode = failed.length === 0 ? 0 : 1;

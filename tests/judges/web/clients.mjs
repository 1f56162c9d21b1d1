// Two clients that applications use, each with persisted operations, search a node.
// node clients.mjs URL TOKEN SDKS WORDS ID: both must find ID
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ApolloClient, HttpLink, InMemoryCache, gql as apolloGql } from '@apollo/client/core';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange, gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

const [url, token, sdks, words, id] = process.argv.slice(2);
const endpoint = `${url}/graphql`;
const headers = { authorization: `Bearer ${token}` };
const { operations } = JSON.parse(readFileSync(`${sdks}/operations/manifest.json`, 'utf8'));
const { document, documentId } = operations.find((operation) => operation.id === 'search:v2');
// The manifest says which digest the node knows the document by.
const generateHash = async () => documentId.replace('sha256:', '');
const variables = { q: words, first: 5 };

for (const preferGetForPersistedQueries of [false, true]) {
  const urql = new Client({
    url: endpoint,
    fetchOptions: { headers },
    preferGetMethod: false,
    exchanges: [
      persistedExchange({ preferGetForPersistedQueries, enforcePersistedQueries: true, generateHash }),
      fetchExchange,
    ],
  });
  const found = await urql.query(gql(document), variables).toPromise();
  assert.equal(found.error, undefined);
  assert.equal(found.data.search.edges[0].node.id, id);
  console.log(`urql found ${id} by ${preferGetForPersistedQueries ? 'GET' : 'POST'}`);
}

for (const useGETForHashedQueries of [false, true]) {
  const apollo = new ApolloClient({
    cache: new InMemoryCache(),
    link: new PersistedQueryLink({ generateHash, useGETForHashedQueries }).concat(new HttpLink({ uri: endpoint, headers })),
  });
  const found = await apollo.query({ query: apolloGql(document), variables, fetchPolicy: 'no-cache' });
  assert.equal(found.error, undefined);
  assert.equal(found.data.search.edges[0].node.id, id);
  console.log(`Apollo found ${id} by ${useGETForHashedQueries ? 'GET' : 'POST'}`);
}

// A document that the node does not have is refused to both, and they say so.
const stranger = '{ node { tenant version } }';
const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: endpoint, headers }) });
await assert.rejects(apollo.query({ query: apolloGql(stranger), fetchPolicy: 'no-cache' }), /persisted/);
const urql = new Client({ url: endpoint, fetchOptions: { headers }, preferGetMethod: false, exchanges: [fetchExchange] });
const refused = await urql.query(gql(stranger), {}).toPromise();
assert.match(String(refused.error), /persisted/);

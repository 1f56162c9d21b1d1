// An issuer of bearer tokens, for as long as its input is open: `node oidc.mjs [PORT [CERTIFICATE KEY]]`.
//
// It is `oidc-provider`, certified by the OpenID Foundation, on 127.0.0.1, behind TLS if it is given a certificate. It prints its name on a line; the line
// `rotate` on its input makes it forget its keys and sign with new ones, under the same name.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// The algorithm that each client's tokens are signed with.
const CLIENTS = { feed: 'RS256', sensor: 'ES256', probe: 'EdDSA' };

function keys() {
  const pairs = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519'),
  };
  return Object.entries(pairs).map(([alg, { privateKey }]) => (
    { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() }
  ));
}

function provider(issuer) {
  const made = new Provider(issuer, {
    jwks: { keys: keys() },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
    clients: Object.keys(CLIENTS).map((client_id) => ({
      client_id,
      client_secret: 'only-for-tests',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource, client) => ({
          scope: 'graph.read graph.secret',
          audience: resource,
          accessTokenTTL: 300,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: CLIENTS[client.clientId] } },
        }),
      },
    },
    extraTokenClaims: (_, token) => ({ groups: [`${token.clientId}s`] }),
  });
  return made.callback();
}

let answer;
const [port, certificate, key] = process.argv.slice(2);
const scheme = certificate ? 'https' : 'http';
const tls = certificate ? { cert: readFileSync(certificate), key: readFileSync(key) } : {};
const server = { http, https }[scheme].createServer(tls, (request, response) => answer(request, response));
server.listen(Number(port ?? 0), '127.0.0.1', () => {
  const issuer = `${scheme}://127.0.0.1:${server.address().port}`;
  answer = provider(issuer);
  console.log(issuer);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      if (line === 'rotate') {
        answer = provider(issuer);
        console.log('rotated');
      }
    })
    .on('close', () => process.exit(0));
});

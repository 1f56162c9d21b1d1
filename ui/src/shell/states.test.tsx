import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';

import { GatewayError } from '../gateway/run.ts';
import { Degraded, Empty, Failed, Loaded, Loading, NotHere, Partial, Stale, Withheld } from './states.tsx';

const shown = (element: React.ReactNode) => renderToStaticMarkup(element);

test('empty says what will be here and how it comes here, also as a command', () => {
  const html = shown(<Empty title="No source yet" cli="intelgraph import FILE">A source is made by its first import.</Empty>);
  assert.match(html, /data-state="empty".*No source yet.*first import.*intelgraph import FILE.*Copy command/s);
});

test('loading shows nothing at first, and says that it is busy', () => {
  assert.match(shown(<Loading />), /^<div aria-busy="true"[^>]*data-state="loading"><\/div>$/);
});

test('partial says how much of how much, and offers more', () => {
  assert.match(shown(<Partial shown={300} total={4812} what="nodes"><button>Next 100</button></Partial>), /data-state="partial".*300 of 4,812 nodes shown.*Next 100/s);
});

test('what is not there and what is denied are one page, which names nothing', () => {
  assert.match(shown(<NotHere />), /data-state="not-here".*Not here, or not visible to you/s);
});

test('a withheld value is a chip that tells neither type nor length', () => {
  assert.match(shown(<Withheld />), /data-state="withheld".*Withheld/s);
});

test('a failure says what failed, and the id of the request', () => {
  const html = shown(<Failed error={new GatewayError('invalid', 'query of 9000 bytes; at most 8192', 400, 'r-17')} onRetry={() => {}} />);
  assert.match(html, /role="alert".*data-state="error".*query of 9000 bytes; at most 8192.*Try again.*r-17/s);
  assert.match(shown(<Failed error={new GatewayError('unreachable', 'The node does not answer.')} />), /The node does not answer/);
});

test('degraded and stopped are told apart', () => {
  assert.match(shown(<Degraded>Words only.</Degraded>), /data-state="degraded".*Words only/s);
  assert.match(shown(<Degraded stopped>No writes.</Degraded>), /data-state="stopped"/);
});

test('stale says as of when', () => {
  assert.match(shown(<Stale>as of log position 88,112</Stale>), /data-state="stale".*88,112/s);
});

test('an operation is shown by its answer, else by its state; a refusal of 404 is not here', () => {
  const asked = (state: object) => ({ refetch: () => {}, ...state }) as never;
  const show = (state: object) => shown(<Loaded asked={asked(state)}>{() => 'the answer'}</Loaded>);
  assert.equal(show({ data: { data: {}, elided: [] } }), 'the answer');
  assert.equal(show({ data: { data: {}, elided: [] }, error: new GatewayError('x', 'old data stay') }), 'the answer');
  assert.match(show({ error: new GatewayError('not_found', 'no such thing', 404) }), /not-here/);
  assert.match(show({ error: new GatewayError('denied', 'not you', 403) }), /data-state="error"/);
  assert.match(show({}), /data-state="loading"/);
});

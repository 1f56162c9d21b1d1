import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parse, quantile, rates, valueOf, valuesBy } from './metrics.ts';

const TEXT = `# HELP intelgraph_connections Open connections
# TYPE intelgraph_connections gauge
intelgraph_connections 3
intelgraph_requests_refused_total{reason="sign_ins"} 2
intelgraph_requests_refused_total{reason="takers"} 7
intelgraph_requests_refused_total{reason="rate"} 0
intelgraph_commit_duration_seconds_bucket{le="0.01"} 50
intelgraph_commit_duration_seconds_bucket{le="0.1"} 99
intelgraph_commit_duration_seconds_bucket{le="+Inf"} 100
intelgraph_commit_duration_seconds_count 100
`;

test('metrics are read as they are written', () => {
  const metrics = parse(TEXT);
  assert.equal(valueOf(metrics, 'connections'), 3);
  assert.equal(valueOf(metrics, 'nothing'), undefined);
  assert.deepEqual(valuesBy(metrics, 'requests_refused_total', 'reason'), [['takers', 7], ['sign_ins', 2]]);
});

test('a quantile is the bound of its bucket', () => {
  const metrics = parse(TEXT);
  assert.deepEqual([0.5, 0.9, 1].map((share) => quantile(metrics, 'commit_duration_seconds', share)), [0.01, 0.1, Infinity]);
  assert.equal(quantile(metrics, 'request_duration_seconds', 0.5), undefined);
});

test('a rate is by the second, and a node that was started again does not count down', () => {
  const measured = [10, 30, 5].map((value, index) => ({ at: index * 5_000, metrics: parse(`intelgraph_searches_total ${value}`) }));
  assert.deepEqual(rates(measured, 'searches_total'), [4, 0]);
});

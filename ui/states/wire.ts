// In a build for tests: the way to the node, on which answers become those of a state. `?in-state=error` opens a page in it.

import { STATES } from './states.ts';

const NAME = 'in-state';

/** The state that the address names, taken out of it: pages know nothing of it. */
function take(): string | null {
  const url = new URL(location.href);
  const name = url.searchParams.get(NAME);
  if (name !== null) {
    url.searchParams.delete(NAME);
    history.replaceState(history.state, '', url);
  }
  return name;
}

const state = take();

export const wire: typeof fetch = (path, init) => {
  const answer = state === null ? undefined : STATES[state];
  if (state !== null && !answer) throw new Error(`no state \`${state}\`; one of ${Object.keys(STATES).join(', ')}`);
  return answer ? answer(String(path), init ?? {}) : fetch(path, init);
};

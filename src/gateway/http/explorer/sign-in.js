// Signs a browser in: by the code behind the `#` of a link, or by a token that is pasted.

const SESSION = '/api/v1/session';
const at = (id) => document.getElementById(id);

async function ask(method, body) {
  const headers = { 'content-type': 'application/json', 'x-ig-csrf': '1' };
  const answer = await fetch(SESSION, { method, headers, body: body && JSON.stringify(body) });
  const document = answer.status === 204 ? null : await answer.json();
  return { ok: answer.ok, status: answer.status, document };
}

function show(text, section) {
  at('status').textContent = text;
  at('signed-in').hidden = section !== 'signed-in';
  at('sign-in').hidden = section !== 'sign-in';
  if (section === 'sign-in') at('token').focus();
}

function showWho(who) {
  for (const name of ['tenant', 'role', 'clearance']) at(name).textContent = who[name];
  at('purposes').textContent = who.purposes.join(', ');
  at('until').textContent = new Date(who.expires_at).toLocaleString();
  show('You are signed in.', 'signed-in');
}

async function signIn(shows) {
  show('Signing in.');
  const { ok, document } = await ask('POST', shows);
  if (ok) showWho(document);
  else show(document.error.message, 'sign-in');
}

async function begin() {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code) {
    // Out of the address and the history before anything else can see it.
    history.replaceState(null, '', location.pathname);
    return signIn({ code });
  }
  const { ok, status, document } = await ask('GET');
  if (ok && document) showWho(document);
  else show(ok || status === 401 ? 'Sign in to go on.' : document.error.message, 'sign-in');
}

function guarded(act) {
  return async (event) => {
    event?.preventDefault();
    try {
      await act();
    } catch {
      show('The node does not answer. Is it running?', 'sign-in');
    }
  };
}

at('sign-in').addEventListener('submit', guarded(async () => {
  const token = at('token').value.trim();
  at('token').value = '';
  await signIn({ token });
}));
at('sign-out').addEventListener('click', guarded(async () => {
  await ask('DELETE');
  show('You are signed out.', 'sign-in');
}));
// A link that is opened where the page is open already changes nothing but the part behind the `#`.
addEventListener('hashchange', guarded(begin));
guarded(begin)();

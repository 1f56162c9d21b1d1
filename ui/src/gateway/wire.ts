// The one way from the pages to the node. A build for tests has another in its place, `states/wire.ts`.

export const wire: typeof fetch = (path, init) => fetch(path, init);

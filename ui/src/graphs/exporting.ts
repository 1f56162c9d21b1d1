// A graph as a file: what is drawn, for papers and for programs. Only what the reader was shown is in it.

import { LOOKS } from '../kinds/shapes.ts';
import { type Graph, lines, plain, tieKey } from './model.ts';
import { bounds, type Scene } from './scene.ts';

/** A file of a graph that the browser keeps. */
export function exported(as: 'svg' | 'json', graph: Graph, scene: Scene) {
  const [text, type] = as === 'svg' ? [svg(graph, scene), 'image/svg+xml'] : [json(graph), 'application/json'];
  kept(new Blob([text], { type }), `graph.${as}`);
}

/** Hands a file to whoever asked for it. */
export function kept(file: Blob, name: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function json(graph: Graph): string {
  const { things, ties } = plain(graph);
  return `${JSON.stringify({
    format: 1,
    things: things.sort((one, other) => (one.id < other.id ? -1 : 1)).map(({ id, type, title, status, x, y, pinned }) => ({ id, type, title, status, x, y, pinned })),
    ties: ties.sort((one, other) => (tieKey(one) < tieKey(other) ? -1 : 1)).map(({ from, to, kind, relations, weight }) => ({ from, to, kind, relations, weight })),
  }, null, 2)}\n`;
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

/** On white, whatever the page looks like: drawings go onto paper. */
export function svg(graph: Graph, scene: Scene): string {
  const { left, top, right, bottom } = bounds(scene);
  const at = (id: string) => graph.things.get(id)!;
  const drawn = lines(graph).map(({ from, to, ties, relations, both }) => {
    const [one, other] = [at(from), at(to)];
    const kinds = [...new Set(ties.map(({ kind }) => kind))].join(', ');
    const ends = `marker-end="url(#arrow)"${both ? ' marker-start="url(#arrow)"' : ''}`;
    return `<line x1="${one.x}" y1="${one.y}" x2="${other.x}" y2="${other.y}" ${ends}><title>${escaped(kinds)}${relations > 1 ? ` ×${relations}` : ''}</title></line>`;
  });
  const things = scene.things.map((thing, place) => {
    const look = LOOKS[scene.kinds[place]!];
    const scale = scene.radii[place]! / 12;
    const radius = scene.radii[place]!;
    return `<g transform="translate(${thing.x} ${thing.y})"><title>${escaped(`${thing.title} (${thing.type})`)}</title>`
      + `<path transform="translate(${-radius} ${-radius}) scale(${scale})" d="${look.path}" fill="${look.light}"/>`
      + `<text y="${radius + 14}">${escaped(thing.title)}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${right - left} ${bottom - top}" font-family="sans-serif" font-size="12" text-anchor="middle">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="24" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8Z" fill="#868f9b"/></marker></defs>
<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="#ffffff"/>
<g stroke="#868f9b">
${drawn.join('\n')}
</g>
<g fill="#14181d" stroke="none">
${things.join('\n')}
</g>
</svg>
`;
}

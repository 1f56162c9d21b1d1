import { wordsOf } from '../kinds/shapes.ts';

interface Named {
  title: string;
  type: string;
  from: { title: string } | null;
  to: { title: string } | null;
}

/** What a person calls it; a relation by what it joins. */
export function named({ title, type, from, to }: Named): string {
  return from && to ? `${from.title} ${wordsOf(type)} ${to.title}` : title;
}

/** The middle of a long id is left out. */
export function shorter(id: string): string {
  return id.length > 34 ? `${id.slice(0, 22)}…${id.slice(-8)}` : id;
}

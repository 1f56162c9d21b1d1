// In which order facts are read: what names and describes a thing, what says something of it, and last how its source keeps it.

const FIRST = ['name', 'title', 'aliases', 'x_mitre_aliases', 'description'];
const LAST = /^(created|modified|revoked|spec_version|lang|confidence|object_marking_refs|granular_markings|created_by_ref|external_references|x_mitre_(modified_by_ref|attack_spec_version|version|deprecated|domains))$/;

function rank(name: string): number {
  if (FIRST.includes(name)) return FIRST.indexOf(name);
  return LAST.test(name) ? FIRST.length + 1 : FIRST.length;
}

export function inOrder<T extends { name: string }>(facts: T[]): T[] {
  return facts.toSorted((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
}

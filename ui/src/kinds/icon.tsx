import {
  ArrowRight, Bug, Building2, Crosshair, Database, FileText, Fingerprint, Flag, type LucideIcon, MapPin, Milestone, Quote, Radar, Server, ShieldAlert,
  ShieldCheck, Stamp, User, Users, Wrench, Zap, Briefcase, ScanSearch, Network,
} from 'lucide-react';

import styles from './icon.module.css';
import { type Kind, kindOf, LOOKS, wordsOf } from './shapes.ts';

const OF_KIND: Record<Kind, LucideIcon> = {
  person: User, organization: Building2, asset: Server, location: MapPin, event: Zap, document: FileText, claim: Quote, case: Briefcase,
};

/** Types that have an icon of their own on the shape of their kind. */
const OF_TYPE: Record<string, LucideIcon> = {
  'attack-pattern': Crosshair, 'intrusion-set': Users, campaign: Flag, malware: Bug, tool: Wrench, 'course-of-action': ShieldCheck,
  vulnerability: ShieldAlert, indicator: Fingerprint, 'marking-definition': Stamp, 'x-mitre-tactic': Milestone, 'x-mitre-matrix': Network,
  'x-mitre-data-source': Database, 'x-mitre-data-component': Radar, 'x-mitre-detection-strategy': ScanSearch, 'x-mitre-analytic': ScanSearch,
};

interface Props {
  type: string;
  size?: number;
}

/** A thing's type as a picture: icon first, shape second, colour third. */
export function KindIcon({ type, size = 20 }: Props) {
  const kind = kindOf(type);
  const Icon = OF_TYPE[type] ?? (type.toLowerCase() === kind || ['identity', 'host', 'report', 'person', 'server'].includes(type) ? OF_KIND[kind] : null);
  return (
    <svg className={`${styles.icon} ${styles[kind]}`} width={size} height={size} viewBox="0 0 24 24" role="img" aria-label={wordsOf(type)}>
      <title>{wordsOf(type)}</title>
      <path d={LOOKS[kind].path} fill="currentColor" />
      {Icon
        ? <Icon x={5.5} y={5.5} width={13} height={13} className={styles.sign} strokeWidth={2.4} aria-hidden />
        : <text x={12} y={16} textAnchor="middle" className={styles.letter}>{wordsOf(type).charAt(0).toUpperCase()}</text>}
    </svg>
  );
}

/** A relation seen as a thing of its own. */
export function RelationIcon({ size = 20 }: { size?: number }) {
  return <span className={styles.relation} style={{ width: size, height: size }}><ArrowRight size={size * 0.6} strokeWidth={2.4} aria-label="relation" /></span>;
}

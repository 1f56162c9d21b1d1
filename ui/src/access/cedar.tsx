import { Fragment, type ReactNode } from 'react';

import styles from './cedar.module.css';

const TOKEN = /(?<comment>\/\/.*)|(?<text>"(?:[^"\\\n]|\\.)*")|(?<note>@\w+)|\b(?<permit>permit)\b|\b(?<forbid>forbid)\b|\b(?<word>when|unless|in|has|like|is|if|then|else|true|false)\b|\b(?<name>principal|action|resource|context)\b/g;

/** A line of Cedar, its words told apart. */
export function Cedar({ line }: { line: string }) {
  const shown: ReactNode[] = [];
  let at = 0;
  for (const match of line.matchAll(TOKEN)) {
    const kind = Object.entries(match.groups!).find(([, text]) => text !== undefined)![0];
    shown.push(line.slice(at, match.index), <span key={match.index} className={styles[kind]}>{match[0]}</span>);
    at = match.index + match[0].length;
  }
  return <>{shown}{line.slice(at)}</>;
}

/** A policy, to be read. */
export function CedarText({ text }: { text: string }) {
  return <pre className={styles.cedar} tabIndex={0} aria-label="Policy">{text.split('\n').map((line, index) => <Fragment key={index}><Cedar line={line} />{'\n'}</Fragment>)}</pre>;
}

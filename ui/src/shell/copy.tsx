import { Check, Copy } from 'lucide-react';
import { useState } from 'react';

import { IconButton } from './button.tsx';

const SAID_MS = 1_500;

/** Copies a text; `what` names it for who does not see it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MS);
  };
  return (
    <IconButton label={copied ? `Copied` : `Copy ${what}`} onPress={() => void copy()}>
      {copied ? <Check size={14} /> : <Copy size={14} />}
    </IconButton>
  );
}

/** Puts a text on the clipboard, also where browsers have none: on plain HTTP beyond this machine. */
export async function copyText(text: string) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

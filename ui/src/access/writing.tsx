import { Download, FlaskConical, RotateCcw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import { type Data, type GatewayError, run } from '../gateway/run.ts';
import { queries } from '../gateway/use.ts';
import { Button } from '../shell/button.tsx';
import { useKeys } from '../shell/keys.ts';
import { save } from '../shell/save.ts';
import { Section } from '../shell/page.tsx';
import { Failed, Loading } from '../shell/states.tsx';
import { Time } from '../shell/time.tsx';
import { Difference } from './difference.tsx';
import { useDraft, write } from './draft.ts';
import { Editor, type EditorHandle } from './editor.tsx';
import { type Policy, versionName } from './policy-page.tsx';
import styles from './policy-page.module.css';
import { Setting } from './setting.tsx';
import { Trial } from './trial.tsx';

/** What trying a text came to. */
type Tried = { text: string } & ({ found: Data<'policySimulate:v1'>['policySimulate'] } | { problems: Problem[] } | { error: Error });

interface Problem {
  policy: string | null;
  line: number;
  message: string;
}

/** The problems that a refusal lists. */
function problemsOf(error: unknown): Problem[] | null {
  const { code, details } = error as GatewayError;
  return code === 'policy_refused' ? ((details as { problems?: Problem[] } | null)?.problems ?? [{ policy: null, line: 1, message: (error as Error).message }]) : null;
}

/** The policy in force in an editor; a changed one is tried out, and then set over the version that its author saw. */
export function Writing({ inForce }: { inForce: Policy }) {
  const draft = useDraft();
  const text = draft?.text ?? inForce.text;
  const editor = useRef<EditorHandle>(null);
  const [tried, setTried] = useState<Tried | null>(null);
  const [busy, setBusy] = useState(false);
  const result = useRef<HTMLDivElement>(null);
  const isChanged = draft !== null && draft.text !== inForce.text;
  const isCurrent = tried?.text === text;
  const problems = tried && isCurrent && 'problems' in tried ? tried.problems : [];
  const change = (text: string) => write(text === inForce.text ? null : { text, replaces: draft?.replaces ?? inForce.version });
  const tryOut = async () => {
    setBusy(true);
    try {
      const { data } = await run('policySimulate:v1', { text });
      setTried({ text, found: data.policySimulate });
    } catch (error) {
      const problems = problemsOf(error);
      setTried(problems ? { text, problems } : { text, error: error as Error });
      if (problems) editor.current?.go(problems[0]!.line);
    } finally {
      setBusy(false);
    }
  };
  useKeys('Policy', [{ key: 'Ctrl-enter', does: 'Try the policy out', run: () => void tryOut(), always: true }]);
  useEffect(() => {
    if (tried && 'found' in tried) result.current?.scrollIntoView({ block: 'start', behavior: 'smooth' });
  }, [tried]);
  const set = () => {
    setTried(null);
    write(null);
    void queries.invalidateQueries();
  };
  return (
    <section className={styles.writing} aria-label="The policy">
      <header className={styles.head}>
        <p>{isChanged ? `Your draft, to replace ${versionName(draft.replaces)}` : <>In force: {versionName(inForce.version)}{inForce.setAt && <>, set <Time at={inForce.setAt} ago /> by <code>{inForce.setBy}</code></>}</>}</p>
        <div className={styles.ways}>
          <span>Cedar · Ctrl Enter tries it out</span>
          <Button onPress={() => save(text, 'policy.cedar')}><Download size={14} aria-hidden /> Save as a file</Button>
          {isChanged && <Button onPress={() => { write(null); setTried(null); }}><RotateCcw size={14} aria-hidden /> Throw the draft away</Button>}
          <Button main onPress={() => void tryOut()} isDisabled={busy || !isChanged}><FlaskConical size={14} aria-hidden /> Try it out</Button>
        </div>
      </header>
      {draft && draft.replaces !== inForce.version && <Conflict draft={draft.text} replaces={draft.replaces} inForce={inForce} />}
      <Editor ref={editor} label="Text of the policy" text={text} onChange={change} wrong={new Set(problems.map(({ line }) => line))} />
      {problems.length > 0 && (
        <div className={styles.problems} role="alert">
          <h2>It cannot be set</h2>
          {problems.map(({ policy, line, message }, index) => <button key={index} type="button" onClick={() => editor.current?.go(line)}><b>line {line}</b><span>{policy && <>policy <code>{policy}</code>: </>}{message}</span></button>)}
        </div>
      )}
      {busy && <Loading rows={4} what="both policies to be compared on everything there is" />}
      <div ref={result} className={styles.result}>
        {tried && !busy && 'error' in tried && <Failed error={tried.error} onRetry={() => void tryOut()} />}
        {tried && !busy && 'found' in tried && (
          <>
            {!isCurrent && <p className={styles.conflict}>The text was changed since; try it out again.</p>}
            <Trial found={tried.found} />
            {isCurrent && isChanged && <Setting text={text} replaces={draft.replaces} found={tried.found} onSet={set} />}
          </>
        )}
      </div>
    </section>
  );
}

/** Somebody has set another version since the author looked. */
function Conflict({ draft, replaces, inForce }: { draft: string; replaces: number; inForce: Policy }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'start' });
  }, []);
  return (
    <div className={styles.conflict} role="alert" ref={place}>
      <p><b>Meanwhile {versionName(inForce.version)} was set</b>{inForce.setBy && <> by token <code>{inForce.setBy}</code></>}. Your draft was begun over {versionName(replaces)}; setting it would undo what changed since. This is what your draft changes in the version in force:</p>
      <Section title="In force, and your draft"><Difference before={inForce.text} after={draft} /></Section>
      <span><Button onPress={() => write({ text: draft, replaces: inForce.version })}>I have looked: replace {versionName(inForce.version)} with my draft</Button></span>
    </div>
  );
}

import { useNavigate, useRouterState } from '@tanstack/react-router';
import { Check, X } from 'lucide-react';
import { useEffect, useRef } from 'react';

import { seeAsReader, useLesser } from '../gateway/see-as.ts';
import { Button, IconButton } from '../shell/button.tsx';
import styles from './list.module.css';
import { change, useTour } from './state.ts';
import { type Step, useSteps } from './steps.ts';

/** The guided five minutes, beside the page: nothing of it is in the way. */
export function TourList({ tenant }: { tenant: string }) {
  const { done } = useTour();
  const lesser = useLesser();
  const known = useRef<Step[]>([]);
  const found = useSteps();
  // A lesser reader does not find what the steps are about; the list stays as it was.
  if (found.length > 0 && !lesser) known.current = found;
  const steps = known.current;
  const navigate = useNavigate();
  const location = useRouterState({ select: (state) => state.location });
  const here = lesser ? steps.find((step) => step.asReaderFor) : steps.find((step) => isAt(step, location, tenant));
  useEffect(() => {
    if (here && !done.includes(here.id)) change({ done: [...done, here.id] });
  }, [here?.id]);
  const take = ({ at, asReaderFor }: Step) => {
    if (at) void navigate({ to: `/t/${tenant}/${at.path}`, search: at.search } as never);
    else void seeAsReader(asReaderFor!);
  };
  const next = steps.find((step) => !done.includes(step.id));
  return (
    <aside className={styles.tour} aria-label="Five minutes">
      <header>
        <h2>Five minutes with these data</h2>
        <IconButton label="Close" onPress={() => change({ isOpen: false })}><X size={16} /></IconButton>
      </header>
      <ol>
        {steps.map((step, index) => (
          <li key={step.id} aria-current={step === here ? 'step' : undefined}>
            <button type="button" onClick={() => take(step)} disabled={lesser !== null && !step.asReaderFor}>
              <span className={styles.number}>{done.includes(step.id) ? <Check size={14} aria-label="done" /> : index + 1}</span>
              {step.title}
            </button>
            {step === (here ?? next) && <p>{step.says}</p>}
          </li>
        ))}
      </ol>
      <footer>
        {next ? <Button main onPress={() => take(next)} isDisabled={lesser !== null}>Next: {next.title.toLowerCase()}</Button> : (
          <p>That was it. Your own data come in by <b>Sources</b>, or with <code>intelgraph import</code>. <Button quiet onPress={() => change({ done: [] })}>Begin again</Button></p>
        )}
      </footer>
    </aside>
  );
}

function isAt({ at }: Step, location: { pathname: string; search: object }, tenant: string): boolean {
  if (!at || location.pathname !== `/t/${tenant}/${at.path}`) return false;
  const search = location.search as Record<string, string>;
  return Object.entries(at.search).every(([name, value]) => search[name] === value) && (at.search.tab !== undefined || search.tab === undefined);
}

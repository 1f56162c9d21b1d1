// What stands round every page: the rail of places, the bar with the search box, and what has to be said about all of it.

import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { Keyboard, MoreHorizontal } from 'lucide-react';
import { Suspense, useEffect, useRef, useState } from 'react';
import { MenuTrigger } from 'react-aria-components/Menu';

import { watch } from '../gateway/progress.ts';
import { useLesser } from '../gateway/see-as.ts';
import { SearchBox } from '../search/box.tsx';
import { TourList } from '../tour/list.tsx';
import { useTour } from '../tour/state.ts';
import { Account } from './account.tsx';
import { AsOf } from './as-of.tsx';
import { IconButton } from './button.tsx';
import { copyText } from './copy.tsx';
import styles from './frame.module.css';
import { useSession } from './gate.tsx';
import { Help } from './help.tsx';
import icon from './icon.svg';
import { useKeys } from './keys.ts';
import { LesserStrip } from './lesser.tsx';
import { MenuList } from './menu.tsx';
import { NodeState, NodeStrip } from './node-state.tsx';
import { takeDropped } from './params.ts';
import { type Place, placesFor } from './places.ts';
import { Loading, Stale } from './states.tsx';

/** Places beside `More` in the bar of a narrow page. */
const BAR_PLACES_MAX = 4;

export function Frame() {
  const { tenant } = useParams({ strict: false }) as { tenant: string };
  const session = useSession();
  const places = placesFor(session.actions);
  const tour = useTour();
  const [help, setHelp] = useState(false);
  const [said, setSaid] = useState('');
  const navigate = useNavigate();
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  const lesser = useLesser();
  useTitle(pathname);
  useEffect(() => watch(), [tenant, session.token, lesser?.id]);
  useKeys('Anywhere', [
    { key: '?', does: 'This list', run: () => setHelp(true) },
    ...places.map((place) => ({
      key: `g ${place.letter}`, does: `Go to ${place.word}`,
      run: () => void navigate({ to: place.to, params: { tenant } }),
    })),
    { key: 'y', does: 'Copy the link of this page', run: () => void copyText(location.href).then(() => setSaid('Link copied')) },
  ]);
  useEffect(() => {
    const timer = said && setTimeout(() => setSaid(''), 2_000);
    return () => clearTimeout(timer || undefined);
  }, [said]);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the page</a>
      <header className={styles.top}>
        <Link to={places[0]!.to} params={{ tenant }} className={styles.brand} title="The first page">
          <img src={icon} alt="IntelGraph" width={24} height={24} />
          <span>{tenant}</span>
        </Link>
        {session.actions.includes('entity.search') ? <SearchBox tenant={tenant} /> : <div className={styles.gap} />}
        <div className={styles.tools}>
          <AsOf />
          <NodeState tenant={tenant} />
          <span className={styles.wide}><IconButton label="Keys (?)" onPress={() => setHelp(true)}><Keyboard size={18} /></IconButton></span>
          <Account />
        </div>
      </header>
      <nav className={styles.rail} aria-label="Places">
        {places.map((place) => <PlaceLink key={place.to} tenant={tenant} place={place} />)}
      </nav>
      {tour.isOpen && <TourList tenant={tenant} />}
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <LesserStrip />
        <NodeStrip />
        <Dropped at={pathname} />
        <Suspense fallback={<Loading />}><Outlet /></Suspense>
      </main>
      <nav className={styles.bar} aria-label="Places">
        {places.slice(0, BAR_PLACES_MAX).map((place) => <PlaceLink key={place.to} tenant={tenant} place={place} />)}
        {places.length > BAR_PLACES_MAX && <More tenant={tenant} places={places.slice(BAR_PLACES_MAX)} />}
      </nav>
      {help && <Help onClose={() => setHelp(false)} />}
      <div role="status" className={said ? styles.said : styles.unsaid}>{said}</div>
    </div>
  );
}

function PlaceLink({ tenant, place: { to, word, icon: Icon, letter } }: { tenant: string; place: Place }) {
  return (
    <Link to={to} params={{ tenant }} className={styles.place} activeProps={{ 'aria-current': 'page' }} activeOptions={{ includeSearch: false }} title={`${word} (g ${letter})`}>
      <Icon size={20} strokeWidth={1.75} aria-hidden />
      <span>{word}</span>
    </Link>
  );
}

function More({ tenant, places }: { tenant: string; places: Place[] }) {
  const navigate = useNavigate();
  return (
    <MenuTrigger>
      <IconButton label="More places"><span className={styles.more}><MoreHorizontal size={20} aria-hidden /><span>More</span></span></IconButton>
      <MenuList items={places.map(({ to, word, icon }) => ({ id: to, word, icon }))} onPick={(to) => void navigate({ to: to as Place['to'], params: { tenant } })} />
    </MenuTrigger>
  );
}

/** Parts of an address that its page does not understand are left out of it, and that is said as long as the page is there. */
function Dropped({ at }: { at: string }) {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => setNames(takeDropped(location.search)), [at]);
  if (names.length === 0) return null;
  return <Stale><span>Not understood in the address, and left out: {names.join(', ')}</span></Stale>;
}

/** A page that knows better says its own title. */
function useTitle(pathname: string) {
  useEffect(() => {
    const place = pathname.split('/')[3];
    if (place && place !== 'e') document.title = `${place[0]!.toUpperCase()}${place.slice(1)} · IntelGraph`;
  }, [pathname]);
}

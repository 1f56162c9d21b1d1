/** Why nothing was looked for by meaning, by the names that the node gives. */
export const WITHOUT: Record<string, string> = {
  flag_off: 'meaning is being tried out, and not here',
  query_empty: 'there is no word in the question',
  filter_exact: 'a phrase in quotes and a word left out are exact, and meaning is not',
  no_model: 'no model is installed on the node',
  index_missing: 'nothing is prepared for it yet',
  index_building: 'it is being prepared',
  index_damaged: 'what was prepared is damaged, and is made anew',
  encoder_failed: 'the model failed on the question',
  deadline: 'it took too long',
  busy: 'the node is busy',
};

/** Those that hold for every question, and what to type. */
export const UNTIL: Record<string, string> = {
  flag_off: 'intelgraph flag set vector-preview on',
  no_model: 'intelgraph model install PATH',
  index_missing: 'intelgraph index build --now',
  index_building: '',
  index_damaged: '',
};

/** Those about which nothing is wrong. */
export const CHOSEN = ['flag_off', 'query_empty', 'filter_exact'];

// The texts in the body of a record. Bodies are protocol buffers: fields with numbers, of which some hold texts, others
// messages of the same form. Which is which the bytes do not say; what reads as a text is taken for one.

const DEPTH_MAX = 8;
const [VARINT, BYTES_8, LENGTH, BYTES_4] = [0, 1, 2, 5];

/** Texts in their order; of a message that holds a name and a value, both on one line. */
export function textsIn(body: Uint8Array, depth = 0): string[] {
  const fields = read(body);
  if (!fields || depth > DEPTH_MAX) return [];
  return fields.flatMap((field) => {
    const text = textOf(field);
    if (text !== null) return text.trim() ? [text] : [];
    const inner = textsIn(field, depth + 1);
    return inner.length === 2 ? [inner.join(': ')] : inner;
  });
}

/** What the fields hold that have a length; `null` if the bytes are no such message. */
function read(bytes: Uint8Array): Uint8Array[] | null {
  const found: Uint8Array[] = [];
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (let more = true; more && at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      more = byte > 127;
    }
    return value;
  };
  while (at < bytes.length) {
    const wire = varint() & 7;
    if (wire === VARINT) varint();
    else if (wire === BYTES_8) at += 8;
    else if (wire === BYTES_4) at += 4;
    else if (wire === LENGTH) {
      const length = varint();
      found.push(bytes.subarray(at, at + length));
      at += length;
    } else return null;
  }
  return at === bytes.length ? found : null;
}

function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

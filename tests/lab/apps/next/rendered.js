import { readFileSync } from 'node:fs';

// Rendered anew after a second, by one of the instances.
export const revalidate = 1;

export default function Rendered() {
  return <p>edition {readFileSync('edition.txt', 'utf8').trim()}</p>;
}

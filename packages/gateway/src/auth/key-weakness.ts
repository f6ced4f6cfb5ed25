/** Of what comes after `sk-`. */
const LEAST_CHARACTERS = 16;
/** By the estimate below, which says less than there is: of random keys with 16 characters of hex, one in 300 has less. */
const LEAST_BITS = 28;
const MOST_DIGITS_OF_EXAMPLES = 8;

/** What keys of guides and examples are made of, such as `sk-1234-your-master-key-here`. */
const WORDS_OF_EXAMPLES = new Set(
  `a abc admin an api bar change changeme default demo dev development dummy example fake foo gateway generate generated
  handrail here insert key litellm llm local localhost long master me my openai our own pass passwd password please prod
  production proxy put qwerty random replace root sample secret secure server set sk some string strong super test testing
  the this to todo token user value welcome with xxx your`.split(/\s+/),
);

/** What to take instead. */
export const RANDOM_KEY = "Take a random one, such as sk- and what `openssl rand -hex 24` prints";

/** Why a key can be guessed, as what follows "the key"; undefined where it is as good as random. */
export function keyWeakness(key: string): string | undefined {
  const own = key.replace(/^sk-/i, "");
  if (ofExamples(own)) return "is one that guides and examples have";
  if (own.length < LEAST_CHARACTERS) return `has fewer than ${LEAST_CHARACTERS} characters`;
  return estimatedBits(own) < LEAST_BITS ? "has too few different characters" : undefined;
}

function ofExamples(key: string): boolean {
  const words = key.toLowerCase().match(/[a-z]+/g) ?? [];
  const digits = key.match(/\d/g)?.length ?? 0;
  return words.length > 0 && digits < MOST_DIGITS_OF_EXAMPLES && words.every((word) => WORDS_OF_EXAMPLES.has(word));
}

/** As if its characters were drawn from those that it has. What repeats the one before, or counts on from it, adds nothing. */
function estimatedBits(key: string): number {
  const codes = Array.from(key, (character) => character.codePointAt(0) ?? 0);
  const drawn = codes.filter((code, at) => Math.abs(code - (codes[at - 1] ?? Infinity)) > 1);
  return drawn.length * Math.log2(new Set(codes).size);
}

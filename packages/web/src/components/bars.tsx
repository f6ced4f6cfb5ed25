export type Bar = { readonly name: string; readonly value: number; readonly title: string };

const HEIGHT = 96;
const STEP = 16;

/** Values over equal steps as bars. What they say is also in a table beside it; this is for the eye. */
export function Bars({ label, bars }: { readonly label: string; readonly bars: readonly Bar[] }) {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  return (
    <figure aria-label={label}>
      <svg
        aria-hidden
        viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-24 w-full border-b border-line-strong"
      >
        {bars.map(({ name, value, title }, index) => {
          const height = value === 0 ? 0 : Math.max(2, (value / most) * HEIGHT);
          return (
            <g key={name}>
              <title>{title}</title>
              <rect x={index * STEP} y={0} width={STEP} height={HEIGHT} fill="transparent" />
              <rect
                x={index * STEP + 2}
                y={HEIGHT - height}
                width={STEP - 4}
                height={height}
                className="fill-accent-solid"
              />
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

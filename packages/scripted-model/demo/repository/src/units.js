/** Units from long to short. `size` is in seconds. */
export const UNITS = [
  { symbol: "d", size: 86_400 },
  { symbol: "h", size: 3_600 },
  { symbol: "m", size: 60 },
  { symbol: "s", size: 1 },
];

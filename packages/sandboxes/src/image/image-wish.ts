/** Where images come from that no conversation names. */
export type ImageSource = {
  /** The image of conversations that name none. Undefined: the one that is built here. */
  readonly defaultImage: string | undefined;
  /** Pulled instead of the built one on machines that cannot build it. */
  readonly fallbackImage: string;
  readonly cacheDirectory: string;
};

export type ImageWish = {
  readonly image: string | undefined;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

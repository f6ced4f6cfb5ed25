type Asked = {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path?: string | undefined;
};

/** What a request was for, as people write it: `example.org`, `example.org:8443`, `POST api.example/v1/a`. */
export function askedPlace({ host, port, method, path }: Asked): string {
  const place = port === 443 || port === 80 || port === 0 ? host : `${host}:${port}`;
  return path === undefined ? place : `${method} ${place}${path}`;
}

/**
 * The first line of a plain HTTP request to a server, as a proxy takes it: with the whole address. Undefined for what is
 * no such line. Source: RFC 9112 §3.2
 */
export function proxiedLine(line: string, name: string): string | undefined {
  const [, method, path, version] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[!-~]*) (HTTP\/1\.[01])$/.exec(line) ?? [];
  return path === undefined ? undefined : `${method} http://${name}${path} ${version}`;
}

import { request } from "node:http";
import { text } from "node:stream/consumers";

const SOCKET = /^unix:\/\/(.+)$/.exec(process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock")?.[1];

/** The daemon's answer; `body` is undefined when it has none. */
export type DockerAnswer = { readonly status: number; readonly body: unknown };

/** Asks the daemon of this machine without the `docker` program, whose start alone takes longer than most answers. */
export async function askDocker(method: "GET" | "POST", path: string): Promise<DockerAnswer> {
  if (SOCKET === undefined) throw new Error("Programs can be killed only in a daemon of this machine.");
  const answer = Promise.withResolvers<DockerAnswer>();
  const asked = request({ socketPath: SOCKET, method, path, timeout: 30_000 }, (response) => {
    text(response).then(
      (said) => answer.resolve({ status: response.statusCode ?? 0, body: said === "" ? undefined : JSON.parse(said) }),
      answer.reject,
    );
  });
  asked.once("timeout", () => asked.destroy(new Error("The daemon has not answered within 30 seconds.")));
  asked.once("error", answer.reject);
  asked.end();
  return answer.promise;
}

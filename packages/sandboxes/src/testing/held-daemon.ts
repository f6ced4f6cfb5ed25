import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A socket that leads to a daemon, save that an archive does not get there. */
export type HeldDaemon = {
  /** As `DOCKER_HOST` is written. */
  readonly host: string;
  /** Settles once the archive is sent. */
  readonly held: Promise<void>;
  close(): Promise<void>;
};

/** At `path`, for the daemon at `target`, also a path. What is sent to a container that `isHeld` is held back. */
export async function holdArchive(
  path: string,
  target: string,
  isHeld: (containerId: string) => Promise<boolean>,
): Promise<HeldDaemon> {
  const held = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const lead = (here: Socket) => {
    const there = connect(target);
    for (const socket of [here, there]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    there.pipe(here);
    here.on("end", () => there.end()).on("close", () => there.destroy());
    here.on("data", (bytes: Buffer) => {
      const containerId = /^PUT \S+\/containers\/(\w+)\/archive\?/.exec(bytes.toString("latin1", 0, 200))?.[1];
      if (containerId === undefined) return void there.write(bytes);
      here.pause();
      isHeld(containerId).then((hold) => {
        if (hold) return held.resolve();
        there.write(bytes);
        here.resume();
      }, held.reject);
    });
  };
  const server = createServer(lead).listen(path);
  await once(server, "listening");
  return {
    host: `unix://${path}`,
    held: held.promise,
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { Agent, createServer, request as send } from "node:http";

/** A program: the least that passes a request on in Node. It listens on `PORT` and asks `UPSTREAM_PORT`. */
const agent = new Agent({ keepAlive: true });

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const { method, url, headers } = request;
  const onward = send(
    { host: "127.0.0.1", port: process.env["UPSTREAM_PORT"], method, path: url, headers, agent },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}).listen(Number(process.env["PORT"]), "127.0.0.1");

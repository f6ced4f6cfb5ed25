import { expect, test } from "vitest";
import { explainSsh } from "./dial-ssh.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";
import { unreachable } from "./docker-unreachable.ts";

const SOCKET = { type: "socket", path: "/run/d.sock" } as const;
const TCP = { type: "tcp", host: "box", port: 2375 } as const;
const TLS = { type: "tls", host: "box", port: 2376, certificates: "/certs" } as const;

/** What is said after "No Docker daemon answers at ….". */
function remedy(endpoint: DockerEndpoint, code: string): string {
  const error = unreachable(endpoint, Object.assign(new Error("it broke"), { code }));
  expect(error).toMatchObject({ code: "backend_unavailable", details: { reason: code } });
  return error.message.replace(/^No Docker daemon answers at .*?(?<=\S)\. /, "");
}

test("a socket that cannot be used says what is wrong with it", () => {
  expect(remedy(SOCKET, "ENOENT")).toMatch(/^There is no such socket\. Start the daemon/);
  expect(remedy(SOCKET, "EACCES")).toMatch(/^This user may not use the socket\. .*usermod -aG docker /);
  expect(remedy(SOCKET, "ECONNREFUSED")).toMatch(/^The socket is there, but no daemon listens on it\./);
});

test("a port that cannot be reached says what is wrong with it", () => {
  expect(remedy(TCP, "ECONNREFUSED")).toMatch(/^Nothing listens on that port\./);
  expect(remedy(TCP, "ENOTFOUND")).toMatch(/^The name box cannot be resolved\./);
  expect(remedy(TLS, "EHOSTUNREACH")).toMatch(/^The machine cannot be reached\./);
});

test("what TLS refuses is told apart", () => {
  expect(remedy(TLS, "UNABLE_TO_VERIFY_LEAF_SIGNATURE")).toMatch(/not signed by \/certs\/ca\.pem/);
  expect(remedy(TLS, "ERR_TLS_CERT_ALTNAME_INVALID")).toMatch(/for another name/);
  expect(remedy(TLS, "CERT_HAS_EXPIRED")).toMatch(/has expired/);
  expect(remedy(TLS, "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED")).toMatch(/does not accept this server's certificate/);
  expect(remedy(TLS, "ERR_SSL_WRONG_VERSION_NUMBER")).toMatch(/^The port does not speak TLS\./);
});

test("what ssh complains of comes with what to do", () => {
  const explain = (complaint: string) => explainSsh("me@box", 255, complaint);
  expect(explain("me@box: Permission denied (publickey).\r\n")).toBe(
    "ssh to me@box failed: me@box: Permission denied (publickey). Give this user a key that works without a question, in ssh's agent or its configuration.",
  );
  expect(explain("Host key verification failed.\n")).toMatch(/Connect once by hand/);
  expect(explain("sh: 1: docker: not found\n")).toMatch(/Install the docker program/);
  expect(explain("")).toBe("ssh to me@box failed: it ended with code 255. Try it by hand: ssh me@box docker version");
});

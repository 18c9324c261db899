// A real OpenID Connect provider on loopback, for the tests of signing in with it. What it knows of people comes
// as JSON in the first argument: {"chen": {"roles": ["duty"]}}. It says the port that it got in its first line.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import http from "node:http";

const [people, home] = process.argv.slice(2);
const found = createRequire(`${home}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(found).href);
const known = JSON.parse(people);
const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: "huiying", client_secret: "a secret of tests only", redirect_uris: ["http://127.0.0.1/"] }],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "roles"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, ...known[id] }) }),
  });
  // the port of the site under test is chosen by the system: any of this machine will do
  provider.Client.prototype.redirectUriAllowed = (uri) => uri.startsWith("http://127.0.0.1:");
  server.on("request", provider.callback());
  console.log(port);
});

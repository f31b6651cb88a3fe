/** Ports of the tests' own, so that a server in use stays in use; E2E_PORT names the first where these are taken. */
const FIRST_PORT = Number(process.env.E2E_PORT ?? 50151);
const at = (port: number) => `http://localhost:${port}`;

export const SERVER = at(FIRST_PORT);
/** May call the server from a browser. */
export const ALLOWED_ORIGIN = at(FIRST_PORT + 1);
/** May not. */
export const OTHER_ORIGIN = at(FIRST_PORT + 2);

/** Ports of the tests' own, so that a server in use stays in use. */
export const SERVER = "http://localhost:50151";
/** May call the server from a browser. */
export const ALLOWED_ORIGIN = "http://localhost:50152";
/** May not. */
export const OTHER_ORIGIN = "http://localhost:50153";

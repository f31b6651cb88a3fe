import { SERVER } from "./addresses";
import { ready } from "./ready";

/** Playwright has started the servers of its configuration by now. */
export default () => ready(SERVER);

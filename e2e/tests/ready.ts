/** Waits until the server at `url` is ready: it serves the page a little earlier. */
export async function ready(url: string) {
  for (const end = Date.now() + 20_000; !(await isServing(url)); ) {
    if (Date.now() > end) throw new Error(`${url} does not become ready`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** grpc.health.v1 over gRPC-Web: frames of a flag, four bytes of length, and the message. */
async function isServing(url: string): Promise<boolean> {
  const reply = await fetch(`${url}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body: new Uint8Array(5), // an empty message asks about the whole server
  }).catch(() => undefined);
  if (!reply) return false;
  const [, , , , length, field, status] = new Uint8Array(await reply.arrayBuffer());
  return length === 2 && field === 0x08 && status === 1; // HealthCheckResponse { status = 1: SERVING }
}

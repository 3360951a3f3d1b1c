// The page's own server; there is no other host.

export class Refusal extends Error {}

export async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(told.text ?? told.error ?? answer.statusText);
  return told;
}

// Follows one person's channel and the mesh until `close` of the answer is called.
export function follow(user, { messages, state, away }) {
  const source = new EventSource(`/api/events?user=${encodeURIComponent(user)}`);
  source.addEventListener("messages", (event) => messages(JSON.parse(event.data)));
  source.addEventListener("state", (event) => state(JSON.parse(event.data)));
  source.addEventListener("error", away);
  return source;
}

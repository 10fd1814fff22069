// What the page asks its server.

let token = null;

export class ApiError extends Error {}

async function answered(response) {
  if (response.status === 401) {
    location.href = "/login";
    throw new ApiError("log in first");
  }
  const body = await response.json().catch(() => ({ error: `status ${response.status}` }));
  if (!response.ok) throw new ApiError(body.error ?? `status ${response.status}`);
  return body;
}

export async function get(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  const query = new URLSearchParams(given).toString();
  return answered(await fetch(query ? `${path}?${query}` : path, { headers: { accept: "application/json" } }));
}

export async function session() {
  const found = await get("/api/session");
  token = found.token;
  return found;
}

export async function request(device, command, fields) {
  if (token === null) await session();
  const path = `/api/request/${encodeURIComponent(device)}/${encodeURIComponent(command)}`;
  const headers = { "content-type": "application/json", "x-offbeat-token": token };
  return answered(await fetch(path, { method: "POST", headers, body: JSON.stringify(fields) }));
}

export async function logout() {
  await fetch("/logout", { method: "POST", headers: { "x-offbeat-token": token } });
  location.href = "/login";
}

// Calls back with each message; a connection that is lost is made anew by the browser, or by us where it gives up.
export function live(onMessage, onLost) {
  let source = null;
  const connect = () => {
    source = new EventSource("/live");
    source.onmessage = (message) => onMessage(JSON.parse(message.data));
    source.onerror = () => {
      onLost();
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    };
  };
  connect();
}

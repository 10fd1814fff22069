// What the page asks its server.

let token = null;

export class ApiError extends Error {}

async function answered(response) {
  if (response.status === 401) {
    location.href = location.pathname === "/" ? "/login" : `/login?next=${encodeURIComponent(location.pathname)}`;
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

async function posted(path, fields) {
  const headers = { "content-type": "application/json", "x-offbeat-token": token };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(fields) });
}

export async function request(device, command, fields) {
  if (token === null) await session();
  const path = `/api/request/${encodeURIComponent(device)}/${encodeURIComponent(command)}`;
  let response = await posted(path, fields);
  if (response.status === 403) {  // the page's server has started again, or another window has another session
    await session();
    response = await posted(path, fields);
  }
  return answered(response);
}

export async function logout() {
  await posted("/logout", {});
  location.href = "/login";
}

// Calls back with each message; a connection that is lost is made anew by the browser, or by us where it gives up:
// where the server asks for the password again, that leads to the form.
export function live(onMessage, onLost) {
  let source = null;
  const connect = () => {
    source = new EventSource("/live");
    source.onmessage = (message) => onMessage(JSON.parse(message.data));
    source.onerror = () => {
      onLost();
      if (source.readyState === EventSource.CLOSED) setTimeout(() => session().catch(() => null).then(connect), 3000);
    };
  };
  connect();
}

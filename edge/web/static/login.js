const asked = new URLSearchParams(location.search);
const why = asked.has("wrong") ? "That is not the password." : asked.has("wait") ? "Too many tries. Wait a minute." : "";
document.getElementById("why").textContent = why;

// After a link on another site a browser sends no cookie, with what this page asks itself it does: who is known goes on.
if (asked.has("next")) {
  const found = await fetch(location.href, { redirect: "manual" });
  if (found.type === "opaqueredirect") location.replace(location.href);
}

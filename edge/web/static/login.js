const why = { "?wrong": "That is not the password.", "?wait": "Too many tries. Wait a minute." }[location.search];
document.getElementById("why").textContent = why ?? "";

// Pleasanter with it, complete without: what will happen is shown while somebody types.
"use strict";
for (const form of document.querySelectorAll("form.settings")) {
  const place = document.getElementById("foresight");
  const look = form.querySelector("button.look");
  if (look) look.hidden = true;
  let waiting = 0, last = 0;
  const ask = async () => {
    const mine = ++last;
    const fields = new FormData(form);
    for (const secret of form.querySelectorAll("input[type=password]")) if (!secret.value) fields.delete(secret.name);
    const answer = await fetch(place.dataset.from, {
      method: "POST", body: new URLSearchParams(fields), headers: { "X-Fragment": "foresight" }, credentials: "same-origin",
    }).catch(() => null);
    if (answer && answer.ok && mine === last) place.innerHTML = await answer.text();
  };
  const later = () => { clearTimeout(waiting); waiting = setTimeout(ask, 350); };
  form.addEventListener("input", later);
  // Choosing the encryption sets the port, unless somebody has set it: it is left empty, and shows what it would be.
  form.addEventListener("change", (event) => {
    if (!event.target.name || !event.target.name.endsWith(".encryption")) return;
    const port = form.elements[event.target.name.replace("encryption", "port")];
    const usual = { none: "25", starttls: "587", tls: "465" };
    if (port && (!port.value || Object.values(usual).includes(port.value))) port.value = "";
    if (port) port.placeholder = usual[event.target.value] || "";
  });
}
const summary = document.querySelector(".summary[tabindex]");
if (summary) summary.focus();

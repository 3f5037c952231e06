// New mail appears by itself; without this a reload shows it.
"use strict";
const place = document.querySelector("[data-newest]");
if (place && !new URLSearchParams(location.search).get("search")) {
  setInterval(async () => {
    const answer = await fetch(`${place.dataset.root}/messages.json?after=${place.dataset.newest}`, { credentials: "same-origin" }).catch(() => null);
    const mails = answer && answer.ok ? await answer.json() : [];
    if (mails.length) location.reload();
  }, 2000);
}

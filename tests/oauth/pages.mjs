// The pages that a person meets at a provider. `data-step` of the body says which one it is, for the one who drives the browser.

const MARKS = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escaped = (text) => String(text).replace(/[&<>"']/g, (mark) => MARKS[mark]);

export function page(step, title, content) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto}label{display:block}</style>
<body data-step="${step}"><h1>${escaped(title)}</h1>${content}</body></html>`;
}

export function signIn(hint, client) {
  return page('sign-in', 'Sign in', `<p>to continue to ${escaped(client)}</p><form method="post">
<input type="hidden" name="step" value="sign-in">
<label>Address <input name="address" type="text" value="${escaped(hint)}" autocomplete="off"></label>
<label>Password <input name="password" type="password" autocomplete="off"></label>
<button name="go" value="yes">Next</button> <button name="cancel" value="yes">Cancel</button></form>`);
}

export function consent(address, client, scopes) {
  const boxes = scopes.map((scope) => `<label><input type="checkbox" name="scope" value="${escaped(scope)}" checked> ${escaped(scope)}</label>`);
  return page('consent', `${client} asks for access`, `<p>Signed in as ${escaped(address)}</p><form method="post">
<input type="hidden" name="step" value="consent">${boxes.join('\n')}
<button name="go" value="yes">Allow</button> <button name="cancel" value="yes">Cancel</button></form>`);
}

export function adminConsent(client) {
  return page('admin', `${client} asks for access for everybody`, `<form method="post">
<label>Administrator <input name="address" type="text" autocomplete="off"></label>
<button name="go" value="yes">Accept</button> <button name="cancel" value="yes">Cancel</button></form>`);
}

export const enterCode = (form, wrong) => page('code', 'Enter the code', `${wrong ? '<p>That code is wrong.</p>' : ''}${form}
<button name="go" type="submit" form="op.deviceInputForm">Next</button>`);

export const confirmCode = (form, client) => page('confirm', `Sign in to ${client}?`, `${form}
<button name="go" type="submit" form="op.deviceConfirmForm">Continue</button>
<button name="abort" value="yes" type="submit" form="op.deviceConfirmForm">Cancel</button>`);

export const done = () => page('done', 'You have signed in', '<p>You can close this window.</p>');

export const refused = (error, description) => page('refused', 'That did not work', `<p>${escaped(error)}: ${escaped(description ?? '')}</p>`);

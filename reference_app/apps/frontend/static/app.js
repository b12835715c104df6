// What the pages share. All text reaches the page as text, never as HTML.

export function address(path) {
  return `${document.querySelector("meta[name=api-url]").content}/api${path}`;
}

export async function api(path, body) {
  const response = await fetch(address(path), body === undefined ? {} : posted(body));
  if (response.ok) return response.status === 204 ? null : response.json();
  throw new Error(await reason(response));
}

function posted(body) {
  const isFile = body instanceof Blob;
  return {
    method: "POST",
    headers: { "Content-Type": isFile ? "application/octet-stream" : "application/json" },
    body: isFile ? body : JSON.stringify(body),
  };
}

async function reason(response) {
  const answer = await response.json().catch(() => ({}));
  if (Array.isArray(answer.detail)) return answer.detail.map(fault => fault.msg).join("; ");
  return answer.detail ?? `The server answered ${response.status}.`;
}

export async function show(action) {
  const fault = document.getElementById("fault");
  fault.hidden = true;
  try {
    await action();
  } catch (error) {
    fault.textContent = error.message;
    fault.hidden = false;
  }
}

export function onSubmit(id, action) {
  const form = document.getElementById(id);
  form.addEventListener("submit", event => {
    event.preventDefault();
    show(() => action(Object.fromEntries(new FormData(form, event.submitter))));
  });
}

export function fill(id, rows) {
  document.getElementById(id).replaceChildren(...rows.map(cells => {
    const row = document.createElement("tr");
    row.append(...cells.map(cell));
    return row;
  }));
}

function cell(content) {
  const made = document.createElement("td");
  made.append(content);
  if (typeof content === "string" && /^-?[\d,]*\.\d+$/.test(content)) made.className = "number";
  return made;
}

export function badge(word) {
  const made = document.createElement("span");
  made.className = `badge ${word}`;
  made.textContent = word;
  return made;
}

export function link(text, href) {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = text;
  return made;
}

export function money(amount) {
  const cents = Math.round(amount * 100) || 0; // never a negative zero
  return (cents / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

export function total(accounts, kind) {
  return accounts.filter(one => one.kind === kind).reduce((sum, one) => sum + Number(one.balance), 0);
}

export async function offerAccounts() {
  const accounts = await api("/accounts");
  for (const select of document.querySelectorAll("select.account")) {
    select.replaceChildren(...accounts.map(one => new Option(`${one.code} ${one.name}`, one.code)));
  }
}

for (const link of document.querySelectorAll("nav a")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}
api("/me").then(user => { document.getElementById("who").textContent = user.name; }, () => {});

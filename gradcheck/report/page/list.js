"use strict";
// The list of cases: search, filter, order, keys. Texts are only ever read from the page and set as text.
(() => {
  const BATCH = 500;
  const list = document.querySelector("ul.cases");
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const sort = document.getElementById("sort");
  const more = document.getElementById("more");
  const buttons = [...document.querySelectorAll("#filter button")];
  const items = [...list.children].map((element) => ({
    element,
    place: Number(element.dataset.place),
    name: element.dataset.name,
    words: element.dataset.search,
    verdict: element.dataset.verdict,
    surprise: element.dataset.surprise === "1",
    warned: element.dataset.warned === "1",
    error: element.dataset.order === "" ? -1 : Number(element.dataset.order),
  }));

  let most = BATCH;
  let linked = null;

  const orders = {
    surprise: (a, b) => b.surprise - a.surprise || a.place - b.place,
    run: (a, b) => a.place - b.place,
    error: (a, b) => b.error - a.error || a.place - b.place,
    name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  };

  function matches(item, words, pressed) {
    if (pressed.includes("surprise") && !item.surprise) return false;
    if (pressed.includes("warned") && !item.warned) return false;
    const verdicts = pressed.filter((key) => key !== "surprise" && key !== "warned");
    return (!verdicts.length || verdicts.includes(item.verdict)) && words.every((word) => item.words.includes(word));
  }

  // Only so many cases are in the page at a time: hiding thousands one by one takes a browser many seconds.
  function apply() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const pressed = buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.key);
    const kept = items.filter((item) => item === linked || matches(item, words, pressed)).sort(orders[sort.value]);
    const first = kept.slice(0, most);
    if (linked && !first.includes(linked)) first.push(linked);
    list.replaceChildren(...first.map((item) => item.element));
    const word = items.length === 1 ? "case" : "cases";
    shown.textContent = kept.length === items.length ? `${kept.length} ${word}` : `${kept.length} of ${items.length} ${word}`;
    more.hidden = first.length === kept.length;
    more.textContent = `Show ${Math.min(BATCH, kept.length - first.length)} more`;
    document.getElementById("nothing").hidden = kept.length > 0;
  }

  function restart() {
    most = BATCH;
    linked = null;
    apply();
  }

  let waiting = 0;
  find.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(restart, items.length > BATCH ? 80 : 0);
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      restart();
    });
  }
  sort.addEventListener("change", restart);
  more.addEventListener("click", () => {
    const next = list.children.length;
    most += BATCH;
    apply();
    list.children[next]?.querySelector("summary").focus();
  });

  function step(by) {
    const at = [...list.children].findIndex((element) => element.contains(document.activeElement));
    const next = list.children[at < 0 ? (by > 0 ? 0 : list.children.length - 1) : at + by];
    if (next) next.querySelector("summary").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && event.target === find) {
      find.value = "";
      restart();
    } else if (event.key === "/" && !typing) {
      event.preventDefault();
      find.focus();
    } else if ((event.key === "j" || event.key === "k") && !typing) {
      step(event.key === "j" ? 1 : -1);
    }
  });

  // A link to a case: #/its name.
  function follow() {
    let name;
    try {
      name = decodeURIComponent(location.hash);
    } catch {
      return;
    }
    const item = name.startsWith("#/") && items.find((each) => each.name === name.slice(2));
    if (!item) return;
    linked = item;
    apply();
    const details = item.element.querySelector("details");
    details.open = true;
    details.querySelector("summary").focus({ preventScroll: true });
    item.element.scrollIntoView({ block: "start" });
  }
  window.addEventListener("hashchange", follow);

  list.addEventListener(
    "toggle",
    (event) => {
      const details = event.target;
      if (!details.open) return;
      const name = details.closest("li").dataset.name;
      try {
        history.replaceState(null, "", `#/${encodeURIComponent(name)}`);
      } catch {
        // a page that is kept somewhere odd may have no history; the case is open all the same
      }
      for (const button of details.querySelectorAll("button.copy")) button.hidden = !navigator.clipboard;
    },
    true,
  );
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    navigator.clipboard.writeText(button.previousElementSibling.textContent).then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "Cannot copy"),
    );
  });

  document.getElementById("filter").hidden = false;
  apply();
  follow();
  const only = items.length === 1 && list.querySelector("details");
  if (only) only.open = true;
})();

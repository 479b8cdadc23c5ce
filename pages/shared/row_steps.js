// What the links and buttons of cards do. The cards are plain HTML: they are there before any script is, and are
// one message of the server instead of thirty.

export default function ({ setTriggerValue }) {
  document.removeEventListener("click", window.rowSteps); // of an earlier run
  window.rowSteps = (click) => {
    const link = click.target.closest?.(".rows a");
    const button = click.target.closest?.(".rows button");
    if (link) goOn(click, link);
    else if (button?.dataset.drop) setTriggerValue("dropped", button.dataset.drop);
    else if (button) copy(button);
  };
  document.addEventListener("click", window.rowSteps);
}

function goOn(click, link) {
  if (click.ctrlKey || click.metaKey || click.shiftKey) return; // a tab or window of its own
  click.preventDefault(); // else the browser would start a new session
  const address = new URL(link.href);
  for (const [key, value] of new URLSearchParams(window.location.search)) {
    if (key.startsWith("embed")) address.searchParams.append(key, value); // Streamlit's own: a page within another
  }
  history.pushState(null, "", address);
  window.dispatchEvent(new PopStateEvent("popstate")); // as the browser's Forward does
}

async function copy(button) {
  const { text, query } = button.dataset;
  const copied = text ?? new URL(`?${query}`, window.location.href).href;
  button.dataset.says ??= button.textContent;
  try {
    await navigator.clipboard.writeText(copied);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = button.dataset.says), 2000);
  } catch {
    // Browsers keep the clipboard to https and to this machine: show what was meant, selected.
    const place = button.parentElement;
    const field = place.querySelector("input") ?? document.createElement("input");
    field.readOnly = true;
    field.value = copied;
    field.setAttribute("aria-label", button.title);
    place.append(field);
    field.select();
  }
}

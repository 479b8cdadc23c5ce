// Rows by name, each with what can be done next. One element of the page for all of them: drawn by Streamlit's
// own they were thirty, and each costs the server a message at every move of a visitor.

export default function ({ data, parentElement, setTriggerValue }) {
  const drawn = JSON.stringify(data);
  let place = parentElement.querySelector(".rows");
  if (place?.drawn === drawn) return; // a rerun that changes nothing here takes no focus away
  if (!place) {
    place = document.createElement("div");
    parentElement.appendChild(place);
  }
  place.drawn = drawn;
  place.className = `rows ${data.look}`;
  place.replaceChildren(...data.cards.map((card) => drawnCard(card, setTriggerValue)));
}

function drawnCard(card, setTriggerValue) {
  const article = element("article");
  const title = element("p", "title");
  if (card.badge) title.append(element("span", `badge ${card.colour}`, card.badge), " ");
  title.append(element(card.row_id ? "b" : "span", "", card.title));
  if (card.title) article.append(title);
  if (card.miou) {
    const figures = element("p");
    figures.append(element("b", "", card.miou), " mIoU · ", element("b", "", card.cost));
    article.append(figures);
  }
  if (card.beside) article.append(element("p", "beside", card.beside));
  if (!card.row_id) return article;

  const actions = element("div", "actions");
  for (const { page, label, query } of card.links) {
    const link = element("a", "", label);
    link.href = `${page}?${query}`;
    link.onclick = (click) => {
      if (click.ctrlKey || click.metaKey || click.shiftKey) return; // a tab or window of its own
      click.preventDefault(); // else the browser would start a new session
      history.pushState(null, "", link.href);
      window.dispatchEvent(new PopStateEvent("popstate")); // as the browser's Forward does
    };
    actions.append(link);
  }
  actions.append(copyButton(new URL(`?${card.here}`, window.location.href).href));
  if (card.drop) {
    const drop = element("button", "", "Drop");
    drop.onclick = () => setTriggerValue("dropped", card.row_id);
    actions.append(drop);
  }
  article.append(actions);
  return article;
}

function copyButton(address) {
  const button = element("button", "", "Copy link");
  button.title = "This page with this row chosen";
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy link"), 2000);
    } catch {
      // Browsers keep the clipboard to https and to this machine: show the address, selected.
      const field = button.parentElement.querySelector("input") ?? element("input");
      field.readOnly = true;
      field.value = address;
      field.setAttribute("aria-label", "Link to this page with this row chosen");
      button.parentElement.append(field);
      field.select();
    }
  };
  return button;
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text; // never markup: names of own rows come from outside
  return made;
}

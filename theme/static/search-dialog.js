// What is typed into the search is found by its beginning and with a typo.
{
  const { root } = document.querySelector("button.search").dataset;
  const dialog = document.querySelector("dialog.searching");
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");

  const make = (tag, properties, ...content) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...content);
    return element;
  };

  const index = new MiniSearch({
    fields: ["title", "text"],
    storeFields: ["title", "place", "text"],
    // Code has names like d_loss__d_W and nn.Linear: their parts are found, too. So is each sign of a
    // script that has no spaces between words.
    tokenize: (text) => text.match(/[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]|(?:(?![\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}])[\p{L}\p{N}])+/gu) ?? [],
    searchOptions: { prefix: true, fuzzy: (term) => (term.length > 3 ? 0.2 : 0), boost: { title: 4 }, combineWith: "AND" },
  });
  index.addAll(bookSections);

  // The text around the first match, with all matches marked.
  const excerpt = (text, terms) => {
    const pattern = new RegExp(terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "gi");
    const at = Math.max(0, text.search(pattern));
    const start = at < 60 ? 0 : text.indexOf(" ", at - 50) + 1;
    const piece = text.slice(start, start + 160);
    const parts = [start ? "… " : ""];
    let end = 0;
    for (const match of piece.matchAll(pattern)) {
      if (!match[0]) break;
      parts.push(piece.slice(end, match.index), make("mark", {}, match[0]));
      end = match.index + match[0].length;
    }
    return [...parts, piece.slice(end), start + 160 < text.length ? " …" : ""];
  };

  const select = (option) => {
    list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  };

  const show = () => {
    const query = input.value.trim();
    let found = query ? index.search(query) : [];
    if (query && !found.length) found = index.search(query, { combineWith: "OR" });
    const options = found.slice(0, 12).map((hit, i) => {
      const option = make(
        "a",
        { id: `found-${i}`, href: `${root}/${hit.id}`, tabIndex: -1 },
        make("span", { className: "place" }, hit.place.join(" › ")),
        make("strong", {}, hit.title),
        make("span", { className: "text" }, ...excerpt(hit.text, hit.terms)),
      );
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("click", () => dialog.close());
      return option;
    });
    list.replaceChildren(...options);
    input.setAttribute("aria-expanded", String(options.length > 0));
    status.textContent = query && (found.length ? `${found.length} found` : "Nothing found");
    select(options[0]);
  };

  const move = (event) => {
    const options = [...list.children];
    const current = options.findIndex((option) => option.id === input.getAttribute("aria-activedescendant"));
    if (event.key === "Enter") options[current]?.click();
    else if (event.key === "Escape") dialog.close(); // at once: a search field would clear first
    else if (event.key === "ArrowDown") select(options[(current + 1) % options.length]);
    else if (event.key === "ArrowUp") select(options.at(current - 1));
    else return;
    event.preventDefault();
  };

  input.addEventListener("keydown", move);
  input.addEventListener("input", show);
  show(); // with what was typed while this was loading
}

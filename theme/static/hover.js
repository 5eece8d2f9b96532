// A reference shows what it points to while the pointer or the focus is on it.
// Escape hides it, and the pointer may move onto it. Without this script it is a link.
{
  const links = document.querySelectorAll("[data-preview]");
  const pages = new Map();
  let box, timer, current;

  // The page that a link leads to: this one, or another, which is fetched once.
  const pageOf = (link) => {
    if (link.pathname === location.pathname) return document;
    if (location.protocol === "file:" || link.origin !== location.origin) return null;
    const url = link.href.replace(/#.*/, "");
    if (!pages.has(url)) {
      const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
      pages.set(url, fetch(url).then((answer) => (answer.ok ? answer.text().then(parsed) : null), () => null));
    }
    return pages.get(url);
  };

  // A copy of what the link points to; of a heading, with the paragraph that follows.
  const target = async (link) => {
    const page = await pageOf(link);
    const found = page?.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!found) return null;
    const parts = [found];
    if (/^H\d$/.test(found.tagName) && found.nextElementSibling) parts.push(found.nextElementSibling);
    if (found.tagName === "DT") parts.push(found.nextElementSibling);
    const copies = parts.map((part) => document.importNode(part, true));
    for (const copy of copies) {
      for (const each of [copy, ...copy.querySelectorAll("*")]) {
        each.removeAttribute("id");
        if (each.tabIndex >= 0) each.tabIndex = -1;
        for (const name of ["href", "src"]) {
          if (each.hasAttribute(name)) each.setAttribute(name, new URL(each.getAttribute(name), link.href.replace(/#.*/, "")));
        }
      }
      copy.querySelectorAll("[data-tool]").forEach((each) => each.remove());
    }
    return copies;
  };

  const hide = () => {
    clearTimeout(timer);
    if (box?.matches(":popover-open")) box.hidePopover();
    current = null;
  };

  const show = async (link) => {
    current = link;
    const content = await target(link);
    if (!content || current !== link) return;
    if (!box) {
      box = document.createElement("div");
      box.className = "hover";
      box.popover = "manual";
      box.inert = false;
      box.addEventListener("pointerenter", () => clearTimeout(timer));
      box.addEventListener("pointerleave", () => (timer = setTimeout(hide, 200)));
      document.body.append(box);
    }
    box.replaceChildren(...content);
    box.showPopover();
    const at = link.getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - box.offsetWidth - 8);
    const above = at.top - box.offsetHeight - 6;
    const below = at.bottom + 6;
    box.style.left = `${Math.max(8, left)}px`;
    box.style.top = `${below + box.offsetHeight < innerHeight || above < 0 ? below : above}px`;
  };

  const soon = (link, delay) => {
    clearTimeout(timer);
    timer = setTimeout(() => show(link), delay);
  };

  for (const link of links) {
    link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && soon(link, 250));
    link.addEventListener("pointerleave", () => {
      clearTimeout(timer);
      timer = setTimeout(hide, 200);
    });
    link.addEventListener("focus", () => link.matches(":focus-visible") && soon(link, 0));
    link.addEventListener("blur", hide);
    link.addEventListener("click", hide);
  }
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", () => current && !box?.matches(":hover") && hide(), { passive: true });
}

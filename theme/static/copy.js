// On every piece of code a button that copies it; on every cell a link to it.
// (Scripts go by attributes that are ours alone: classes may be the author's or a library's.)
{
  const copy = (box) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    return button;
  };

  const link = (id) => {
    const anchor = document.createElement("a");
    anchor.href = `#${encodeURIComponent(id)}`;
    anchor.textContent = "#";
    anchor.setAttribute("aria-label", "Link to this code");
    return anchor;
  };

  for (const box of document.querySelectorAll("[data-code]")) {
    const id = box.id || box.closest(".cell")?.id;
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.dataset.tool = "";
    if (id) tools.append(link(id));
    if (navigator.clipboard) tools.append(copy(box));
    if (tools.firstChild) box.prepend(tools);
  }
}

// Tabs: the panels, which are an accordion without this script, get a row of tabs above them.
// Tabs with the same key (`sync`) follow each other.
{
  const sets = [...document.querySelectorAll("[data-tabs]")].map((box, n) => {
    const panels = [...box.querySelectorAll(":scope > details")];
    const row = document.createElement("div");
    row.setAttribute("role", "tablist");
    const tabs = panels.map((panel, i) => {
      const tab = document.createElement("button");
      const id = `tab-${n}-${i}`;
      Object.assign(tab, { type: "button", id, textContent: panel.querySelector("summary").textContent });
      tab.dataset.key = panel.dataset.key ?? "";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", `${id}-panel`);
      panel.querySelector("summary").hidden = true;
      const inner = panel.querySelector(".panel");
      inner.id = `${id}-panel`;
      inner.tabIndex = 0;
      inner.setAttribute("role", "tabpanel");
      inner.setAttribute("aria-labelledby", id);
      row.append(tab);
      return tab;
    });
    box.prepend(row);
    box.classList.add("real");

    const show = (i) => {
      tabs.forEach((tab, j) => {
        tab.setAttribute("aria-selected", String(i === j));
        tab.tabIndex = i === j ? 0 : -1;
        panels[j].removeAttribute("name"); // an exclusive accordion closes one after the other
        panels[j].open = i === j;
        panels[j].hidden = i !== j;
      });
    };
    show(Math.max(0, panels.findIndex((panel) => panel.open)));
    return { tabs, show };
  });

  const follow = (key) => {
    for (const { tabs, show } of sets) {
      const i = tabs.findIndex((tab) => tab.dataset.key === key);
      if (key && i >= 0) show(i);
    }
  };

  for (const { tabs, show } of sets) {
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => {
        show(i);
        follow(tab.dataset.key);
      });
      tab.addEventListener("keydown", (event) => {
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: -1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const next = tabs.at(to % tabs.length);
        next.focus();
        next.click();
      });
    });
  }
}

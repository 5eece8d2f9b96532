// The outline follows the scroll: the last heading above the upper third of the window is current.
{
  const links = [...document.querySelectorAll("nav[popover].outline a")];
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));

  const follow = () => {
    const limit = innerHeight / 3;
    const current = headings.findLastIndex((heading) => heading.getBoundingClientRect().top < limit);
    links.forEach((link, i) => {
      if (i === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
  };

  // Where it is a drawer, it closes when it has led somewhere.
  const outline = document.getElementById("outline");
  outline?.addEventListener("click", (event) => {
    if (event.target.closest("a") && outline.matches(":popover-open")) outline.hidePopover();
  });

  if (links.length) {
    const observer = new IntersectionObserver(follow, { rootMargin: "0px 0px -67% 0px" });
    headings.forEach((heading) => observer.observe(heading));
  }
}

// Boxes that scroll can be reached and scrolled with the keyboard; the others stay out of its way.
// Nobody needs that before the first key, and to ask every box for its size is slow.
{
  const boxes = [...document.querySelectorAll("pre, .scroll")];
  const mark = () => {
    // First all questions, then all changes: otherwise each change would ask for a new layout.
    const scrolls = boxes.map(
      (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight,
    );
    boxes.forEach((box, i) => {
      if (scrolls[i]) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  };
  const begin = () => {
    mark();
    document.fonts.addEventListener("loadingdone", mark); // a font may come with what was folded
    addEventListener("resize", mark);
    document.addEventListener("toggle", mark, true); // something folded has been opened
  };
  addEventListener("keydown", begin, { once: true });
}

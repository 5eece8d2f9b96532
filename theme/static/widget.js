// Widgets: loads the author's module and gives it a model and an element, as
// the anywidget front-end contract says (https://anywidget.dev/en/afm/). There is no kernel here:
// the model keeps its values on the page.
{
  const createModel = (values) => {
    const listeners = new Map();
    const emit = (name, ...data) => [...(listeners.get(name) ?? [])].forEach((call) => call(...data));
    let changed = new Set();
    return {
      get: (key) => values[key],
      set: (key, value) => {
        values[key] = value;
        changed.add(key);
        emit(`change:${key}`, value);
      },
      save_changes: () => {
        if (changed.size) emit("change");
        changed = new Set();
      },
      on: (name, call) => listeners.set(name, (listeners.get(name) ?? new Set()).add(call)),
      off: (name, call) => {
        if (!name) listeners.clear();
        else if (call) listeners.get(name)?.delete(call);
        else listeners.delete(name);
      },
      send: () => {},
    };
  };

  const show = async (box) => {
    const url = (name) => new URL(box.dataset[name], location.href).href;
    if (box.dataset.css) {
      const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url("css") });
      document.head.append(sheet);
    }
    const { values, model } = box.dataset;
    const [loaded, state] = await Promise.all([
      import(url("esm")),
      values ? fetch(url("values")).then((answer) => answer.json()) : JSON.parse(model),
    ]);
    const widget = typeof loaded.default === "function" ? await loaded.default() : loaded.default ?? loaded;
    const given = { model: createModel(state), experimental: { invoke: noKernel } };
    await widget.initialize?.(given);
    const el = document.createElement("div");
    el.className = "live";
    box.append(el); // a widget may measure itself and ask for colors
    await widget.render?.({ ...given, el });
    box.classList.add("lives");
  };
  const noKernel = () => Promise.reject(new Error("There is no kernel on this page."));

  // Loaded when it is a window's height from being seen, so that its arrival moves nothing in view.
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      show(target).catch((error) => {
        console.error(error);
        target.querySelector(".live")?.remove();
        target.querySelector(".fallback")?.append(` (${error.message})`);
      });
    }
  }, { rootMargin: "100%" });
  // Browsers do not load modules for pages opened from a folder.
  const boxes = location.protocol === "file:" ? [] : document.querySelectorAll("[data-widget]");
  boxes.forEach((box) => near.observe(box));
}

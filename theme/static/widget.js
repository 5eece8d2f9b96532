// The {anywidget} directive: loads the author's module and gives it a model and an element, as
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
    const loaded = await import(url("module"));
    const widget = typeof loaded.default === "function" ? await loaded.default() : loaded.default ?? loaded;
    const model = createModel(JSON.parse(box.dataset.model));
    const experimental = { invoke: () => Promise.reject(new Error("There is no kernel on this page.")) };
    await widget.initialize?.({ model, experimental });
    const element = document.createElement("div");
    await widget.render?.({ model, el: element, experimental });
    box.replaceChildren(element);
  };

  // Browsers do not load modules for pages opened from a folder.
  const boxes = location.protocol === "file:" ? [] : document.querySelectorAll("[data-model]");
  for (const box of boxes) {
    show(box).catch((error) => {
      box.querySelector(".fallback")?.append(` (${error.message})`);
    });
  }
}

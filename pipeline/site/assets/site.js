"use strict";
// What every page uses: data files, elements, numbers and times.

const Site = {
  PLACE: /^([\w-]+)\/(\d{4}-\d\d-\d\d(?:_\d+)?)\/([0-9a-f]{32})$/,
  received: new Map(),
  requested: new Map(),

  // A data file calls this. A page on a disk may load scripts from beside it, but not read other files.
  receive(key, content) {
    this.received.set(key, content);
  },

  // Return a promise of the content of data/KEY.js, which is loaded once.
  load(key) {
    if (!this.requested.has(key)) {
      this.requested.set(
        key,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          const missing = () =>
            reject(new Error(`The file data/${key}.js cannot be read: write the site again.`));
          script.src = `data/${key}.js`;
          script.onload = () =>
            this.received.has(key) ? resolve(this.received.get(key)) : missing();
          script.onerror = missing;
          document.head.append(script);
        }),
      );
    }
    return this.requested.get(key);
  },

  // Run a page's work; an error becomes a sentence at a place of the page.
  async run(id, work) {
    const place = document.getElementById(id);
    if (!place) return;
    try {
      await work(place);
    } catch (error) {
      place.replaceChildren(Site.notice(error.message));
    }
    document.documentElement.dataset.ready ??= Math.round(performance.now()); // the first view
  },

  // Make an element. Text from the history becomes text or an attribute's value, never markup.
  make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined && value !== false)
        element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter(child => child !== null && child !== undefined));
    return element;
  },

  notice(text) {
    return Site.make("p", {class: "notice bad", role: "alert"}, text);
  },

  // The words after the # of the address.
  address() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  },

  runLink(place, text) {
    return Site.make(
      "a",
      {href: `run.html#${place}`},
      text ?? Site.make("code", {}, place.slice(-32).slice(0, 8)),
    );
  },

  minute(milliseconds) {
    return new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ");
  },

  day(milliseconds) {
    return new Date(milliseconds).toISOString().slice(0, 10);
  },

  // Numbers that JSON does not have come as the texts "NaN", "Infinity" and "-Infinity".
  number(value) {
    if (value === null || value === undefined) return "–";
    const number = Number(value);
    if (!Number.isFinite(number)) return String(value);
    const size = Math.abs(number);
    if (Number.isInteger(number) && size < 1e15) return number.toLocaleString("en");
    return size !== 0 && (size < 1e-4 || size >= 1e6)
      ? number.toExponential(3)
      : String(Number(number.toPrecision(5)));
  },

  // The skip link moves the focus alone: what is behind the # of these pages names what they show.
  skip(event) {
    event.preventDefault();
    document.getElementById("main").focus();
  },

  seconds(value) {
    if (value === null || value === undefined) return "–";
    return value < 60
      ? `${Site.number(value)} s`
      : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  },

  bytes(value) {
    return `${value.toLocaleString("en")} bytes`;
  },
};

document.querySelector(".skip").addEventListener("click", Site.skip);

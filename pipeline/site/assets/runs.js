"use strict";
// The runs of a month: filtered by words, sorted by any column, two of them to compare.

function runColumns(experiment, month, extra, chosen) {
  const metric = name => ({title: name, numeric: true, value: run => run.metrics.get(name)});
  const columns = [
    {title: "compare", cell: run => compareBox(run, chosen)},
    {
      title: "run",
      header: true,
      value: run => run.name,
      cell: run => Site.runLink(run.place, run.name || run.id.slice(0, 8)),
    },
    {title: "started", value: run => run.started, cell: run => Site.minute(run.started)},
    {
      title: "took",
      numeric: true,
      value: run => run.seconds,
      cell: run => Site.seconds(run.seconds),
    },
    ...month.mainMetrics(experiment).map(metric),
    {title: "decision", value: run => run.decision},
    {title: "status", value: run => run.status.toLowerCase()},
  ];
  const [kind, name] = [extra.slice(0, 1), extra.slice(1)];
  if (kind === "m") columns.splice(4, 0, metric(name));
  if (kind === "p") columns.splice(4, 0, paramColumn(month, name));
  return columns;
}

function paramColumn(month, name) {
  const values = month.runs.map(run => run.params.get(name)).filter(value => value !== undefined);
  const numeric =
    values.length > 0 &&
    values.every(value => value.trim() !== "" && Number.isFinite(Number(value)));
  return {
    title: name,
    numeric,
    value: run => run.params.get(name),
    cell: run => run.params.get(name),
  };
}

function compareBox(run, chosen) {
  const box = Site.make("input", {
    type: "checkbox",
    "aria-label": `Compare ${run.name}, ${Site.minute(run.started)}`,
  });
  box.checked = chosen.has(run.place);
  box.addEventListener("change", () => chosen.toggle(run, box.checked));
  return box;
}

// The runs to compare: the last two that were marked.
class Chosen {
  constructor() {
    this.runs = new Map();
    this.node = Site.make("p", {role: "status"});
    this.draw();
  }

  has(place) {
    return this.runs.has(place);
  }

  toggle(run, isChosen) {
    if (isChosen) this.runs.set(run.place, run);
    else this.runs.delete(run.place);
    this.draw();
  }

  draw() {
    const places = [...this.runs.keys()];
    if (places.length !== 2) {
      this.node.textContent = `Mark two runs to compare them (${places.length} marked).`;
      return;
    }
    const names = [...this.runs.values()].map(run => run.name).join(" and ");
    this.node.replaceChildren(
      Site.make("a", {href: `compare.html#${places.join(",")}`}, `Compare ${names}`),
    );
  }
}

function matches(run, words) {
  if (!words.length) return true;
  run.text ??= [
    run.name,
    run.id,
    run.commit,
    run.decision,
    run.status,
    ...[...run.params].map(([name, value]) => `${name}=${value}`),
  ]
    .join(" ")
    .toLowerCase();
  return words.every(word => run.text.includes(word));
}

Site.run("runs", async place => {
  const index = await Site.load("index");
  const chosen = new Chosen();
  const table = new PagedTable("The runs of the month", {
    empty: "No run of the month has these words.",
  });
  const filter = Site.make("input", {
    type: "search",
    placeholder: "name, ID, commit, max_depth=8",
    size: 28,
  });
  const extra = Site.make("select");
  let present;
  const show = () => {
    if (!present) return;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    table.show(
      runColumns(present.experiment, present.month, extra.value, chosen),
      present.month.runs.filter(run => matches(run, words)),
    );
  };
  const picker = new MonthPicker(index, "Which runs", (experiment, name, month) => {
    const option = kind => one => Site.make("option", {value: kind + one}, one);
    const group = (label, options) => Site.make("optgroup", {label}, ...options);
    month.runs.reverse(); // the newest first
    extra.replaceChildren(
      Site.make("option", {value: ""}, "none"),
      group("Parameters", [...month.params].sort().map(option("p"))),
      group("Metrics", [...month.metrics].sort().map(option("m"))),
    );
    history.replaceState(null, "", `#${experiment.folder}/${name}`);
    present = {experiment, month};
    show();
  });
  filter.addEventListener("input", show);
  extra.addEventListener("change", show);
  place.replaceChildren(
    picker.node,
    Site.make(
      "div",
      {class: "controls"},
      Site.make("label", {}, "With the words", filter),
      Site.make("label", {}, "One more column", extra),
    ),
    chosen.node,
    table.node,
  );
  const follow = () => picker.choose(...Site.address().split("/"));
  addEventListener("hashchange", () => Site.run("runs", follow));
  await follow();
});

"use strict";
// Two runs side by side: compare.html#PLACE,PLACE, each such as housing/2026-11-18/4f0c…

class RunPicker {
  constructor(index, label, chosen) {
    this.chosen = chosen;
    this.place = "";
    this.runs = Site.make("select");
    this.picker = new MonthPicker(index, label, (experiment, month, content) => this.list(content));
    this.runs.addEventListener("change", () => this.pick(this.runs.value));
    this.node = Site.make(
      "section",
      {"aria-label": label},
      Site.make("h2", {}, label),
      this.picker.node,
      Site.make("div", {class: "controls"}, Site.make("label", {}, "Run", this.runs)),
    );
  }

  async start(place) {
    this.place = Site.PLACE.test(place) ? place : "";
    const [, folder, day] = Site.PLACE.exec(place) ?? [];
    await this.picker.choose(folder, day?.slice(0, 7));
  }

  async list(month) {
    const options = [...month.runs]
      .reverse()
      .map(run =>
        Site.make(
          "option",
          {value: run.place},
          `${Site.minute(run.started)} ${run.name} (${run.id.slice(0, 8)})${run.decision ? `, ${run.decision}` : ""}`,
        ),
      );
    this.runs.replaceChildren(Site.make("option", {value: ""}, "choose a run"), ...options);
    const isListed = month.runs.some(run => run.place === this.place);
    if (isListed) this.runs.value = this.place;
    else await this.pick("");
  }

  async pick(place) {
    this.place = place;
    this.runs.value = place;
    await this.chosen();
  }
}

async function readRun(place) {
  const [, folder, day, id] = Site.PLACE.exec(place);
  const file = await Site.load(`${folder}/${day}`);
  const run = file.runs[id];
  return {
    run,
    place,
    params: new Map(run.params),
    metrics: new Map(run.metrics),
    tags: new Map(run.tags),
    datasets: new Map(run.datasets.map(at => [file.datasets[at].name, file.datasets[at].digest])),
  };
}

// The rows of two mappings: name, whether they differ, and the two values as texts.
function pairs(one, other, text) {
  const names = [...new Set([...one.keys(), ...other.keys()])].sort();
  return names.map(name => {
    const [a, b] = [one, other].map(map => (map.has(name) ? text(map.get(name)) : "–"));
    return {name, a, b, differs: a !== b};
  });
}

function differenceTable(caption, heads, rows, onlyDifferent) {
  const shown = rows.filter(row => row.differs || !onlyDifferent);
  if (!shown.length) return Site.make("p", {}, `${caption}: no difference.`);
  const node = plainTable(
    caption,
    heads,
    shown.map(row => [
      row.name,
      row.a,
      row.b,
      ...(row.more ?? []),
      row.differs ? "differs" : "same",
    ]),
  );
  node.querySelectorAll("tbody tr").forEach((line, i) => {
    if (shown[i].differs) line.firstElementChild.classList.add("changed");
  });
  return node;
}

function metricRows(one, other) {
  const last = points => latestValue(points);
  return pairs(one.metrics, other.metrics, points => Site.number(last(points))).map(row => {
    const values = [one, other].map(side =>
      finite(side.metrics.has(row.name) ? last(side.metrics.get(row.name)) : null),
    );
    const exact = values[0] !== null && values[1] !== null ? values[1] - values[0] : null;
    const share =
      exact !== null && values[0] !== 0
        ? `${((100 * exact) / Math.abs(values[0])).toFixed(2)} %`
        : "–";
    return {
      ...row,
      differs: row.differs || Boolean(exact),
      more: [exact === null ? "–" : Site.number(exact), share],
    };
  });
}

function latestValue(points) {
  return points.length ? points[points.length - 1][0] : null;
}

function drawDifferences(place, one, other, onlyDifferent) {
  const [a, b] = [one, other].map(
    ({run, place: at}) => `${run.name || "run"} (${at.slice(-32).slice(0, 8)})`,
  );
  const text = value => value;
  const common = [...one.metrics.keys()]
    .filter(name => one.metrics.get(name).length > 1 && other.metrics.get(name)?.length > 1)
    .slice(0, 12);
  const figures = common.map(() => Site.make("figure"));
  place.replaceChildren(
    Site.make(
      "p",
      {},
      "A is ",
      Site.runLink(one.place, a),
      ", B is ",
      Site.runLink(other.place, b),
      ".",
    ),
    differenceTable(
      "Metrics",
      ["metric", "#A", "#B", "#B − A", "#in %", "difference"],
      metricRows(one, other),
      onlyDifferent,
    ),
    Site.make("div", {class: "charts"}, ...figures),
    differenceTable(
      "Parameters",
      ["parameter", "A", "B", "difference"],
      pairs(one.params, other.params, text),
      onlyDifferent,
    ),
    differenceTable(
      "Data sets",
      ["data set", "A", "B", "difference"],
      pairs(one.datasets, other.datasets, text),
      onlyDifferent,
    ),
    differenceTable(
      "Tags",
      ["tag", "A", "B", "difference"],
      pairs(one.tags, other.tags, text),
      onlyDifferent,
    ),
  );
  common.forEach((name, i) =>
    stepChart(figures[i], `${name} by step`, [
      {label: "A", points: one.metrics.get(name)},
      {label: "B", points: other.metrics.get(name)},
    ]),
  );
}

Site.run("compare", async place => {
  const index = await Site.load("index");
  const result = Site.make("section", {"aria-label": "Differences", id: "differences"});
  const only = Site.make("input", {type: "checkbox"});
  const show = async () => {
    const places = pickers.map(picker => picker.place);
    if (places.some(Boolean)) history.replaceState(null, "", `#${places.join(",")}`);
    if (!places.every(Boolean)) {
      result.replaceChildren(Site.make("p", {}, "Choose two runs."));
      return;
    }
    const [one, other] = await Promise.all(places.map(readRun));
    drawDifferences(result, one, other, only.checked);
  };
  const pickers = ["Run A", "Run B"].map(
    label => new RunPicker(index, label, () => Site.run("differences", show)),
  );
  only.addEventListener("change", () => Site.run("differences", show));
  place.replaceChildren(
    Site.make("div", {class: "pair"}, ...pickers.map(picker => picker.node)),
    Site.make("label", {class: "check"}, only, "Show differences only"),
    result,
  );
  const follow = async () => {
    const [one = "", other = ""] = Site.address().split(",");
    pickers[0].place = one;
    pickers[1].place = other;
    // The differences come first: the lists of runs may be long.
    if (Site.PLACE.test(one) && Site.PLACE.test(other)) await Site.run("differences", show);
    await pickers[0].start(one);
    await pickers[1].start(other);
  };
  addEventListener("hashchange", () => Site.run("differences", follow));
  await follow();
});

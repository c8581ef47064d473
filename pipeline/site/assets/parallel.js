"use strict";
// Parallel coordinates of a month's runs: an upright axis for each parameter or metric, and a line for each run.

const MOST_LINES = 300;
const MOST_AXES = 8;
const BEST = 5;

// An axis: where a run lies on it, from 0 at the bottom to 1 at the top, or null if it has no value.
class RunAxis {
  constructor(key, runs) {
    this.key = key;
    this.name = key.slice(1);
    const values = runs.map(run => this.value(run)).filter(value => value !== undefined);
    this.isNumeric =
      values.length > 0 &&
      values.every(value => String(value).trim() !== "" && finite(value) !== null);
    if (this.isNumeric) {
      const numbers = values.map(Number);
      this.low = numbers.reduce((a, b) => Math.min(a, b));
      this.high = numbers.reduce((a, b) => Math.max(a, b));
    } else {
      this.texts = [...new Set(values.map(String))].sort();
    }
  }

  value(run) {
    return (this.key[0] === "p" ? run.params : run.metrics).get(this.name);
  }

  position(run) {
    const value = this.value(run);
    if (value === undefined) return null;
    const [at, low, high] = this.isNumeric
      ? [Number(value), this.low, this.high]
      : [this.texts.indexOf(String(value)), 0, this.texts.length - 1];
    return high > low ? (at - low) / (high - low) : 0.5;
  }

  get bottom() {
    return this.isNumeric ? Site.number(this.low) : (this.texts[0] ?? "–");
  }
  get top() {
    return this.isNumeric ? Site.number(this.high) : (this.texts[this.texts.length - 1] ?? "–");
  }
  get between() {
    return this.isNumeric || this.texts.length < 3 ? "–" : this.texts.slice(1, -1).join(", ");
  }
}

// The axes to begin with: the parameters that most runs have, with several values, and the main metrics.
function firstAxes(experiment, month, runs) {
  const params = [];
  for (const name of month.params) {
    const values = runs.map(run => run.params.get(name)).filter(value => value !== undefined);
    if (2 * values.length > runs.length && new Set(values).size > 1)
      params.push({name, count: values.length});
  }
  params.sort((a, b) => b.count - a.count);
  const extra = ["fit_seconds", "latency_ms", "model_bytes"].filter(name =>
    month.metrics.includes(name),
  );
  return [
    ...params.slice(0, 4).map(({name}) => `p${name}`),
    ...[...month.mainMetrics(experiment), ...extra].map(name => `m${name}`),
  ].slice(0, MOST_AXES);
}

function bestRuns(runs, metric, isHigherBetter) {
  const valued = runs.filter(run => finite(run.metrics.get(metric)) !== null);
  const direction = isHigherBetter ? -1 : 1;
  return valued
    .sort((a, b) => direction * (Number(a.metrics.get(metric)) - Number(b.metrics.get(metric))))
    .slice(0, BEST);
}

function drawLines(place, runs, axes, best) {
  const ordered = [...runs.filter(run => !best.includes(run)), ...best]; // the best ones on top
  const lines = ordered.map(run => axes.map(axis => axis.position(run)));
  const chart = new Chart(place, {
    title: `${runs.length} runs; the best are the thick lines`,
    height: 420,
    data: [axes.map((_, i) => i), ...lines],
    describe: i =>
      `Axis ${i + 1}, ${axes[i].name}: ${axes[i].bottom} at the bottom, ${axes[i].top} at the top`,
    options: colours => ({
      legend: {show: false},
      focus: {alpha: 0.15},
      cursor: {y: false, drag: {x: false, y: false}, focus: {prox: 20}, points: {show: false}},
      padding: [10, 40, 0, 40],
      scales: {x: {time: false, range: [-0.05, axes.length - 0.95]}, y: {range: [-0.03, 1.03]}},
      axes: [
        Chart.axis(colours, {
          splits: () => axes.map((_, i) => i),
          size: 60,
          values: plot =>
            axes.map((axis, i) =>
              plot.width / axes.length < 120
                ? String(i + 1)
                : `${i + 1}\n${axis.name.slice(0, 18)}`,
            ),
          grid: {stroke: colours.soft, width: 1},
        }),
        {show: false},
      ],
      series: [
        {},
        ...ordered.map(run => ({
          label: run.name,
          points: {show: false},
          spanGaps: false,
          stroke: best.includes(run) ? colours.first : colours.faint,
          width: best.includes(run) ? 3 : 1,
        })),
      ],
      hooks: {
        setSeries: [
          (plot, at) => {
            const run = ordered[at - 1];
            chart.status.textContent = run
              ? `${run.name}, ${Site.minute(run.started)} (${run.id.slice(0, 8)})`
              : "";
          },
        ],
      },
    }),
  });
}

function axisChoice(month, chosen, change) {
  const box = key => {
    const input = Site.make("input", {type: "checkbox", value: key});
    input.checked = chosen.has(key);
    input.addEventListener("change", () => {
      if (input.checked && chosen.size >= MOST_AXES) input.checked = false;
      else if (input.checked) chosen.add(key);
      else chosen.delete(key);
      change();
    });
    return Site.make("label", {}, input, key.slice(1));
  };
  const group = (title, keys) =>
    Site.make("fieldset", {}, Site.make("legend", {}, title), ...keys.map(box));
  return [
    group(
      `Parameters (at most ${MOST_AXES} axes in all)`,
      [...month.params].sort().map(name => `p${name}`),
    ),
    group(
      "Metrics",
      [...month.metrics].sort().map(name => `m${name}`),
    ),
  ];
}

function bestTable(best, axes) {
  return plainTable(
    "The best of these runs",
    ["run", ...axes.map(axis => `${axis.isNumeric ? "#" : ""}${axis.name}`)],
    best.map(run => [
      Site.runLink(run.place, `${run.name} (${run.id.slice(0, 8)})`),
      ...axes.map(axis =>
        axis.isNumeric ? Site.number(axis.value(run)) : (axis.value(run) ?? "–"),
      ),
    ]),
  );
}

Site.run("parallel", async place => {
  const index = await Site.load("index");
  const parts = {};
  for (const name of ["choice", "chart", "axes", "best"])
    parts[name] = Site.make(name === "chart" ? "figure" : "div");
  const metric = Site.make("select");
  const direction = Site.make(
    "select",
    {},
    Site.make("option", {value: "low"}, "lowest"),
    Site.make("option", {value: "high"}, "highest"),
  );
  let present;
  const draw = () => {
    const {month, chosen} = present;
    const valued = month.runs.filter(
      run => !run.isPush && finite(run.metrics.get(metric.value)) !== null,
    );
    const runs = valued.slice(-MOST_LINES);
    const axes = [...chosen].map(key => new RunAxis(key, runs));
    if (!runs.length || axes.length < 2) {
      parts.chart.replaceChildren(
        Site.make(
          "p",
          {class: "notice"},
          runs.length ? "Choose at least two axes." : "No run of this month has the metric.",
        ),
      );
      parts.axes.replaceChildren();
      parts.best.replaceChildren();
      return;
    }
    const best = bestRuns(runs, metric.value, direction.value === "high");
    drawLines(parts.chart, runs, axes, best);
    parts.axes.replaceChildren(
      valued.length > runs.length
        ? Site.make(
            "p",
            {},
            `The newest ${runs.length} of ${valued.length.toLocaleString("en")} runs.`,
          )
        : "",
      plainTable(
        "The axes, from the left",
        ["axis", "bottom", "top", "between"],
        axes.map((axis, i) => [`${i + 1} ${axis.name}`, axis.bottom, axis.top, axis.between]),
      ),
    );
    parts.best.replaceChildren(bestTable(best, axes));
  };
  const picker = new MonthPicker(index, "Which runs", (experiment, name, month) => {
    const runs = month.runs.filter(run => !run.isPush);
    const chosen = new Set(firstAxes(experiment, month, runs));
    present = {month, chosen};
    metric.replaceChildren(
      ...[...month.metrics].sort().map(one => Site.make("option", {value: one}, one)),
    );
    metric.value = month.mainMetrics(experiment)[0] ?? "";
    direction.value = experiment.metric?.higher ? "high" : "low";
    history.replaceState(null, "", `#${experiment.folder}/${name}`);
    parts.choice.replaceChildren(...axisChoice(month, chosen, draw));
    draw();
  });
  metric.addEventListener("change", draw);
  direction.addEventListener("change", draw);
  place.replaceChildren(
    picker.node,
    Site.make(
      "div",
      {class: "controls"},
      Site.make("label", {}, "The best runs by", metric),
      Site.make("label", {}, "The best is the", direction),
    ),
    Site.make(
      "section",
      {"aria-label": "Chart"},
      parts.chart,
      Site.make("details", {}, Site.make("summary", {}, "Choose the axes"), parts.choice),
    ),
    Site.make("section", {"aria-label": "The best runs"}, parts.best),
    Site.make("section", {"aria-label": "Axes"}, parts.axes),
  );
  const follow = () => picker.choose(...Site.address().split("/"));
  addEventListener("hashchange", () => Site.run("parallel", follow));
  await follow();
});

"use strict";
// Charts by uPlot that follow the page: its width, its colours in light and dark, and the keyboard.

class Chart {
  // `options` is called with the colours and returns uPlot's options without a size; `describe` returns the text of a point by its index.
  constructor(place, {title, data, options, describe, height = 260}) {
    Object.assign(this, {data, options, describe, height, at: null});
    this.box = Site.make("div", {
      class: "chart",
      tabindex: 0,
      role: "group",
      "aria-label": `Chart: ${title}. Use the arrow keys to read its values.`,
    });
    this.status = Site.make("p", {role: "status", class: "soft"});
    place.replaceChildren(Site.make("figcaption", {}, title), this.box, this.status);
    this.box.addEventListener("keydown", event => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.draw();
  }

  static colours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["text", "soft", "line", "card", "first", "second", "faint"];
    return Object.fromEntries(
      names.map(name => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
  }

  draw() {
    this.plot?.destroy();
    const size = {width: this.box.clientWidth || 600, height: this.height};
    this.plot = new uPlot({...size, ...this.options(Chart.colours())}, this.data, this.box);
  }

  resize() {
    const width = this.box.clientWidth;
    if (width && width !== this.plot.width) this.plot.setSize({width, height: this.height});
  }

  key(event) {
    const last = this.data[0].length - 1;
    const at = this.at ?? last + 1;
    const next = {ArrowLeft: at - 1, ArrowRight: this.at === null ? 0 : at + 1, Home: 0, End: last}[
      event.key
    ];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.at = Math.min(Math.max(next, 0), last);
    this.plot.setCursor({
      left: this.plot.valToPos(this.data[0][this.at], "x"),
      top: this.plot.bbox.height / 2 / devicePixelRatio,
    });
    this.status.textContent = this.describe(this.at);
  }

  static axis(colours, more) {
    return {
      stroke: colours.soft,
      grid: {stroke: colours.line, width: 1},
      ticks: {stroke: colours.line, width: 1},
      ...more,
    };
  }

  // An axis of times in UTC: the day once, and the time where the ticks are less than a day apart.
  static timeAxis(colours) {
    const values = (plot, splits, axis, space, step) =>
      splits.map((second, i) => {
        const [day, time] = Site.minute(second * 1000).split(" ");
        if (step >= 86400) return day;
        const before = i ? Site.day(splits[i - 1] * 1000) : "";
        return day === before ? time : `${time}\n${day}`;
      });
    return Chart.axis(colours, {values, size: 46, space: 90});
  }

  static valueAxis(colours) {
    return Chart.axis(colours, {size: 64, values: (plot, splits) => splits.map(Site.number)});
  }
}

// Numbers for a chart: what is no finite number is a gap.
function finite(value) {
  const number = value === null || value === undefined ? NaN : Number(value);
  return Number.isFinite(number) ? number : null;
}

// Lines over steps: each series is {label, points: a list of [value, time, step]}, at most two of them.
function stepChart(place, title, series) {
  const steps = [...new Set(series.flatMap(one => one.points.map(point => point[2])))].sort(
    (a, b) => a - b,
  );
  const columns = series.map(one => {
    const values = new Map(one.points.map(([value, , step]) => [step, finite(value)]));
    return steps.map(step => values.get(step) ?? null);
  });
  const paints = [
    {dash: [], colour: "first"},
    {dash: [8, 5], colour: "second"},
  ];
  return new Chart(place, {
    title,
    height: 200,
    data: [steps, ...columns],
    describe: i =>
      `Step ${steps[i]}: ${series.map((one, s) => `${one.label} ${Site.number(columns[s][i])}`).join(", ")}`,
    options: colours => ({
      scales: {x: {time: false}},
      axes: [Chart.axis(colours, {size: 30}), Chart.valueAxis(colours)],
      series: [
        {label: "step"},
        ...series.map((one, s) => ({
          label: one.label,
          stroke: colours[paints[s].colour],
          width: 2,
          dash: paints[s].dash,
          spanGaps: true,
          value: (plot, value) => Site.number(value),
        })),
      ],
    }),
  });
}

"use strict";
// The runs of a month: a choice of experiment and month, and the rows of the month's data file.

class MonthPicker {
  // `chosen` is called with the experiment, the month and its rows, whenever another month is chosen.
  constructor(index, label, chosen) {
    Object.assign(this, {index, chosen});
    this.experiments = Site.make(
      "select",
      {},
      ...index.map(one => Site.make("option", {value: one.folder}, one.title)),
    );
    this.months = Site.make("select");
    this.experiments.addEventListener("change", () => this.choose(this.experiments.value));
    this.months.addEventListener("change", () =>
      this.choose(this.experiments.value, this.months.value),
    );
    this.node = Site.make(
      "div",
      {class: "controls", role: "group", "aria-label": label},
      Site.make("label", {}, "Experiment", this.experiments),
      Site.make("label", {}, "Month", this.months),
    );
  }

  // Choose by an address such as `housing/2026-11`; whatever it does not name is the newest.
  async choose(folder, month) {
    const experiment = this.index.find(one => one.folder === folder) ?? this.index[0];
    const counts = new Map();
    for (const [day, count] of experiment.days)
      counts.set(day.slice(0, 7), (counts.get(day.slice(0, 7)) ?? 0) + count);
    const months = [...counts.keys()].reverse();
    const present = counts.has(month) ? month : months[0];
    this.experiments.value = experiment.folder;
    this.months.replaceChildren(
      ...months.map(one =>
        Site.make("option", {value: one}, `${one} (${counts.get(one).toLocaleString("en")} runs)`),
      ),
    );
    this.months.value = present;
    const content = await Site.load(`${experiment.folder}/${present}`);
    if (this.months.value !== present || this.experiments.value !== experiment.folder) return; // another one was chosen meanwhile
    await this.chosen(experiment, present, new MonthRuns(experiment, content));
  }
}

class MonthRuns {
  constructor(experiment, content) {
    this.params = content.params;
    this.metrics = content.metrics;
    this.runs = content.rows.map(row => this.read(experiment, row));
  }

  read(
    experiment,
    [id, day, name, started, seconds, status, commit, decision, isPush, params, metrics],
  ) {
    return {
      id,
      name,
      started,
      seconds,
      status,
      commit,
      decision,
      isPush,
      place: `${experiment.folder}/${day}/${id}`,
      params: MonthRuns.entries(this.params, params),
      metrics: MonthRuns.entries(this.metrics, metrics),
    };
  }

  static entries(names, flat) {
    const entries = new Map();
    for (let i = 0; i < flat.length; i += 2) entries.set(names[flat[i]], flat[i + 1]);
    return entries;
  }

  // The metrics that a table shows first: those of the task, else the first two.
  mainMetrics(experiment) {
    const metric = experiment.metric?.name;
    const own = [`cv_${metric}_mean`, `holdout_${metric}`].filter(name =>
      this.metrics.includes(name),
    );
    return own.length ? own : this.metrics.slice(0, 2);
  }
}

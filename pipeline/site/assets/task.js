"use strict";
// The page of a task: its metric over time, and every push, a month at a time.

function drawTimeline(place, timeline) {
  const metric = place.dataset.metric;
  const {times, promoted} = timeline;
  const challengers = timeline.challengers.map(finite);
  const champions = timeline.champions.map(finite);
  const chosen = challengers.map((value, i) => (promoted[i] ? value : null));
  const others = challengers.map((value, i) => (promoted[i] ? null : value));
  const number = (plot, value) => Site.number(value);
  new Chart(place, {
    title: `${metric} over the pushes`,
    height: 320,
    data: [times, champions, chosen, others],
    describe: i =>
      `${Site.minute(times[i] * 1000)}: challenger ${Site.number(challengers[i])}, ` +
      `${promoted[i] ? "promoted" : "not promoted"}; in service ${Site.number(champions[i])}`,
    options: colours => ({
      cursor: {drag: {x: true, y: true, uni: 40}},
      axes: [Chart.timeAxis(colours), Chart.valueAxis(colours)],
      series: [
        {label: "when", value: (plot, value) => (value === null ? "–" : Site.minute(value * 1000))},
        {
          label: "in service",
          stroke: colours.first,
          width: 2,
          paths: uPlot.paths.stepped({align: 1}),
          points: {show: false},
          spanGaps: true,
          value: number,
        },
        {
          label: "promoted",
          stroke: colours.first,
          paths: () => null,
          points: {show: true, size: 11, fill: colours.first},
          value: number,
        },
        {
          label: "not promoted",
          stroke: colours.second,
          paths: () => null,
          points: {show: true, size: 8, width: 2, fill: colours.card},
          value: number,
        },
      ],
    }),
  });
}

function pushColumns(metric) {
  return [
    {title: "when", value: push => push.when, cell: push => Site.minute(push.when)},
    {title: "challenger", value: push => push.algorithm, header: true},
    {title: metric, numeric: true, value: push => push.value},
    {
      title: "decision",
      value: push => push.decision,
      cell: push => (push.promoted ? "✓ " : "") + push.decision,
    },
    {title: "run", cell: push => Site.runLink(push.place)},
    {
      title: "commit",
      value: push => push.commit,
      cell: push => Site.make("code", {}, push.commit.slice(0, 7) || "–"),
    },
    {title: "reason", value: push => push.reason, wide: true},
  ];
}

async function showPushes(place, slug, metric, months) {
  const table = new PagedTable("The pushes of the month, newest first", {empty: "No push yet."});
  const select = Site.make(
    "select",
    {},
    ...[...months]
      .reverse()
      .map(([month, count]) =>
        Site.make("option", {value: month}, `${month} (${count.toLocaleString("en")})`),
      ),
  );
  const show = async () => {
    const month = select.value;
    const rows = month ? await Site.load(`${slug}/pushes-${month}`) : [];
    if (month !== select.value) return; // another one was chosen meanwhile
    const pushes = rows.map(
      ([when, run, commit, algorithm, value, promoted, decision, reason]) => ({
        when,
        place: run,
        commit,
        algorithm,
        value,
        promoted,
        decision,
        reason,
      }),
    );
    table.show(pushColumns(metric), pushes.reverse());
  };
  select.addEventListener("change", () => Site.run("push-table", show));
  place.replaceChildren(
    Site.make("div", {class: "controls"}, Site.make("label", {}, "Month", select)),
    table.node,
  );
  await show();
}

Site.run("timeline", async place => {
  const {slug, metric} = place.dataset;
  const timeline = await Site.load(`${slug}/timeline`);
  drawTimeline(place, timeline);
  await Site.run("push-table", pushes => showPushes(pushes, slug, metric, timeline.months));
});

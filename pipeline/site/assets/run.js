"use strict";
// A run by its place in the address, such as run.html#housing/2026-11-18/4f0c…

async function loadRun(place) {
  const [, folder, day, id] = Site.PLACE.exec(place) ?? [];
  const index = await Site.load("index");
  const experiment = index.find(one => one.folder === folder);
  const number = experiment?.days.findIndex(([name]) => name === day) ?? -1;
  if (number < 0)
    throw new Error("The address names no run of this site: choose one from the list of runs.");
  const file = await Site.load(`${folder}/${day}`);
  const run = file.runs[id];
  if (!run)
    throw new Error("The address names no run of this site: choose one from the list of runs.");
  const nextDay = experiment.days[number + 1]?.[0];
  return {
    run,
    experiment,
    place,
    datasets: run.datasets.map(at => file.datasets[at]),
    days: [day, nextDay].filter(Boolean),
  };
}

// The nested runs of a run: they began on its day, or after midnight.
async function nestedRuns({run, experiment, days, place}) {
  const nested = [];
  for (const day of days) {
    const file = await Site.load(`${experiment.folder}/${day}`);
    for (const other of Object.values(file.runs)) {
      if (other.parent === place)
        nested.push({...other, place: `${experiment.folder}/${day}/${other.id}`});
    }
  }
  return nested;
}

function latest(points) {
  return points.length ? points[points.length - 1][0] : null;
}

function facts(entries) {
  const filled = entries.filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return Site.make(
    "dl",
    {class: "facts"},
    ...filled.map(([name, value]) =>
      Site.make("div", {}, Site.make("dt", {}, name), Site.make("dd", {}, value)),
    ),
  );
}

function block(title, ...content) {
  const id = title.toLowerCase().replace(/\W+/g, "-");
  return Site.make("section", {"aria-labelledby": id}, Site.make("h2", {id}, title), ...content);
}

function tableBlock(title, heads, rows) {
  return rows.length
    ? block(title, plainTable(title, heads, rows, {captionIsHeading: true}))
    : null;
}

function runFacts({run, experiment}) {
  const commit = run.tags.find(([name]) => name === "mlflow.source.git.commit")?.[1];
  return facts([
    [
      "Experiment",
      Site.make(
        "a",
        {href: `runs.html#${experiment.folder}/${Site.day(run.started).slice(0, 7)}`},
        experiment.title,
      ),
    ],
    ["Status", run.status.toLowerCase() + (run.deleted ? ", deleted" : "")],
    ["Started", Site.minute(run.started)],
    ["Took", run.ended === null ? null : Site.seconds((run.ended - run.started) / 1000)],
    ["User", run.user],
    ["Commit", commit && Site.make("code", {}, commit.slice(0, 12))],
    ["Part of", run.parent && Site.runLink(run.parent)],
    ["Promoted to", run.versions.join(", ")],
    ["Run ID", Site.make("code", {}, run.id)],
  ]);
}

function checkRows(run) {
  return run.checks.map(check => [check.name, check.passed ? "✓ yes" : "✗ no", check.detail]);
}

function nestedTable(nested, experiment) {
  const metric = experiment.metric?.name;
  const names = metric ? [`cv_${metric}_mean`, `holdout_${metric}`] : [];
  const rows = nested.map(run => {
    const values = new Map(run.metrics.map(([name, points]) => [name, latest(points)]));
    return [
      Site.runLink(run.place, run.name || run.id.slice(0, 8)),
      run.status.toLowerCase(),
      ...names.map(name => Site.number(values.get(name))),
      run.versions.join(", ") || "–",
    ];
  });
  return tableBlock(
    "Nested runs",
    ["run", "status", ...names.map(name => `#${name}`), "promoted to"],
    rows,
  );
}

function metricBlock(run) {
  const rows = run.metrics.map(([name, points]) => [
    name,
    Site.number(latest(points)),
    points.length.toLocaleString("en"),
  ]);
  const charts = run.metrics.filter(([, points]) => points.length > 1).slice(0, 12);
  const figures = charts.map(() => Site.make("figure"));
  const node = block(
    "Metrics",
    plainTable("The latest value of each metric", ["metric", "#value", "#points"], rows),
    figures.length ? Site.make("div", {class: "charts"}, ...figures) : null,
  );
  const draw = () =>
    charts.forEach(([name, points], i) =>
      stepChart(figures[i], `${name} by step`, [{label: name, points}]),
    );
  return {node, draw};
}

function datasetRows(datasets) {
  return datasets.map(one => [
    one.name,
    Site.make("code", {}, one.digest.slice(0, 12)),
    Site.number(one.rows),
    one.columns.join(", ") || "–",
    one.source,
  ]);
}

async function showRun(place) {
  const loaded = await loadRun(Site.address());
  const {run, datasets, experiment} = loaded;
  const heading = run.name || run.id.slice(0, 8);
  document.title = `${heading} – Model history`;
  document.querySelector("h1").textContent = `Run ${heading}`;
  const nested = await nestedRuns(loaded);
  const metrics = metricBlock(run);
  const parts = [
    runFacts(loaded),
    Site.make(
      "p",
      {},
      Site.make("a", {href: `compare.html#${loaded.place}`}, "Compare this run with another one"),
    ),
    run.reason && Site.make("p", {class: "notice"}, `Decision of the gate: ${run.reason}.`),
    nestedTable(nested, experiment),
    metrics.node,
    tableBlock("Parameters", ["parameter", "value"], run.params),
    tableBlock("Checks of the gate", ["check", "passed", "what was measured"], checkRows(run)),
    tableBlock(
      "Data sets",
      ["name", "digest", "#rows", "columns", "source"],
      datasetRows(datasets),
    ),
    tableBlock(
      "Files",
      ["file", "#size", "SHA-256 begins with"],
      run.files.map(([path, size, sha256]) => [
        path,
        Site.bytes(size),
        Site.make("code", {}, sha256),
      ]),
    ),
    tableBlock("Tags", ["tag", "value"], run.tags),
  ];
  place.replaceChildren(...parts.filter(Boolean));
  metrics.draw();
}

Site.run("run", showRun);
addEventListener("hashchange", () => Site.run("run", showRun));
